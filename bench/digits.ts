import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { runBlocks } from '../src/pipeline/sweep/kernel.ts';
import type { runToResult } from '../src/pipeline/sweep/run-result.ts';
import { root } from './machine.ts';

// What it costs to know how many digits are true: the same programs with and without, in turns in one process, and a run
// in arithmetic of 1024 bits. Processor time, so that other programs disturb little.

const OURS = join(root, 'dist/pipeline');
const BARE = join(root, 'dist/bare');
const ROUNDS = 9;

/** A copy of the built pipeline without the shadow, and without a sweep's second look. */
function makeBare(): void {
  rmSync(BARE, { recursive: true, force: true });
  cpSync(OURS, BARE, { recursive: true });
  change('models/minimal/descend.js', [
    [/if \(moves \|\|[\s\S]*?\n(\s*)digits\[i\] = told;\n/, 'digits[i] = 15;\n'],
    [/if \(\(\(first \+ i\)[\s\S]*?\n {8}\}\n/, ''],
    [/const before = shadowMantissa;[\s\S]*?(?=mantissa \*= factor;)/, ''],
    [/shadowMantissa \*= (HUGE|TINY);/g, ''],
    [/shadowMantissa = unscaled\(shadowMantissa, exponent\);/, ''],
    [/if \(exponent === 0 && Math\.abs\(shadowMantissa\) < floor\)\s*shadowMantissa = [^;]*;/, ''],
    [/rests &&= [^;]*;\s*turns = [^;]*;\s*\/\/[^\n]*\s*moves =[^;]*;/, ''],
  ]);
  change('sweep/summary-kernel.js', [[/const WIDE = [\d.]+/, 'const WIDE = Infinity']]);
}

function change(file: string, parts: readonly (readonly [RegExp, string])[]): void {
  let text = readFileSync(join(BARE, file), 'utf8');
  for (const [from, to] of parts) {
    if (text.search(from) < 0) throw new Error(`${file} no longer has ${from}`);
    text = text.replace(from, to);
  }
  writeFileSync(join(BARE, file), text);
}

/** Median of the ratios of both, run in turns. */
function ratio(ours: () => void, bare: () => void): number {
  ours();
  bare();
  const ratios = Array.from({ length: ROUNDS }, () => seconds(ours) / seconds(bare));
  return ratios.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

function seconds(work: () => void): number {
  const start = process.cpuUsage().user;
  work();
  return (process.cpuUsage().user - start) / 1e6;
}

interface Built {
  readonly runBlocks: typeof runBlocks;
  readonly runToResult: typeof runToResult;
}

const load = async (folder: string): Promise<Built> => ({
  ...((await import(join(folder, 'sweep/kernel.js'))) as Pick<Built, 'runBlocks'>),
  ...((await import(join(folder, 'sweep/run-result.js'))) as Pick<Built, 'runToResult'>),
});

makeBare();
const [ours, bare] = [await load(OURS), await load(BARE)];
const { resolveConfig } = (await import(
  join(OURS, 'models/minimal/config.js')
)) as typeof import('../src/pipeline/models/minimal/config.ts');

const pipeline = (built: Built, options: object) => () => {
  for (const { length } of built.runBlocks(options)) if (length < 0) throw new Error();
};
const million = { steps: 1_000_000 };
const shadow = ratio(pipeline(ours, million), pipeline(bare, million));
const configs = Array.from({ length: 200 }, (_, i) =>
  resolveConfig({ lambda2: 0.1, eta: 0.01 + 0.0005 * i, steps: 10_000 }),
);
const sweep = (built: Built) => () => {
  for (const config of configs) built.runToResult(config);
};
const second = ratio(sweep(ours), sweep(bare));
const precise = seconds(pipeline(ours, { precision: '1024' }));
rmSync(BARE, { recursive: true });

const share = (value: number) => `${((value - 1) * 100).toFixed(1)} %`;
const goals = [
  ['shadow in a run of a million steps, all columns', share(shadow), shadow <= 1.15, '15 %'],
  ['digits in a sweep of 200 runs', share(second), second <= 1.1, '10 %'],
  ['10,000 steps in 1024 bits', `${precise.toFixed(2)} s`, precise <= 1, '1 s'],
] as const;
for (const [what, value, met, most] of goals)
  console.log(`${what}: ${value} (at most ${most}${met ? '' : ': NOT MET'})`);
if (goals.some(([, , met]) => !met)) process.exitCode = 1;
