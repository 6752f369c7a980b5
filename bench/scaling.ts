// Cost of `eos stream` against the number of steps, of columns and of a network's weights, and of
// `eos sweep` against the number of runs, as tables and a figure: npm run bench:scaling
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as Plot from '@observablehq/plot';
import { writeFigure } from '../src/cli/figures/draw-figures.ts';
import { drawPlot, type Look } from '../src/dash/plots/draw.ts';
import type { Theme } from '../src/dash/plots/theme.ts';
import { RUN_COLUMNS } from '../src/pipeline/models/minimal/columns.ts';
import { describe, describeMachine, root } from './machine.ts';

interface Cost {
  /** Steps, columns, runs, or units of a layer. */
  readonly size: number;
  readonly seconds: number;
  /** Largest resident size of the process, in MB. */
  readonly memory: number;
  /** Size of the file, in MB; 0 where none is written. */
  readonly file: number;
}

const ROUNDS = 2;
const SECONDS = [0.2, 0.5, 1, 2, 5, 10];
const COLUMN_STEPS = 5_000_000;
const folder = mkdtempSync(join(tmpdir(), 'eos-scaling-'));
const out = join(folder, 'run.parquet');
const sweep = join(folder, 'sweep');
const STREAM = ['stream', '--quiet'];
const SWEPT_STEPS = 1000;
const TRAINED_STEPS = 1000;

/** Processor time of the whole process and its peak memory; the quickest of some rounds. */
async function cost(size: number, args: readonly string[], rounds = ROUNDS): Promise<Cost> {
  let best: Cost | undefined;
  for (let round = 0; round < rounds; round++) {
    rmSync(out, { force: true });
    rmSync(sweep, { recursive: true, force: true });
    const child = spawn(process.execPath, [join(root, 'bin/run.js'), ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    let memory = 0;
    let ticks = 0;
    const watch = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        memory = Math.max(memory, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000);
        const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
        ticks = Math.max(ticks, Number(fields[11]) + Number(fields[12]));
      } catch {
        // It has ended, or the system tells no such thing.
      }
    }, 10);
    const code = await new Promise((resolve) => child.on('exit', resolve));
    clearInterval(watch);
    if (code !== 0) throw new Error(`eos ${args.join(' ')} ended with code ${code}`);
    // A tick of Linux is 10 ms.
    const seconds = ticks / 100;
    const file = statSync(out, { throwIfNoEntry: false })?.size ?? 0;
    if (!best || seconds < best.seconds) best = { size, seconds, memory, file: file / 1e6 };
  }
  return best!;
}

