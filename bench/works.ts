import { join, relative } from 'node:path';
import { type Part, root } from './machine.ts';

/** A program that does a work. */
export interface Contender {
  readonly name: string;
  readonly command: (steps: number, out: string) => readonly string[];
  readonly needs: readonly Part[];
  /** Runs only so many steps, and its time is scaled up to those of the work. */
  readonly steps?: number;
}

/** Ours must be at least `factor` times as fast as a peer. */
export interface Goal {
  readonly peer: string;
  readonly factor: number;
  /** Which of ours; the first unless named. */
  readonly of?: string;
}

/** The same work for several programs; the first is ours. */
export interface Work {
  readonly name: string;
  readonly title: string;
  readonly steps: number;
  /** What is timed: the work by the program's own clock, or the whole process. */
  readonly clock: 'own' | 'process';
  /** Every program leaves a run file, and they are compared. */
  readonly writes: boolean;
  /** All programs on one and the same core. */
  readonly oneCore: boolean;
  readonly contenders: readonly Contender[];
  readonly goals: readonly Goal[];
  /**
   * How far numbers of the contenders may differ, relatively, where not as far as those of peers.
   */
  readonly tolerance?: number;
}

const compiled = (file: string) => join(root, 'dist-bench/bench', file);
export const kernel = join(root, 'dist-bench/kernel');
const python = (file: string) => [join(root, '.venv/bin/python'), join(root, 'bench/peers', file)];
const eos = (...args: string[]) => [process.execPath, join(root, 'bin/run.js'), ...args];

/** λ₂ of the paper; and ten times that for the sweep, where more runs then get to their end. */
const PAPER = '0.01';
const SWEEP = '0.1';

