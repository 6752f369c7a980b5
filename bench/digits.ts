import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { runBlocks } from '../src/pipeline/sweep/kernel.ts';
import type { runsToResults } from '../src/pipeline/sweep/run-result.ts';
import { root } from './machine.ts';

// What it costs to know how many digits are true: the same programs with and without, in turns, and
// a run in arithmetic of 1024 bits. Each share is the median over rounds of both, in processor
// time: what disturbs for longer than a round disturbs both.

const OURS = join(root, 'dist/pipeline');
const BARE = join(root, 'dist/bare');
const PROCESSES = 6;
const ROUNDS = 12;

/** A copy of the built pipeline without the shadow, and without a sweep's second look. */
function makeBare(): void {
  rmSync(BARE, { recursive: true, force: true });
  cpSync(OURS, BARE, { recursive: true });
  change('sweep/summary-kernel.js', [[/run\.lastWide >= 0 && run\.lastEdge >= 0/, 'false']]);
  compileBare('models/minimal', 'descend.ts', [
    [/if \(rises && [\s\S]*?(?=const until)/, ''],
    [/const shadowBeta1 =[\s\S]*?(?=mantissa \*= factor;)/, ''],
    [/const apart = [\s\S]*?(?=const beside)/, ''],
    [/const beside = apart[^;]*;/, ''],
    [/(let )?shadowFactor = [^;]*;/g, ''],
    [/shadowMantissa \*= (HUGE|TINY);/g, ''],
    [/shadowMantissa = unscaled\(shadowMantissa, exponent\);/, ''],
    [/if \(exponent == 0 && abs\(shadowMantissa\) < floor\)\s*shadowMantissa = [^;]*;/, ''],
    [/\b(keep|tellDigits)\([^;]*;/g, ''],
    [/if \(decoupled\)\s*moves =\s[^;]*;/, ''],
  ]);
  // The kernel of sweeps looks at no row for how wide it swings.
  compileBare('sweep', 'index.ts', [[/const WIDE: f64 = 1.4;/, 'const WIDE: f64 = Infinity;']]);
}

/** Compiles the kernel of a folder with one of its files changed. */
function compileBare(
  folder: string,
  file: string,
  parts: readonly (readonly [RegExp, string])[],
): void {
  cpSync(join(root, 'src/pipeline', folder, 'kernel'), join(BARE, folder, 'kernel'), {
    recursive: true,
  });
  change(join(folder, 'kernel', file), parts);
  const script = join(root, 'scripts/kernel.js');
  const args = [script, relative(root, join(BARE, folder))];
  spawnSync(process.execPath, args, { stdio: 'inherit' });
  const bytes = readFileSync(join(BARE, folder, 'kernel-bytes.ts'), 'utf8');
  writeFileSync(join(BARE, folder, 'kernel-bytes.js'), bytes.replace(': string', ''));
}

function change(file: string, parts: readonly (readonly [RegExp, string])[]): void {
  let text = readFileSync(join(BARE, file), 'utf8');
  for (const [from, to] of parts) {
    if (text.search(from) < 0) throw new Error(`${file} no longer has ${from}`);
    text = text.replace(from, to);
  }
  writeFileSync(join(BARE, file), text);
}

const WORKS = {
  run: ({ runBlocks }: Built) => rows(runBlocks({ steps: 1_000_000 })),
  sweep: (built: Built) => sweep(built, (i) => ({ lambda2: 0.1, eta: 0.01 + 0.0005 * i })),
  grid: (built: Built) =>
    sweep(built, (i) => ({
      lambda2: 0.001 * 1000 ** ((i % 10) / 9),
      eta: 0.01 * 50 ** (i / 10 / 20),
    })),
  precise: ({ runBlocks }: Built) => rows(runBlocks({ precision: '1024' })),
} as const;

type Work = keyof typeof WORKS;

interface Built {
  readonly runBlocks: typeof runBlocks;
  readonly runsToResults: typeof runsToResults;
  readonly resolveConfig: typeof import('../src/pipeline/models/minimal/config.ts').resolveConfig;
}

/** 200 runs of 10,000 steps. */
function sweep(
  { runsToResults, resolveConfig }: Built,
  parameters: (i: number) => { readonly lambda2: number; readonly eta: number },
): void {
  const configs = Array.from({ length: 200 }, (_, i) =>
    resolveConfig({ ...parameters(i), steps: 10_000 }),
  );
  for (const { result } of runsToResults(configs)) if (!result) throw new Error();
}

function rows(blocks: ReturnType<typeof runBlocks>): void {
  for (const { length } of blocks) if (length < 0) throw new Error();
}

/** Processor times of a work in this process, in seconds: of folders in turn, in rounds. */
async function timed(folders: readonly string[], work: Work): Promise<number[][]> {
  const all = await Promise.all(folders.map(load));
  return Array.from({ length: ROUNDS }, () =>
    all.map((built) => {
      const start = processorTime();
      WORKS[work](built);
      return processorTime() - start;
    }),
  );
}

/** In seconds. Both together, since what is whose is told by ticks alone. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function load(folder: string): Promise<Built> {
  const files = ['sweep/kernel.js', 'sweep/run-result.js', 'models/minimal/config.js'];
  const modules = await Promise.all(files.map((file) => import(join(folder, file))));
  return Object.assign({}, ...modules) as Built;
}

/** Rounds of several processes, each of which begins with another folder than the last. */
function rounds(work: Work, folders: readonly string[]): number[][] {
  return Array.from({ length: PROCESSES }, (_, i) => {
    const inOrder = (all: readonly number[]) => (i % 2 === 0 ? all.slice() : all.toReversed());
    const order = i % 2 === 0 ? folders : folders.toReversed();
    const program = [fileURLToPath(import.meta.url), work, ...order];
    const { stdout } = spawnSync(process.execPath, program);
    return (JSON.parse(stdout.toString()) as number[][]).map(inOrder);
  }).flat();
}

/** What the shadow adds to a work. */
function share(work: Work): number {
  return median(rounds(work, [OURS, BARE]).map(([ours, bare]) => ours! / bare!)) - 1;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function compareAll(): void {
  makeBare();
  const percent = (value: number) => `${(value * 100).toFixed(1)} %`;
  const [run, sweep, grid] = [share('run'), share('sweep'), share('grid')];
  const precise = median(rounds('precise', [OURS]).flat());
  rmSync(BARE, { recursive: true });
  const goals = [
    ['shadow in a run of a million steps, all columns', percent(run), run <= 0.15, '15 %'],
    ['digits in a sweep of 200 runs over η', percent(sweep), sweep <= 0.1, '10 %'],
    ['digits in a sweep of 200 runs over η and λ₂', percent(grid), grid <= 0.1, '10 %'],
    ['10,000 steps in 1024 bits', `${precise.toFixed(2)} s`, precise <= 1, '1 s'],
  ] as const;
  for (const [what, value, met, most] of goals)
    console.log(`${what}: ${value} (at most ${most}${met ? '' : ': NOT MET'})`);
  if (goals.some(([, , met]) => !met)) process.exitCode = 1;
}

const [work, ...folders] = process.argv.slice(2);

if (work) console.log(JSON.stringify(await timed(folders, work as Work)));
else compareAll();