function table(title: string, costs: readonly Cost[], perStep: (cost: Cost) => number): string {
  const rows = costs.map(
    (c) =>
      `| ${c.size.toLocaleString('en-US')} | ${c.seconds.toFixed(2)} | ` +
      `${(1e9 * perStep(c)).toFixed(0)} | ${c.memory.toFixed(0)} | ` +
      `${c.file === 0 ? '–' : c.file.toFixed(1)} |`,
  );
  return [
    `| ${title} | s | ns a step | MB resident | MB file |`,
    '|---:|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
}

try {
  const computed: Cost[] = [];
  for (const steps of [1e4, 1e5, 1e6, 1e7, 1e8]) {
    computed.push(
      await cost(
        steps,
        [...STREAM, '--dry-run', '--steps', String(steps)],
        steps > 1e7 ? 1 : ROUNDS,
      ),
    );
  }
  const written: Cost[] = [];
  for (const steps of [1e4, 1e5, 1e6, 1e7]) {
    written.push(await cost(steps, [...STREAM, '--out', out, '--steps', String(steps)]));
  }
  const thinned: Cost[] = [];
  for (const steps of [1e6, 1e7, 1e8]) {
    const args = [...STREAM, '--out', out, '--every', '1000', '--steps', String(steps)];
    thinned.push(await cost(steps, args, steps > 1e7 ? 1 : ROUNDS));
  }
  const columns: Cost[] = [];
  for (const count of [1, 2, 4, 8, 12, 18]) {
    const names = RUN_COLUMNS.slice(0, count).map(({ name }) => name);
    columns.push(
      await cost(count, [
        ...STREAM,
        '--out',
        out,
        '--steps',
        String(COLUMN_STEPS),
        '--columns',
        names.join(','),
      ]),
    );
  }
  const runs: Cost[] = [];
  for (const count of [100, 1000, 10_000, 100_000]) {
    const grid = ['--eta', `0.01:0.1:log:${count}`, '--steps', String(SWEPT_STEPS)];
    runs.push(await cost(count, ['sweep', ...grid, '--out', sweep]));
  }
  const widths: Cost[] = [];
  for (const width of [10, 20, 40, 80, 160]) {
    const layers = `1-${width}-${width}-1`;
    const network = ['--model', 'mlp', '--layers', layers, '--eta', '0.01'];
    const steps = ['--dry-run', '--steps', String(TRAINED_STEPS)];
    widths.push(await cost(width, [...STREAM, ...network, ...steps]));
  }
  const each = ({ seconds, size }: Cost) => seconds / size;
  process.stdout.write(
    [
      describe(describeMachine()),
      table('steps, no file', computed, each),
      table('steps, all columns to Parquet', written, each),
      table('steps, `--every 1000`', thinned, each),
      table(
        `columns of ${COLUMN_STEPS.toLocaleString('en-US')} steps`,
        columns,
        ({ seconds }) => seconds / COLUMN_STEPS,
      ),
      table(`runs of ${SWEPT_STEPS} steps`, runs, (c) => each(c) / SWEPT_STEPS),
      table(
        `units a layer of an MLP, ${TRAINED_STEPS} steps`,
        widths,
        ({ seconds }) => seconds / TRAINED_STEPS,
      ),
      '',
    ].join('\n\n'),
  );
  const wrote = (path: string) => process.stderr.write(`wrote ${path}\n`);
  const series = { computed, written, thinned, columns, runs, widths };
  const [first, second] = [[0, 1, 2] as const, [3, 4] as const].map((places) => (theme: Theme) => {
    const { panels, ...figure } = draw(theme, series);
    return { ...figure, panels: places.map((place) => panels[place]!) };
  });
  await writeFigure('scaling', '', ['png'], join(root, 'bench'), wrote, first!);
  await writeFigure('scaling-runs', '', ['png'], join(root, 'bench'), wrote, second!);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

type Series = Readonly<
  Record<'computed' | 'written' | 'thinned' | 'columns' | 'runs' | 'widths', readonly Cost[]>
>;

function draw(theme: Theme, { computed, written, thinned, columns, runs, widths }: Series) {
  const line = (costs: readonly Cost[], y: (cost: Cost) => number, color: string) => [
    Plot.line(costs, { x: 'size', y, stroke: color, strokeWidth: 2 }),
    Plot.dot(costs, { x: 'size', y, fill: color, r: 3.5 }),
  ];
  const grid = Plot.gridY({ stroke: theme.grid, strokeOpacity: 1 });
  const panel = (options: Plot.PlotOptions) => (look: Look) => drawPlot(options, look);
  const seconds = ({ seconds: s }: Cost) => s;
  const legend = [
    { label: 'no file', color: theme.sharpness, kind: 'line' as const },
    { label: 'all to Parquet', color: theme.oscillating, kind: 'line' as const },
    { label: 'every 1000th', color: theme.convergent, kind: 'line' as const },
  ];
  const steps = {
    type: 'log' as const,
    label: 'steps',
    ticks: [1e4, 1e5, 1e6, 1e7, 1e8],
    tickFormat: '~s',
  };
  return {
    title: 'What a run costs',
    caption:
      'Processor time of the whole process, the quicker of two rounds (one at a hundred ' +
      'million steps). Time and peak resident memory of eos stream, preset paper, against ' +
      'steps; time of five million steps to Parquet against columns; of eos sweep, a thousand ' +
      'steps a run, against runs; and of a thousand steps of an MLP with two hidden layers ' +
      'against their units.',
    panels: [
      {
        title: 'Time',
        legend,
        draw: panel({
          x: steps,
          y: {
            type: 'log' as const,
            label: 'seconds',
            domain: [0.15, 20],
            ticks: SECONDS,
            tickFormat: String,
          },
          marks: [
            Plot.gridY({ ticks: SECONDS, stroke: theme.grid, strokeOpacity: 1 }),
            ...line(computed, seconds, theme.sharpness),
            ...line(written, seconds, theme.oscillating),
            ...line(thinned, seconds, theme.convergent),
          ],
        }),
      },
      {
        title: 'Memory',
        legend,
        draw: panel({
          x: steps,
          y: { label: 'MB resident', zero: true, nice: true },
          marks: [
            grid,
            ...line(computed, ({ memory }) => memory, theme.sharpness),
            ...line(written, ({ memory }) => memory, theme.oscillating),
            ...line(thinned, ({ memory }) => memory, theme.convergent),
          ],
        }),
      },
      {
        title: 'Columns',
        legend: [{ label: 'five million steps', color: theme.oscillating, kind: 'line' as const }],
        draw: panel({
          x: { label: 'columns', ticks: [1, 4, 8, 12, 18] },
          y: { label: 'seconds', zero: true, nice: true },
          marks: [grid, ...line(columns, seconds, theme.oscillating)],
        }),
      },
      {
        title: 'Runs',
        legend: [{ label: 'a thousand steps each', color: theme.sharpness, kind: 'line' as const }],
        draw: panel({
          x: { type: 'log' as const, label: 'runs', tickFormat: '~s', ticks: [100, 1e3, 1e4, 1e5] },
          y: { label: 'seconds', zero: true, nice: true },
          marks: [grid, ...line(runs, seconds, theme.sharpness)],
        }),
      },
      {
        title: 'Width',
        legend: [{ label: 'a thousand steps', color: theme.convergent, kind: 'line' as const }],
        draw: panel({
          x: { label: 'units a layer' },
          y: { label: 'seconds', zero: true, nice: true },
          marks: [grid, ...line(widths, seconds, theme.convergent)],
        }),
      },
    ],
  };
}
