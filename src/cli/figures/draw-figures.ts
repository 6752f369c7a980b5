import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DARK, LIGHT, type Theme } from '../../dash/plots/theme.ts';
import { withDraftInTurn } from '../../pipeline/node/draft.ts';
import { syncFolder } from '../../pipeline/node/journal.ts';
import type { RunTable } from '../../pipeline/theory/run-table.ts';
import { UsageError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { composeSvg } from './compose.ts';
import type { Figure, FigureSpec } from './figure.ts';
import { figure1 } from './figure1.ts';
import { figure2 } from './figure2.ts';
import { figure3 } from './figure3.ts';
import { figure4 } from './figure4.ts';
import { figure5 } from './figure5.ts';
import { figurePage } from './html.ts';
import { renderPng } from './png.ts';

export const FORMATS = ['svg', 'png', 'html'] as const;
export type Format = (typeof FORMATS)[number];

export const FIGURES: readonly FigureSpec[] = [figure1, figure2, figure3, figure4, figure5];

/** The figures of these numbers; all of them for none. */
export function pickFigures(only: readonly string[]): readonly FigureSpec[] {
  if (only.length === 0) return FIGURES;
  const wanted = only.map((text) => {
    const figure = FIGURES.find(({ number }) => String(number) === text);
    if (figure) return figure;
    throw new UsageError(
      `--only: there is no figure ${text}; there are ${FIGURES.map((f) => f.number).join(', ')}`,
    );
  });
  return FIGURES.filter((figure) => wanted.includes(figure));
}

/** The formats of these names; all of them for none. */
export function pickFormats(names: readonly string[]): readonly Format[] {
  if (names.length === 0) return FORMATS;
  return names.map((name) => {
    const format = FORMATS.find((candidate) => candidate === name);
    if (format) return format;
    throw new UsageError(`--format: there is no format '${name}'; there are ${FORMATS.join(', ')}`);
  });
}

/** What `drawFigures` tells, as it happens. */
export interface DrawingEvents {
  readonly wrote: (path: string) => void;
  /** A figure that cannot be drawn of that run, and was not asked for by its number. */
  readonly leftOut: (figure: FigureSpec, reason: string) => void;
}

/**
 * Draws figures into a folder, each as SVG, PNG (twice the size) and page, light and dark. All of
 * them are drawn before the first is written. A figure that cannot be drawn of its run is left out,
 * unless it is `wanted` by its number.
 *
 * @param runOf the run that a figure is of
 * @throws UsageError where a wanted figure cannot be drawn, or none can
 */
export async function drawFigures(
  figures: readonly FigureSpec[],
  wanted: boolean,
  formats: readonly Format[],
  folder: string,
  runOf: (figure: FigureSpec) => Promise<RunTable>,
  { wrote, leftOut }: DrawingEvents,
): Promise<void> {
  const runs = new Map<FigureSpec, RunTable>();
  const problems = new Map<FigureSpec, string>();
  for (const figure of figures) {
    const table = await runOf(figure);
    const problem = unfit(figure, table);
    if (problem === undefined) runs.set(figure, table);
    else problems.set(figure, problem);
    if (problem !== undefined && wanted) {
      throw new UsageError(`--run: figure ${figure.number} cannot be drawn: ${problem}`);
    }
  }
  if (runs.size === 0) {
    const reasons = [...problems].map(([{ number }, problem]) => `figure ${number}: ${problem}`);
    throw new UsageError(`--run: no figure can be drawn; ${reasons.join('; ')}`);
  }
  const files: DrawnFile[] = [];
  for (const [figure, table] of runs) {
    files.push(
      ...(await renderFigure(
        `figure-${figure.number}`,
        `Figure ${figure.number}. `,
        formats,
        (theme) => figure.draw(table, theme),
      )),
    );
  }
  await makeFolder(folder, 'out');
  await writeFiles(folder, files, wrote);
  for (const [figure, problem] of problems) leftOut(figure, problem);
}

function unfit({ needs, unfit: own }: FigureSpec, table: RunTable): string | undefined {
  const missing = needs.filter((name) => !table.has(name));
  if (missing.length === 0) return own?.(table);
  return `the file has no ${missing.join(', ')}, and it does not follow from what it has`;
}

type DrawnFile = readonly [name: string, content: string | Uint8Array];

/** Writes a figure under a name in each format, light and dark; `lead` stands before its title. */
export async function writeFigure(
  name: string,
  lead: string,
  formats: readonly Format[],
  folder: string,
  wrote: (path: string) => void,
  draw: (theme: Theme) => Figure,
): Promise<void> {
  await writeFiles(folder, await renderFigure(name, lead, formats, draw), wrote);
}

async function renderFigure(
  name: string,
  lead: string,
  formats: readonly Format[],
  draw: (theme: Theme) => Figure,
): Promise<DrawnFile[]> {
  const light = draw(LIGHT);
  const lightSvg = composeSvg(lead + light.title, light, LIGHT);
  const darkSvg = composeSvg(lead + light.title, draw(DARK), DARK);
  const files: DrawnFile[] = [];
  if (formats.includes('svg')) files.push([`${name}.svg`, lightSvg], [`${name}-dark.svg`, darkSvg]);
  if (formats.includes('png')) {
    files.push(
      [`${name}.png`, await renderPng(lightSvg)],
      [`${name}-dark.png`, await renderPng(darkSvg)],
    );
  }
  if (formats.includes('html')) files.push([`${name}.html`, figurePage(light, lightSvg, darkSvg)]);
  return files;
}

/**
 * Writes files that appear under their names only when every one of them is whole. In one go: a
 * process that ends because nobody reads what it says any more would leave the half of them.
 */
async function writeFiles(
  folder: string,
  files: readonly DrawnFile[],
  wrote: (path: string) => void,
): Promise<void> {
  await withDraftInTurn(join(folder, 'figures'), async (draft) => {
    mkdirSync(draft);
    for (const [name, content] of files) writeFileSync(join(draft, name), content, { flush: true });
    for (const [name] of files) renameSync(join(draft, name), join(folder, name));
  });
  await syncFolder(folder);
  for (const [name] of files) wrote(join(folder, name));
}