/** The works, at full size or a tenth of it. */
export function works(quick: boolean): readonly Work[] {
  const size = (steps: number) => (quick ? steps / 10 : steps);
  const runs = size(10_000);
  const streams = (steps: number): readonly Contender[] => [
    {
      name: 'eos stream',
      command: (n, out) =>
        eos(
          'stream',
          '--out',
          out,
          '--quiet',
          '--force',
          ...(n === 10_000 ? [] : ['--steps', String(n)]),
        ),
      needs: [],
    },
    {
      name: 'numba + pyarrow',
      command: (n, out) => [...python('numba_pyarrow.py'), 'W2', String(n), PAPER, out],
      needs: ['numba'],
    },
    {
      name: 'NumPy + pandas',
      command: (n, out) => [...python('numpy_pandas.py'), 'W2', String(n), PAPER, out],
      needs: ['pandas'],
      ...(steps > 1_000_000 ? { steps: 1_000_000 } : {}),
    },
    {
      name: 'plain Python + pandas',
      command: (n, out) => [...python('python_loop.py'), 'W2', String(n), PAPER, out],
      needs: ['pandas'],
      ...(steps > 200_000 ? { steps: 200_000 } : {}),
    },
  ];

  return [
    {
      name: 'W1',
      title: 'all columns of a run, no file',
      steps: size(20_000_000),
      clock: 'own',
      writes: false,
      oneCore: false,
      contenders: [
        {
          name: 'eos kernel',
          command: (n) => [process.execPath, compiled('ours.js'), 'W1', String(n), PAPER],
          needs: [],
        },
        {
          name: 'eos pipeline',
          command: (n) => [process.execPath, compiled('ours.js'), 'W1-rx', String(n), PAPER],
          needs: [],
        },
        { name: 'C', command: (n) => [kernel, 'W1', String(n), PAPER], needs: ['cc'] },
        {
          name: 'numba + NumPy',
          command: (n) => [...python('numba_pyarrow.py'), 'W1', String(n), PAPER],
          needs: ['numba'],
          steps: size(5_000_000),
        },
        {
          name: 'JAX',
          command: (n) => [...python('jax_scan.py'), 'W1', String(n), PAPER],
          needs: ['jax'],
          steps: size(1_000_000),
        },
        {
          name: 'rxjs, an object a step',
          command: (n) => [
            process.execPath,
            compiled('peers/rxjs-objects.js'),
            'W1',
            String(n),
            PAPER,
          ],
          needs: [],
          steps: size(2_000_000),
        },
        {
          name: 'rxjs, fields written out',
          command: (n) => [
            process.execPath,
            compiled('peers/rxjs-fields.js'),
            'W1',
            String(n),
            PAPER,
          ],
          needs: [],
          steps: size(2_000_000),
        },
      ],
      goals: [
        { peer: 'C', factor: 0.75, of: 'eos pipeline' },
        { peer: 'rxjs, an object a step', factor: 20 },
      ],
    },
    {
      name: 'W2',
      title: 'a long run into a Parquet file, whole process',
      steps: size(5_000_000),
      clock: 'process',
      writes: true,
      oneCore: false,
      contenders: streams(size(5_000_000)),
      goals: [
        { peer: 'numba + pyarrow', factor: 2 },
        { peer: 'NumPy + pandas', factor: 1 },
        { peer: 'plain Python + pandas', factor: 8 },
      ],
    },
    {
      name: 'W3',
      title: `${runs} runs of 10000 steps, a summary of each, on one core`,
      steps: runs * 10_000,
      clock: 'own',
      writes: false,
      oneCore: true,
      contenders: [
        {
          name: 'eos pipeline',
          command: (n) => [
            process.execPath,
            compiled('ours.js'),
            'W3',
            '10000',
            SWEEP,
            String(n / 10_000),
          ],
          needs: [],
        },
        {
          name: 'C',
          command: (n) => [kernel, 'W3', '10000', SWEEP, String(n / 10_000)],
          needs: ['cc'],
        },
        {
          name: 'C, S only in doubt',
          command: (n) => [kernel, 'W3-bounds', '10000', SWEEP, String(n / 10_000)],
          needs: ['cc'],
        },
        {
          name: 'JAX',
          command: (n) => [...python('jax_scan.py'), 'W3', '10000', SWEEP, String(n / 10_000)],
          needs: ['jax'],
        },
      ],
      goals: [
        { peer: 'C, S only in doubt', factor: 0.9 },
        { peer: 'JAX', factor: 2.5 },
      ],
    },
    {
      name: 'W4',
      title: 'the default run into a Parquet file, whole process',
      steps: 10_000,
      clock: 'process',
      writes: true,
      oneCore: false,
      contenders: streams(10_000),
      goals: [
        { peer: 'NumPy + pandas', factor: 1.5 },
        { peer: 'plain Python + pandas', factor: 1 },
      ],
    },
    {
      name: 'W5',
      title: '--help, whole process',
      steps: 0,
      clock: 'process',
      writes: false,
      oneCore: false,
      contenders: [
        { name: 'eos --help', command: () => eos('--help'), needs: [] },
        { name: 'node -e 0', command: () => [process.execPath, '-e', '0'], needs: [] },
      ],
      // At most 2.5 times bare Node.
      goals: [{ peer: 'node -e 0', factor: 1 / 2.5 }],
    },
  ];
}

/** An older version may be at most 5 % quicker. */
const NO_SLOWER = 0.95;
/** Near a minimum older versions had few digits; `scripts/compare-with.js` names what differs. */
const OLDER_DIGITS = 1e-3;

/**
 * These works by this version and by an older one that stands, built, in a folder of its own: whole
 * processes, and no peers.
 */
export function againstOlder(all: readonly Work[], folder: string): readonly Work[] {
  const there = (part: string) =>
    part.startsWith(root) ? join(folder, relative(root, part)) : part;
  return all.map((work) => {
    const ours = work.contenders.filter(({ name }) => name.startsWith('eos '));
    const older = ours.map((contender) => ({
      ...contender,
      name: `older ${contender.name}`,
      command: (steps: number, out: string) => contender.command(steps, out).map(there),
    }));
    const goals = ours.map(({ name }) => ({ peer: `older ${name}`, factor: NO_SLOWER, of: name }));
    const contenders = [...ours, ...older];
    return { ...work, clock: 'process', contenders, goals, tolerance: OLDER_DIGITS };
  });
}
