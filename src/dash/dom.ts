type Child = Node | string | undefined;
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Makes an element. Strings become text nodes and attribute values, never markup, so what a file
 * says cannot become part of the page.
 */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== undefined));
  return element;
}

/** Writes a text where another one stands: the same again would be laid out anew. */
export function write(into: Element, text: string): void {
  const [only, ...others] = into.childNodes;
  if (only?.nodeType === Node.TEXT_NODE && others.length === 0) {
    if (only.nodeValue !== text) only.nodeValue = text;
  } else if (into.textContent !== text) into.textContent = text;
}

/**
 * Chooses an option. The same one again would be laid out anew, and Chromium looks at all fields of
 * the page then, to fill them in.
 */
export function choose(select: HTMLSelectElement, value: string | number): void {
  if (select.value !== String(value)) select.value = String(value);
}

/** A button that does something. */
export function button(
  label: string,
  attributes: Attributes,
  action: () => void,
  ...children: Child[]
): HTMLButtonElement {
  const element = el(
    'button',
    { type: 'button', 'aria-label': label, title: label, ...attributes },
    ...(children.length > 0 ? children : [label]),
  );
  element.addEventListener('click', action);
  return element;
}

const ICONS = {
  info: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M8 7.2v4M8 4.7v.1',
  full: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4',
  small: 'M6 2v4H2M10 2v4h4M14 10h-4v4M2 10h4v4',
  save: 'M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11',
  only: 'M8 5.2a2.8 2.8 0 1 0 0 5.600 2.800 2.800 0 0 0 0-5.600M8 1v2M8 13v2M1 8h2M13 8h2',
  close: 'M4 4l8 8M12 4l-8 8',
  file: 'M2 13V3h4l1.5 2H14v8z',
  link:
    'M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.5 4.5L11.500 9M9 11.500 7.500 13A3 3 0 0 1 3 ' +
    '8.500L4.500 7',
  whole: 'M1.500 3v10M14.500 3v10M4 8h8M6 5.500 3.500 8 6 10.500M10 5.500 12.500 8 10 10.500',
  reset: 'M2.500 8a5.500 5.500 0 1 0 1.700-4M2.500 1.800v3h3',
} as const;

/** A line icon of 16 × 16 that takes the colour of the text. */
export function icon(name: keyof typeof ICONS): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [key, value] of Object.entries({
    viewBox: '0 0 16 16',
    width: '16',
    height: '16',
    'aria-hidden': 'true',
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': '1.5',
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
  })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** The key of a line in a legend. */
export function swatch(): {
  readonly element: SVGSVGElement;
  look(color: string, dash: string): void;
} {
  const element = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  element.setAttribute('class', 'swatch');
  element.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
  for (const [name, at] of Object.entries({
    x1: '0',
    x2: '18',
    y1: '5',
    y2: '5',
    'stroke-width': '2.5',
  })) {
    line.setAttribute(name, at);
  }
  element.append(line);
  return {
    element,
    look(color, dash) {
      line.setAttribute('stroke', color);
      line.setAttribute('stroke-dasharray', dash);
    },
  };
}

/**
 * A short equation or difference, a share, a quotient, or an option of the command line: a line
 * must not end within it.
 */
const WHOLE = /((?:\S+ [=≈≤−] )+\S+(?: %)?|\S+ %|\S*[^\s/]\/[^\s/]\S*|--\w\S*)/;

/** A text in which these stay in one line. */
export const unbroken = (text: string): (Node | string)[] =>
  text.split(WHOLE).map((part, i) => (i % 2 === 0 ? part : el('span', { class: 'whole' }, part)));
