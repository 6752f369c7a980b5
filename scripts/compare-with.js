// Compares what this checkout computes with what another version of it computed:
//
//     node scripts/compare-with.js TAG [FOLDER]
//
// Makes the runs of all presets with their dynamics, a sweep, and the data of the figures, by both;
// and tells of each column in how many values the two differ, and by how much. What was changed on
// purpose since the tag `old-house` is named with its reason; anything else is a failure. FOLDER
// keeps the other version built between two calls.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [ref, kept] = process.argv.slice(2);
if (ref === undefined) throw new Error('usage: node scripts/compare-with.js TAG [FOLDER]');

const PRESETS = ['paper', 'figure3', 'three-phases', 'gradient-flow', 'plain'];
const DYNAMICS = 'gradient-flow,constrained,central';
/** What tells of the machine, not of the run. */
const CLOCKS = ['wall_seconds'];

/**
 * What differs on purpose: in files of these names, columns of these names, up to this part of the
 * column's largest value.
 */
const MEANT = [
  {
    file: /./,
    column: /^log10_abs_beta1$/,
    most: 3e-16,
    why: 'logarithms are our own, which every engine rounds alike',
  },
  {
    file: /\.constrained\./,
    column: /^grad_norm$/,
    most: 5e-16,
    why: 'lengths of vectors are computed in code of our own, not by Math.hypot',
  },
  {
    file: /^plain\.parquet$/,
    column: /^(beta1|l1)$/,
    most: 1e-100,
    why: 'the factor 1 − ηλ₁α² is right to a last place of itself, also where it cancels',
  },
  {
    file: /^(three-phases\.parquet|sweep|figure 3)$/,
    column: /./,
    most: 5e-12,
    why: 'near a minimum αβ₂ − 1 is carried along; it was lost in a difference of equal numbers',
  },
  {
    file: /\.gradient-flow\.|\.central\.|^figure 4$/,
    column: /./,
    most: 3e-7,
    why: 'gradient flow is right to 1e-9; its first Newton iteration was accepted unseen',
  },
  {
    file: /^figure 3$/,
    column: /^(upper|lower)$/,
    why: 'the bounds of figure 3 take the steps up to their own alone; they looked ahead',
  },
  { file: /^sweep$/, column: /^run_id$/, why: 'a run is named by more parameters' },
  { file: /^sweep$/, column: /^warnings$/, why: 'chaotic runs are warned of' },
];

const SWEEP = '--eta 0.02:0.5:log:8 --lambda2 0.005:0.5:log:6 --steps 20000'.split(' ');

const work = mkdtempSync(join(tmpdir(), 'eos-compare-'));
const other = kept ?? join(work, 'other');
if (!existsSync(join(other, 'bin/run.js'))) {
  mkdirSync(other, { recursive: true });
  const archive = execFileSync('git', ['archive', ref], { cwd: root, maxBuffer: 2 ** 30 });
  execFileSync('tar', ['x', '-C', other], { input: archive });
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: other,
    stdio: 'inherit',
  });
}

/** Files of this version and of the other one, made by the same commands. */
function make(version, folder) {
  mkdirSync(folder);
  const eos = (...args) =>
    execFileSync(process.execPath, [join(version, 'bin/run.js'), ...args, '--quiet'], {
      cwd: folder,
    });
  for (const preset of PRESETS)
    eos('stream', '--preset', preset, '--out', `${preset}.parquet`, '--also', DYNAMICS);
  eos('stream', '--every', '50', '--out', 'thinned.parquet');
  eos('sweep', ...SWEEP, '--out', 'sweep');
}

const folders = [join(work, 'theirs'), join(work, 'ours')];
make(other, folders[0]);
make(root, folders[1]);

const files = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.parquet'))
    .sort();

async function read(path) {
  const file = await asyncBufferFromFile(path);
  const rows = await parquetReadObjects({ file, compressors });
  const { schema } = await parquetMetadataAsync(file);
  return { rows, columns: schema.slice(1).map(({ name }) => name) };
}

/** A double as an integer that grows with it, so that neighbours differ by one. */
function rank(value) {
  const bits = new BigInt64Array(Float64Array.of(value).buffer)[0];
  return bits < 0n ? -(bits & 0x7fff_ffff_ffff_ffffn) : bits;
}

/**
 * Distance of two values: 0 where they are the same to the bit, undefined where no number tells it.
 */
function distance(a, b) {
  if (Object.is(a, b) || (a == null && b == null)) return 0n;
  // What was not measured is NULL now.
  if ((Number.isNaN(a) && b === null) || (a === null && Number.isNaN(b))) return 0n;
  if (typeof a !== 'number' || typeof b !== 'number') return undefined;
  const apart = rank(a) - rank(b);
  return apart < 0n ? -apart : apart;
}

