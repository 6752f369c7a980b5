import { accuracy } from '../../dash/plots/series/accuracy.ts';
import { edgeDirections } from '../../dash/plots/series/edge-directions.ts';
import { loss } from '../../dash/plots/series/loss.ts';
import { sharpness } from '../../dash/plots/series/sharpness.ts';
import { split } from '../../dash/plots/series/split.ts';
import type { Theme } from '../../dash/plots/theme.ts';
import type { RunFigures, TimeSeries } from '../../dash/plots/time-series.ts';
import { resolveValues } from '../../pipeline/core/parameters.ts';
import { formatNumber, plural } from '../../pipeline/format.ts';
import { jsonObject } from '../../pipeline/formats/table-file.ts';
import { measuredMatrix } from '../../pipeline/models/network/columns.ts';
import { type NetworkOptions, networkRunParameters } from '../../pipeline/models/network/config.ts';
import { chosenOptimizer } from '../../pipeline/models/network/optimizer.ts';
import type { NetworkSummary } from '../../pipeline/operators/network-run.ts';
import { UsageError } from '../errors.ts';
import { openTable, type TableReader } from '../inspect/table-reader.ts';
import { makeFolder } from '../make-folder.ts';
import { type Format, writeFigure } from './draw-figures.ts';
import type { Figure } from './figure.ts';
import { type Plottable, seriesPanel } from './run-lines.ts';
import { glued } from './words.ts';

/** A figure of a network's run: its panels side by side, as far as the file has their columns. */
const FIGURES = [
  {
    name: 'figure-1',
    title: 'Training loss, and the top of the spectrum',
    caption: 'Left, the training loss; right, the largest eigenvalues of MATRIX.',
    series: [loss, sharpness],
  },
  {
    name: 'figure-2',
    title: 'The oscillation at the edge',
    caption:
      'Left, the energy L₁ of the oscillation in directions at the edge, and what is left of ' +
      'the loss; right, how many such directions there are among the followed.',
    series: [split, edgeDirections],
  },
  {
    name: 'figure-3',
    title: 'Accuracy',
    caption: 'Share of the training samples whose class is right.',
    series: [accuracy],
  },
] as const satisfies readonly {
  readonly name: string;
  readonly title: string;
  readonly caption: string;
  readonly series: readonly TimeSeries[];
}[];

/** What `eos.config` says of a run of a network; undefined of any other file. */
function networkConfigOf({ metadata }: TableReader): NetworkOptions | undefined {
  const said = jsonObject(metadata['eos.config']);
  if (said?.model !== 'mlp') return undefined;
  const { model: _, dynamics: __, ...options } = said;
  return options as NetworkOptions;
}

/**
 * Draws what can be drawn of the file of a network's run.
 *
 * @returns whether it is one
 * @throws UsageError where none of the figures can be drawn, or one of `only` cannot
 */
export async function drawNetwork(
  path: string,
  only: readonly string[],
  formats: readonly Format[],
  folder: string,
  wrote: (path: string) => void,
): Promise<boolean> {
  const file = await openTable(path);
  const options = networkConfigOf(file);
  if (!options) return false;
  // Its samples need not be there any more.
  const config = resolveValues(networkRunParameters, { ...options, columns: null });
  const { optimizer, stability } = chosenOptimizer(config);
  const summary = jsonObject(file.metadata['eos.summary']) as Partial<NetworkSummary> | undefined;
  const run: RunFigures = {
    eta: config.eta,
    threshold: config.schedule === null ? stability.threshold(config.eta) : undefined,
    thresholdName: stability.formula,
    band: config.band,
    spikes: (summary?.spikes ?? []).map(({ step }) => step),
    diverged: typeof summary?.diverged_at === 'number',
    anchors: new Map(),
  };
  const table = await plottable(file, run);
  const spikes = summary?.spike_count ?? run.spikes!.length;
  const batches = config.batch === null ? '' : ` in batches of ${config.batch}`;
  const eta =
    config.schedule === null
      ? `η = ${formatNumber(config.eta, 4)}`
      : `η = ${formatNumber(config.eta, 4)} by the schedule ${config.schedule}`;
  const matrix = measuredMatrix(optimizer.metric !== undefined);
  const words = glued(
    `A network of widths ${config.layers} (${config.activation}, ${config.loss}) on ` +
      `${config.data}, by ${config.optimizer}${batches} with ${eta}; ` +
      `threshold ${stability.formula}. ${spikes === 0 ? 'No spikes' : plural(spikes, 'spike')} ` +
      'of the loss.',
  );
  const drawn = FIGURES.filter(({ series }) =>
    series.some((spec) => spec.series.some(({ column }) => column && table.has(column))),
  ).filter(({ name }) => only.length === 0 || only.includes(name.slice('figure-'.length)));
  const known = drawn.map(({ name }) => name.slice('figure-'.length));
  const missing = only.find((number) => !known.includes(number));
  if (missing !== undefined || drawn.length === 0 || table.step.length < 2)
    throw new UsageError(
      missing === undefined
        ? `--run: ${path} has too few rows or columns for a figure`
        : `--only: there is no figure ${missing} of this run of a network; there are ` +
            `${FIGURES.map(({ name }) => name.slice('figure-'.length)).join(', ')}, of columns ` +
            'that the file has',
    );
  await makeFolder(folder, 'out');
  for (const { name, title, caption, series } of drawn) {
    const draw = (theme: Theme): Figure => ({
      title,
      caption: `${caption.replace('MATRIX', matrix)} ${words}`,
      panels: series
        .map((spec) => seriesPanel(spec, table, theme))
        .filter(({ legend }) => legend.length > 0),
    });
    await writeFigure(
      name,
      `Figure ${name.slice('figure-'.length)}. `,
      formats,
      folder,
      wrote,
      draw,
    );
  }
  return true;
}

/** The columns of a file that any of the figures draws; a missing value is NaN. */
async function plottable(file: TableReader, figures: RunFigures): Promise<Plottable> {
  const wanted = [
    'step',
    ...FIGURES.flatMap(({ series }) =>
      series.flatMap((spec: TimeSeries) => spec.series.flatMap(({ column }) => column ?? [])),
    ),
  ];
  const columns = new Map<string, number[]>();
  for await (const block of file.read(wanted)) {
    for (const [name, values] of Object.entries(block)) {
      const into = columns.get(name) ?? [];
      columns.set(name, into);
      for (let i = 0; i < values.length; i++) into.push(Number(values[i] ?? Number.NaN));
    }
  }
  const step = columns.get('step') ?? [];
  return {
    step,
    lastStep: step.at(-1) ?? 0,
    figures,
    has: (name) => columns.get(name)?.some(Number.isFinite) ?? false,
    column: (name) => columns.get(name)!,
  };
}
