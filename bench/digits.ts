import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { runBlocks } from '../src/pipeline/sweep/kernel.ts';
import type { runsToResults } from '../src/pipeline/sweep/run-result.ts';
import { root } from './machine.ts';

// What it costs to know how many digits are true: the same programs with and without, in turns, and
// a run in arithmetic of 1024 bits. Each time is the smallest of many in processes of their own, in
// processor time: whatever disturbs only adds.

const OURS = join(root, 'dist/pipeline');
const BARE = join(root, 'dist/bare');
const PROCESSES = 9;
const ROUNDS = 5;

/** A copy of the built pipeline without the shadow, and without a sweep's second look. */
function makeBare(): void {
  rmSync(BARE, { recursive: true, force: true });
  cpSync(OURS, BARE, { recursive: true });
  change('models/minimal/descend.js', [
    [/const rises =[\s\S]*?(?=const until)/, ''],
    [/const shadowBeta1 =[\s\S]*?(?=mantissa \*= factor;)/, ''],
    [/(let )?shadowFactor = [^;]*;/g, ''],
    [/shadowMantissa \*= (HUGE|tiny);/g, ''],
    [/shadowMantissa = \+unscaled\(shadowMantissa, exponent\);/, ''],
    [/if \(exponent === 0 && Math\.abs\(shadowMantissa\) < floor\)\s*shadowMantissa = [^;]*;/, ''],
    [/moves =\s[^;]*;/, 'moves = false;'],
  ]);
  change('sweep/summary-kernel.js', [[/run\.lastWide >= 0 && run\.lastEdge >= 0/, 'false']]);
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

/** Smallest processor time of a work in this process, in seconds. */
async function timed(folder: string, work: Work): Promise<number> {
  const files = ['sweep/kernel.js', 'sweep/run-result.js', 'models/minimal/config.js'];
  const modules = await Promise.all(files.map((file) => import(join(folder, file))));
  const built = Object.assign({}, ...modules) as Built;
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage().user;
    WORKS[work](built);
    least = Math.min(least, (process.cpuUsage().user - start) / 1e6);
  }
  return least;
}

/** Smallest times of both, in processes in turn. */
function compared(work: Work): readonly [number, number] {
  const times = Array.from({ length: PROCESSES }, () => [
    inProcess(OURS, work),
    inProcess(BARE, work),
  ]);
  return [Math.min(...times.map(([a]) => a!)), Math.min(...times.map(([, b]) => b!))];
}

function inProcess(folder: string, work: Work): number {
  const { stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), folder, work]);
  return Number(stdout.toString());
}

function compareAll(): void {
  makeBare();
  const share = (work: Work) => {
    const [ours, bare] = compared(work);
    return ours / bare - 1;
  };
  const percent = (value: number) => `${(value * 100).toFixed(1)} %`;
  const [run, sweep, grid] = [share('run'), share('sweep'), share('grid')];
  const precise = inProcess(OURS, 'precise');
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

const [folder, work] = process.argv.slice(2);
if (folder) console.log(await timed(folder, work as Work));
else compareAll();
