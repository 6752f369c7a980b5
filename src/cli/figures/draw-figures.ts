import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunTable } from '../../pipeline/theory/run-table.ts';
import { UsageError } from '../errors.ts';
import { composeSvg } from './compose.ts';
import type { Figure, FigureSpec, PlotModule } from './figure.ts';
import { figure1 } from './figure1.ts';
import { figure2 } from './figure2.ts';
import { figure3 } from './figure3.ts';
import { figure4 } from './figure4.ts';
import { figure5 } from './figure5.ts';
import { figurePage } from './html.ts';
import { renderPng } from './png.ts';
import { DARK, LIGHT, type Theme } from './theme.ts';

export const FORMATS = ['svg', 'png', 'html'] as const;
export type Format = (typeof FORMATS)[number];

export const FIGURES: readonly FigureSpec[] = [figure1, figure2, figure3, figure4, figure5];

/** The figures of these numbers; all of them for none. */
export function pickFigures(only: readonly string[]): readonly FigureSpec[] {
  if (only.length === 0) return FIGURES;
  const wanted = only.map((text) => {
    const figure = FIGURES.find(({ number }) => String(number) === text);
    if (figure) return figure;
    throw new UsageError(`--only: there is no figure ${text}; there are ${FIGURES.map((f) => f.number).join(', ')}`);
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

/**
 * Draws figures into a folder, each as SVG, PNG (twice the size) and page, light and dark; `wrote` is told each file.
 *
 * @param runOf the run that a figure is of
 */
export async function drawFigures(
  figures: readonly FigureSpec[],
  formats: readonly Format[],
  folder: string,
  runOf: (figure: FigureSpec) => Promise<RunTable>,
  wrote: (path: string) => void,
): Promise<void> {
  const runs = new Map<FigureSpec, RunTable>();
  for (const figure of figures) {
    const table = await runOf(figure);
    const problem = figure.unfit?.(table);
    if (problem !== undefined) throw new UsageError(`--run: figure ${figure.number} cannot be drawn: ${problem}`);
    runs.set(figure, table);
  }
  await makeFolder(folder);
  const plot = await import('@observablehq/plot');
  for (const figure of figures) {
    const table = runs.get(figure)!;
    await writeFigure(`figure-${figure.number}`, `Figure ${figure.number}. `, formats, folder, plot, wrote, (theme) =>
      figure.draw(table, theme, plot),
    );
  }
}

/** Writes a figure under a name in each format, light and dark; `lead` stands before its title. */
export async function writeFigure(
  name: string,
  lead: string,
  formats: readonly Format[],
  folder: string,
  plot: PlotModule,
  wrote: (path: string) => void,
  draw: (theme: Theme) => Figure,
): Promise<void> {
  const light = draw(LIGHT);
  const lightSvg = composeSvg(lead + light.title, light, LIGHT, plot);
  const darkSvg = composeSvg(lead + light.title, draw(DARK), DARK, plot);
  const files: [string, string | Uint8Array][] = [];
  if (formats.includes('svg')) files.push([`${name}.svg`, lightSvg], [`${name}-dark.svg`, darkSvg]);
  if (formats.includes('png')) {
    files.push([`${name}.png`, await renderPng(lightSvg)], [`${name}-dark.png`, await renderPng(darkSvg)]);
  }
  if (formats.includes('html')) files.push([`${name}.html`, figurePage(light, lightSvg, darkSvg)]);
  for (const [file, content] of files) {
    const path = join(folder, file);
    await writeWhole(path, content);
    wrote(path);
  }
}

export async function makeFolder(folder: string): Promise<void> {
  const there = await stat(folder).catch(() => undefined);
  if (there && !there.isDirectory()) throw new UsageError(`--out: ${folder} is a file; name a folder`);
  await mkdir(folder, { recursive: true });
}

/** Writes a file that appears under its name only when it is whole. */
async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await writeFile(partial, content);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
