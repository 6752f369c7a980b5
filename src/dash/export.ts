import { type App, hasColumns } from './app.ts';

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

/** Saves a panel's drawing as an SVG file that looks the same outside the page. */
export async function saveSvg(
  svg: SVGSVGElement | undefined,
  head: { readonly id: string; readonly title: string; readonly unit: string },
): Promise<void> {
  save(new Blob([standalone(svg, head)], { type: 'image/svg+xml' }), `${head.id}.svg`);
}

/** Saves a panel's drawing as a picture of twice the screen's resolution. */
export async function savePng(
  svg: SVGSVGElement | undefined,
  head: { readonly id: string; readonly title: string; readonly unit: string },
): Promise<void> {
  const text = standalone(svg, head);
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
  const [from, to] = app.range();
  for (const run of app.runs()) {
    const present = columns.filter((column) => hasColumns(run, [column]));
    const blob = await run.client.csv(present, from, to);
    save(blob, `${run.name.replace(/\.(parquet|arrow)$/, '').replace(/[^\w.-]+/g, '_')}-${id}.csv`);
  }
}

/** Saves a table that is on the page already. */
export function saveText(text: string, name: string): void {
  save(new Blob([text], { type: 'text/csv' }), name);
}

function standalone(
  svg: SVGSVGElement | undefined,
  { title, unit }: { readonly title: string; readonly unit: string },
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
  const width = svg.width.baseVal.value;
  const height = svg.height.baseVal.value;
  const page = getComputedStyle(document.body);
  const head = 30;
  const make = (name: string, attributes: Record<string, string>, text = '') => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };
  const outer = make('svg', {
    width: String(width),
    height: String(height + head),
    viewBox: `0 0 ${width} ${height + head}`,
  });
  const ground = getComputedStyle(svg.closest('.panel') ?? document.body).backgroundColor;
  outer.append(
    make('rect', { width: '100%', height: '100%', fill: ground }),
    make(
      'text',
      { x: '12', y: '20', 'font-size': '14', 'font-weight': '600', 'font-family': page.fontFamily, fill: page.color },
      `${title} (${unit})`,
    ),
  );
  copy.setAttribute('y', String(head));
  outer.append(copy);
  return new XMLSerializer().serializeToString(outer);
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 30_000);
}