let worst = 0;
const reasons = new Map();
const [theirs, ours] = folders.map(files);
const gone = theirs.filter((name) => !ours.includes(name) && !name.startsWith('sweep'));
if (gone.length > 0) {
  console.log(`files that are not made any more: ${gone.join(', ')}`);
  worst = 1;
}

/** The runs of a sweep in the order of their cells, whatever parts they came in. */
async function sweepRows(folder) {
  const names = files(join(folder, 'sweep'));
  const parts = await Promise.all(names.map((name) => read(join(folder, 'sweep', name))));
  const rows = parts.flatMap((part) => part.rows);
  rows.sort((a, b) => a.eta - b.eta || a.lambda2 - b.lambda2);
  return { rows, columns: parts[0]?.columns ?? [] };
}

function compare(name, before, after) {
  const lost = before.columns.filter((column) => !after.columns.includes(column));
  const added = after.columns.filter((column) => !before.columns.includes(column));
  const say = [`${before.rows.length} rows`];
  if (after.rows.length !== before.rows.length) {
    say.push(`${after.rows.length} now`);
    worst = 1;
  }
  if (lost.length > 0) {
    say.push(`columns lost: ${lost.join(' ')}`);
    worst = 1;
  }
  if (added.length > 0) say.push(`new columns: ${added.join(' ')}`);
  const differing = [];
  const shared = before.columns.filter(
    (each) => after.columns.includes(each) && !CLOCKS.includes(each),
  );
  for (const column of shared) {
    let count = 0;
    let largest = 0n;
    let gap = 0;
    let size = 0;
    let first;
    for (const [i, row] of before.rows.entries()) {
      const [a, b] = [row[column], after.rows[i]?.[column]];
      const apart = distance(a, b);
      if (Number.isFinite(a)) size = Math.max(size, Math.abs(a));
      if (apart === 0n) continue;
      count++;
      first ??= `row ${i}: ${a} was, ${b} now`;
      gap = Math.max(gap, Math.abs(a - b) || 0);
      if (apart === undefined) largest = -1n;
      else if (largest >= 0n && apart > largest) largest = apart;
    }
    if (count === 0) continue;
    const share = largest < 0n ? Number.POSITIVE_INFINITY : gap / size;
    const much =
      largest < 0n
        ? 'other values'
        : `up to ${largest} ulp, ${share.toExponential(1)} of the column`;
    const meant = MEANT.find(
      (rule) => rule.file.test(name) && rule.column.test(column) && share <= (rule.most ?? share),
    );
    if (meant) reasons.set(meant, (reasons.get(meant) ?? 0) + 1);
    else worst = 1;
    differing.push(`  ${column}: ${count} differ, ${much}; ${meant ? 'meant' : first}`);
  }
  say.push(differing.length === 0 ? 'the same to the bit' : 'differing');
  console.log(`${name}: ${say.join('; ')}`);
  for (const line of differing) console.log(line);
}

const runs = theirs.filter((name) => !name.startsWith('sweep') && ours.includes(name));
for (const name of runs)
  compare(name, await read(join(folders[0], name)), await read(join(folders[1], name)));
compare('sweep', await sweepRows(folders[0]), await sweepRows(folders[1]));

/**
 * What figures 3 and 4 draw beside the columns of their runs; that of figure 5 is in the files of
 * dynamics.
 */
async function figureData(version) {
  const load = (path) => import(pathToFileURL(join(version, 'dist/cli', path)).href);
  const { makeRun } = await load('verify/run-preset.js');
  const { solutionBounds } = await load('figures/figure3.js');
  const { flowsFrom } = await load('figures/figure4.js');
  const { upper, lower } = solutionBounds(await makeRun({ preset: 'figure3' }));
  const flows = flowsFrom(await makeRun({ preset: 'paper' }), 12);
  const points = flows.flatMap(({ points, end }) => [
    points[0],
    points.at(-1),
    ...(end ? [end] : []),
  ]);
  return [
    {
      rows: Array.from(upper, (value, i) => ({ upper: value, lower: lower[i] })),
      columns: ['upper', 'lower'],
    },
    { rows: points, columns: ['alpha', 'beta1', 'beta2'] },
  ];
}

const [before, after] = [await figureData(other), await figureData(root)];
compare('figure 3', before[0], after[0]);
compare('figure 4', before[1], after[1]);
for (const [{ why }, count] of reasons) console.log(`meant in ${count} columns: ${why}`);
console.log(worst === 0 ? 'all that differs is meant' : 'something differs that is not named');
rmSync(work, { recursive: true, force: true });
process.exitCode = worst;
