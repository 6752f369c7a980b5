// Cost of `eos stream` against the number of steps and of columns, as a table and a figure: npm run
// bench:scaling
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
  /** Steps, or columns. */
  readonly size: number;
  readonly seconds: number;
  /** Largest resident size of the process, in MB. */
  readonly memory: number;
  /** Size of the file, in MB; 0 where none is written. */
  readonly file: number;
}

const ROUNDS = 3;
const SECONDS = [0.2, 0.5, 1, 2, 5, 10];
const COLUMN_STEPS = 5_000_000;
const folder = mkdtempSync(join(tmpdir(), 'eos-scaling-'));
const out = join(folder, 'run.parquet');

/** Wall time of the whole process and its peak memory; the quickest of some rounds. */
async function cost(size: number, args: readonly string[], rounds = ROUNDS): Promise<Cost> {
  let best: Cost | undefined;
  for (let round = 0; round < rounds; round++) {
    rmSync(out, { force: true });
    const begin = performance.now();
    const child = spawn(
      process.execPath,
      [join(root, 'bin/run.js'), 'stream', '--quiet', ...args],
      {
        stdio: 'inherit',
      },
    );
    let memory = 0;
    const watch = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        memory = Math.max(memory, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000);
      } catch {
        // It has ended, or the system tells no such thing.
      }
    }, 10);
    const code = await new Promise((resolve) => child.on('exit', resolve));
    clearInterval(watch);
    if (code !== 0) throw new Error(`eos stream ${args.join(' ')} ended with code ${code}`);
    const seconds = (performance.now() - begin) / 1000;
    const file = statSync(out, { throwIfNoEntry: false })?.size ?? 0;
    if (!best || seconds < best.seconds) best = { size, seconds, memory, file: file / 1e6 };
  }
  return best!;
}

function table(title: string, costs: readonly Cost[], perStep: (cost: Cost) => number): string {
  const rows = costs.map(
    (c) =>
      `| ${c.size.toLocaleString('en-US')} | ${c.seconds.toFixed(2)} | ${(1e9 * perStep(c)).toFixed(0)} | ${c.memory.toFixed(0)} | ${c.file === 0 ? '–' : c.file.toFixed(1)} |`,
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
      await cost(steps, ['--dry-run', '--steps', String(steps)], steps > 1e7 ? 1 : ROUNDS),
    );
  }
  const written: Cost[] = [];
  for (const steps of [1e4, 1e5, 1e6, 1e7]) {
    written.push(await cost(steps, ['--out', out, '--steps', String(steps)]));
  }
  const thinned: Cost[] = [];
  for (const steps of [1e6, 1e7, 1e8]) {
    const args = ['--out', out, '--every', '1000', '--steps', String(steps)];
    thinned.push(await cost(steps, args, steps > 1e7 ? 1 : ROUNDS));
  }
  const columns: Cost[] = [];
  for (const count of [1, 2, 4, 8, 12, 17]) {
    const names = RUN_COLUMNS.slice(0, count).map(({ name }) => name);
    columns.push(
      await cost(count, [
        '--out',
        out,
        '--steps',
        String(COLUMN_STEPS),
        '--columns',
        names.join(','),
      ]),
    );
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
      '',
    ].join('\n\n'),
  );
  const wrote = (path: string) => process.stderr.write(`wrote ${path}\n`);
  await writeFigure('scaling', '', ['png'], join(root, 'bench'), wrote, (theme) =>
    draw(theme, { computed, written, thinned, columns }),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

type Series = Readonly<Record<'computed' | 'written' | 'thinned' | 'columns', readonly Cost[]>>;

function draw(theme: Theme, { computed, written, thinned, columns }: Series) {
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
      'eos stream, whole process, preset paper, quickest of three rounds (one at a hundred million steps). Left: wall time against steps. Middle: peak resident memory. Right: wall time of five million steps to Parquet against the number of columns.',
    panels: [
      {
        title: 'Time',
        legend,
        draw: panel({
          x: steps,
          y: { type: 'log' as const, label: 'seconds', ticks: SECONDS, tickFormat: String },
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
          x: { label: 'columns' },
          y: { label: 'seconds', zero: true, nice: true },
          marks: [grid, ...line(columns, seconds, theme.oscillating)],
        }),
      },
    ],
  };
}
