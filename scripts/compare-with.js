// Compares what this checkout computes with what another version of it computed: node
// scripts/compare-with.js TAG [FOLDER] Makes the runs of all presets with their dynamics, and a
// sweep, by both; and tells of each column in how many values the two differ, and by how much.
// FOLDER keeps the other version built between two calls.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [ref, kept] = process.argv.slice(2);
if (ref === undefined) throw new Error('usage: node scripts/compare-with.js TAG [FOLDER]');

const PRESETS = ['paper', 'figure3', 'three-phases', 'gradient-flow', 'plain'];
const DYNAMICS = 'gradient-flow,constrained,central';
/** What tells of the machine, not of the run. */
const CLOCKS = ['wall_seconds'];

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
    worst = 1;
    const much =
      largest < 0n
        ? 'other values'
        : `up to ${largest} ulp, ${(gap / size).toExponential(1)} of the column`;
    differing.push(`  ${column}: ${count} differ, ${much}; ${first}`);
  }
  say.push(differing.length === 0 ? 'the same to the bit' : 'differing');
  console.log(`${name}: ${say.join('; ')}`);
  for (const line of differing) console.log(line);
}

const runs = theirs.filter((name) => !name.startsWith('sweep') && ours.includes(name));
for (const name of runs)
  compare(name, await read(join(folders[0], name)), await read(join(folders[1], name)));
compare('sweep', await sweepRows(folders[0]), await sweepRows(folders[1]));
rmSync(work, { recursive: true, force: true });
process.exitCode = worst;
