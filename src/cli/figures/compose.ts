import { DOMParser } from 'linkedom';
import type { Theme } from '../../dash/plots/theme.ts';
import { type Figure, FONT, type LegendItem, type Panel } from './figure.ts';

const WIDTH = 1000;
const MARGIN = 28;
const GAP = 30;
const PANEL_HEIGHT = 380;
/** Plots are drawn as large as on the page, and enlarged to be read on paper. */
const ENLARGED = 1.36;
const TITLE_SIZE = 22;
const PANEL_TITLE_SIZE = 17;
const TEXT_SIZE = 16;
const LINE = 22;
/** Mean width of a letter of the font, in parts of its size. */
const LETTER = 0.42;

/** Draws a figure as one SVG under a title: panels side by side with their legends, caption. */
export function composeSvg(title: string, figure: Figure, theme: Theme): string {
  const inner = WIDTH - 2 * MARGIN;
  const width = (inner - GAP * (figure.panels.length - 1)) / figure.panels.length;
  const legends = figure.panels.map(({ legend }) => legendRows(legend, width));
  const legendHeight = Math.max(...legends.map((rows) => rows.length)) * LINE;
  const titleLines = wrap(title, inner / (TITLE_SIZE * LETTER * 1.06));
  const top = MARGIN + titleLines.length * 28 + 12;
  const plotTop = top + LINE + 4 + legendHeight + 6;
  const captionTop = plotTop + PANEL_HEIGHT + 30;
  const caption = wrap(figure.caption, inner / (TEXT_SIZE * LETTER));
  const height = captionTop + caption.length * LINE + MARGIN - 18;
  const panels = figure.panels.map((panel, i) => {
    const x = MARGIN + i * (width + GAP);
    const legend = legends[i]!.flatMap((row, r) =>
      row.map(({ item, at }) => legendItem(item, x + at, top + LINE + 16 + r * LINE, theme)),
    );
    return [
      text(panel.title, x, top + 15, PANEL_TITLE_SIZE, theme.text, 600),
      ...legend,
      panelSvg(panel, x, plotTop, width, theme, i),
    ].join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ` +
      `${WIDTH} ${height}" role="img" aria-labelledby="title caption" font-family="${FONT}">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="caption">${escaped(figure.caption)}</desc>`,
    `<rect width="100%" height="100%" fill="${theme.background}"/>`,
    ...titleLines.map((line, i) =>
      text(line, MARGIN, MARGIN + 18 + i * 28, TITLE_SIZE, theme.text, 600),
    ),
    ...panels,
    ...caption.map((line, i) => text(line, MARGIN, captionTop + i * LINE, TEXT_SIZE, theme.muted)),
    '</svg>',
  ].join('\n');
}

function panelSvg(
  panel: Panel,
  x: number,
  y: number,
  width: number,
  theme: Theme,
  index: number,
): string {
  const page = new DOMParser().parseFromString('<html><body></body></html>', 'text/html');
  const size = { width: Math.round(width / ENLARGED), height: Math.round(PANEL_HEIGHT / ENLARGED) };
  const svg = panel.draw({ document: page as unknown as Document, theme, ...size });
  for (const name of ['class', 'style', 'font-family', 'xmlns', 'xmlns:xlink', 'aria-hidden'])
    svg.removeAttribute(name);
  for (const [name, value] of Object.entries({
    x: Math.round(x),
    y: Math.round(y),
    width: Math.round(width),
    height: PANEL_HEIGHT,
    viewBox: `0 0 ${size.width} ${size.height}`,
    overflow: 'visible',
    color: theme.muted,
    'font-size': 11,
  }))
    svg.setAttribute(name, String(value));
  // Plot counts its ids through a whole process; here they are the same whatever was drawn before.
  return svg.outerHTML.replaceAll(/plot-clip-\d+/g, `clip-${index}`);
}

interface PlacedItem {
  readonly item: LegendItem;
  readonly at: number;
}

function legendRows(items: readonly LegendItem[], width: number): PlacedItem[][] {
  const rows: PlacedItem[][] = [[]];
  let at = 0;
  for (const item of items) {
    const size = 8 + markWidth(item) + item.label.length * TEXT_SIZE * 1.08 * LETTER + 20;
    if (at > 0 && at + size - 20 > width) {
      rows.push([]);
      at = 0;
    }
    rows.at(-1)!.push({ item, at });
    at += size;
  }
  return rows;
}

/** A ramp is as wide as three marks. */
const markWidth = ({ colors }: LegendItem): number => (colors ? 78 : 26);

function legendItem(item: LegendItem, x: number, y: number, theme: Theme): string {
  const middle = y - 5;
  const dash = item.dash ? ` stroke-dasharray="${item.dash}"` : '';
  const mark = {
    line:
      `<path d="M${x},${middle}h26" stroke="${item.color}" ` +
      `stroke-width="${item.width ?? 2}"${dash}/>`,
    dot: `<circle cx="${x + 13}" cy="${middle}" r="5" fill="${item.color}"/>`,
    area: areaMark(item, x, middle - 7),
  }[item.kind];
  return mark + text(item.label, x + 8 + markWidth(item), y, TEXT_SIZE, theme.text);
}

function areaMark(item: LegendItem, x: number, y: number): string {
  const { colors = [item.color] } = item;
  const wide = markWidth(item) / colors.length;
  return colors
    .map(
      (fill, i) =>
        `<rect x="${x + i * wide}" y="${y}" width="${wide}" height="14" fill="${fill}"/>`,
    )
    .join('');
}

function text(content: string, x: number, y: number, size: number, fill: string, weight?: number) {
  const bold = weight ? ` font-weight="${weight}"` : '';
  return (
    `<text x="${x}" y="${y}" font-size="${size}" ` +
    `fill="${fill}"${bold}>${escaped(content)}</text>`
  );
}

/** Lines of at most so many letters. */
export function wrap(content: string, letters: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of content.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > letters) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

export function escaped(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
