import { type App, hasColumns } from '../app.ts';

const DRAWN = [
  'fill',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-opacity',
  'fill-opacity',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
  'stroke-linejoin',
  'stroke-linecap',
];

interface ExportHead {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly caption?: () => string;
}

/** What a key of a legend shows: a line, or an area of a colour. */
interface LegendEntry {
  readonly label: string;
  readonly color: string;
  readonly dash: string | undefined;
  /** Colours of a ramp. */
  readonly colors?: readonly string[];
}

const TITLE_HEIGHT = 30;
const LEGEND_ROW = 20;
const SIDE = 12;

/** Saves a panel's drawing as an SVG file that looks the same outside the page. */
export async function saveSvg(
  app: App,
  svg: SVGSVGElement | undefined,
  head: ExportHead,
): Promise<void> {
  save(new Blob([standalone(app, svg, head)], { type: 'image/svg+xml' }), `${head.id}.svg`);
}

/** Saves a panel's drawing as a picture of twice the screen's resolution. */
export async function savePng(
  app: App,
  svg: SVGSVGElement | undefined,
  head: ExportHead,
): Promise<void> {
  const text = standalone(app, svg, head);
  const url = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.width * 2;
    canvas.height = image.height * 2;
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (!blob) throw new Error('the browser made no picture');
    save(blob, `${head.id}.png`);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Saves the rows in view as CSV, one file a run, values as they stand in the file. */
export async function saveCsv(app: App, columns: readonly string[], id: string): Promise<void> {
  for (const run of app.runs().filter(app.place)) {
    const present = columns.filter((column) => hasColumns(run, [column]));
    const blob = await run.client.csv(present, ...app.steps(run));
    save(blob, `${run.name.replace(/\.(parquet|arrow)$/, '').replace(/[^\w.-]+/g, '_')}-${id}.csv`);
  }
}

/** Saves a table that is on the page already. */
export function saveText(text: string, name: string): void {
  save(new Blob([text], { type: 'text/csv' }), name);
}

function standalone(
  app: App,
  svg: SVGSVGElement | undefined,
  { title, unit, caption }: ExportHead,
): string {
  if (!svg) throw new Error('nothing is drawn yet');
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const from = [svg, ...svg.querySelectorAll<SVGElement>('*')];
  const into = [copy, ...copy.querySelectorAll<SVGElement>('*')];
  for (const [index, element] of from.entries()) {
    const style = getComputedStyle(element);
    for (const name of DRAWN) into[index]!.setAttribute(name, style.getPropertyValue(name));
    into[index]!.removeAttribute('class');
    into[index]!.removeAttribute('style');
  }
  const panel = svg.closest<HTMLElement>('.panel') ?? document.body;
  const { fontFamily, color, backgroundColor } = getComputedStyle(panel);
  const width = svg.width.baseVal.value + 2 * SIDE;
  const text = (x: number, y: number, size: number, content: string, weight = '400') =>
    make(
      'text',
      { x, y, 'font-size': size, 'font-weight': weight, 'font-family': fontFamily, fill: color },
      content,
    );
  const legend = placed(legendOf(app, panel), width, fontFamily);
  const head = TITLE_HEIGHT + LEGEND_ROW * Math.max(0, ...legend.map(({ row }) => row + 1));
  const height = svg.height.baseVal.value + head + SIDE / 2;
  const outer = make('svg', { width, height, viewBox: `0 0 ${width} ${height}` });
  outer.append(
    make('rect', { width: '100%', height: '100%', fill: backgroundColor }),
    text(SIDE, 20, 14, `${title} (${unit})${caption ? `: ${caption()}` : ''}`, '600'),
    ...legend.flatMap(({ label, color: own, dash, colors, x, row }) => {
      const y = TITLE_HEIGHT + LEGEND_ROW * row + 10;
      if (colors) return [...rampMarks(colors, x, y), text(x + RAMP + 8, y + 4, 12, label)];
      const key =
        dash === undefined
          ? make('circle', { cx: x + 9, cy: y, r: 4.5, fill: own })
          : make('line', {
              x1: x,
              x2: x + 18,
              y1: y,
              y2: y,
              stroke: own,
              'stroke-width': 2.5,
              'stroke-dasharray': dash,
            });
      return [key, text(x + 24, y + 4, 12, label)];
    }),
  );
  copy.setAttribute('x', String(SIDE));
  copy.setAttribute('y', String(head));
  // Labels at the ends of an axis reach over the drawing.
  copy.setAttribute('overflow', 'visible');
  outer.append(copy);
  return new XMLSerializer().serializeToString(outer);
}

/** The keys of a panel's legend that are drawn, and where colours tell runs apart, the runs. */
function legendOf(app: App, panel: HTMLElement): LegendEntry[] {
  const keys = [
    ...panel.querySelectorAll<HTMLElement>(
      '.legend .key:not([hidden]):not([aria-pressed="false"])',
    ),
  ];
  const series = keys.flatMap((key): LegendEntry[] => {
    const { colors, label: values = '' } =
      key.querySelector<HTMLElement>('.ramp-bar')?.dataset ?? {};
    if (colors) return [{ label: values, color: '', dash: undefined, colors: colors.split(';') }];
    const label =
      key.querySelector('span:not(.dot, .map-swatch, .legend-value)')?.textContent ?? ownText(key);
    const line = key.querySelector('.swatch line');
    if (line) {
      const { stroke } = getComputedStyle(line);
      return [{ label, color: stroke, dash: line.getAttribute('stroke-dasharray') ?? '' }];
    }
    const dot = key.querySelector('.dot, .map-swatch');
    return dot ? [{ label, color: getComputedStyle(dot).backgroundColor, dash: undefined }] : [];
  });
  const runs = app.runs();
  if (runs.length < 2 || !panel.querySelector('.plot.by-run')) return series;
  const dots = [...document.querySelectorAll('.run-row.shown .dot')];
  return [
    ...runs.map(({ name }, i) => ({
      label: panel.querySelector('.plot.numbered') ? `${i + 1}: ${name}` : name,
      color: dots[i] ? getComputedStyle(dots[i]).backgroundColor : 'currentColor',
      dash: undefined,
    })),
    ...series,
  ];
}

const ownText = (element: Element): string =>
  [...element.childNodes].flatMap((node) => (node instanceof Text ? [node.data] : [])).join('');

/** Entries in rows from left to right. */
function placed(entries: readonly LegendEntry[], width: number, font: string) {
  const context = document.createElement('canvas').getContext('2d');
  if (context) context.font = `12px ${font}`;
  let [x, row] = [SIDE, 0];
  return entries.map((entry) => {
    const wide =
      (entry.colors ? RAMP + 8 : 24) +
      (context?.measureText(entry.label).width ?? entry.label.length * 7) +
      16;
    if (x > SIDE && x + wide > width) [x, row] = [SIDE, row + 1];
    const place = { ...entry, x, row };
    x += wide;
    return place;
  });
}

const RAMP = 72;

const rampMarks = (colors: readonly string[], x: number, y: number): SVGElement[] =>
  colors.map((fill, i) => {
    const width = RAMP / colors.length;
    return make('rect', { x: x + i * width, y: y - 5, width, height: 10, fill });
  });

function make(name: string, attributes: Record<string, string | number>, text = ''): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.textContent = text;
  return element;
}

/** How long a browser may take to begin a download, in milliseconds. */
const PATIENCE = 300_000;

/** Hands a file over to the browser's downloads. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), PATIENCE);
}
