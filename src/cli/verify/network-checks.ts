import { jsonObject } from '../../pipeline/formats/table-file.ts';
import {
  type NetworkSetup,
  networkOptions,
  networkWork,
  setupNetwork,
} from '../../pipeline/models/network/config.ts';
import { createNetwork, type Network } from '../../pipeline/models/network/network.ts';
import { createRandom } from '../../pipeline/numeric/random.ts';
import { dot, norm } from '../../pipeline/numeric/vectors.ts';
import {
  EDGE_SHARE,
  type NetworkAt,
  networkSteps,
} from '../../pipeline/sources/descent/network-descent.ts';
import { type CheckResult, contradictions, doesNotApply } from '../../pipeline/theory/check.ts';
import type { TableReader } from '../inspect/table-reader.ts';

const CHECKS = {
  gradient:
    'at steps all over the run, the loss and the norm of its gradient are those in the file, and ' +
    'the gradient is what differences of the loss come to',
  curvature:
    'at the same steps, products with the Hessian are what differences of gradients come to, and ' +
    'a search that begins with nothing finds the largest eigenvalue in the file, to 1e-5',
  'energy-split':
    'in every row l1 + l2 is the loss, eigenvalues fall, and edge_directions counts those over ' +
    `${EDGE_SHARE} of the threshold`,
} as const;

/** Steps that are looked at. */
const LOOKS = 6;
/** Relative rounding of what is computed once more. */
const ROUNDING = 1e-9;
/** What differences of the loss and of gradients, and an eigenvalue, may be off by. */
const SLOPE_ERROR = 1e-6;
const BEND_ERROR = 1e-5;
const SPECTRUM_ERROR = 1e-5;
/** Eigenvalues that are searched for. */
const SEARCHED = 8;
/** Half-widths of differences: one that is right is enough, since kinks spoil wide ones. */
const WIDTHS = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
/** Differences are taken this far off the run: a ReLU may stand in its kink there for ever. */
const ASIDE = 1e-2;
const POINTS = 3;

type Rows = Readonly<Record<string, Float64Array>>;

/**
 * Checks the file of a network in other ways than it was made in.
 * @param most work that it may take, in steps of the minimal model
 */
export async function networkChecks(
  table: TableReader,
  most: number,
): Promise<readonly CheckResult[]> {
  const said = jsonObject(table.metadata['eos.config'])!;
  const rows = await rowsOf(table);
  const split = result('energy-split', wrongSplit(rows, said.eigenvalues));
  const steps = chosenSteps(rows, most / networkWork(said));
  if (steps.size === 0) return [split];
  const gradient: string[] = [];
  const curvature: string[] = [];
  const last = Math.max(...steps.keys());
  const setup = setupNetwork(networkOptions(said));
  for (const at of networkSteps(setup)) {
    const row = steps.get(at.step);
    if (row !== undefined) {
      const theta = at.network.theta.slice();
      gradient.push(...wrongGradient(at, rows, row));
      curvature.push(...wrongSpectrum(at, setup, rows, row));
      const [slope, bend] = wrongEverywhere(at.network, theta, at.step);
      gradient.push(...slope);
      curvature.push(...bend);
      at.network.theta.set(theta);
    }
    if (at.step >= last) break;
  }
  const note = `looked at steps ${[...steps.keys()].join(', ')}`;
  return [result('gradient', gradient, note), result('curvature', curvature, note), split];
}

function result(
  name: keyof typeof CHECKS,
  found: readonly string[] | undefined,
  note?: string,
): CheckResult {
  const finding = found
    ? contradictions(found, note)
    : doesNotApply('columns that it takes are not in the file');
  return { name, statement: CHECKS[name], recomputed: [], ...finding };
}

async function rowsOf(table: TableReader): Promise<Rows> {
  const names = table.fields.filter(({ kind }) => kind === 'number').map(({ name }) => name);
  const rows = Object.fromEntries(names.map((name) => [name, new Float64Array(table.rows)]));
  let at = 0;
  for await (const block of table.read(names)) {
    for (const name of names)
      rows[name]!.set(
        Float64Array.from(block[name] as ArrayLike<number | null>, (value) => value ?? Number.NaN),
        at,
      );
    at += block[names[0]!]?.length ?? 0;
  }
  return rows;
}

/** The row of each step that is looked at: measured ones, from the first to the last. */
function chosenSteps({ step, sharpness }: Rows, most: number): ReadonlyMap<number, number> {
  const rows = Array.from(step ?? [], (_, row) => row).filter(
    (row) => step![row]! <= most && !(sharpness && Number.isNaN(sharpness[row])),
  );
  const chosen = Array.from({ length: LOOKS }, (_, i) =>
    rows.at(Math.round((i * (rows.length - 1)) / (LOOKS - 1))),
  ).filter((row) => row !== undefined);
  return new Map(chosen.map((row) => [step![row]!, row]));
}

/** In words, where this value of a file is not that; NaN stands for what is not there. */
function* wrongValue(
  rows: Rows,
  name: string,
  row: number,
  truth: number,
  allowed: number,
): Generator<string> {
  const own = rows[name]?.[row] ?? Number.NaN;
  if (Number.isNaN(own) || Math.abs(own - truth) <= allowed) return;
  yield `${name} at step ${rows.step![row]} is ${own}, and should be ${truth}`;
}

function* wrongGradient({ loss, network }: NetworkAt, rows: Rows, row: number): Generator<string> {
  const length = norm(network.gradient);
  yield* wrongValue(rows, 'loss', row, loss, ROUNDING * loss);
  yield* wrongValue(rows, 'grad_norm', row, length, ROUNDING * length);
}

function* wrongSpectrum(
  { network, operator }: NetworkAt,
  { layers, data, config }: NetworkSetup,
  rows: Rows,
  row: number,
): Generator<string> {
  const { activation, loss, eigenvalues } = config;
  const fresh = createNetwork({ layers, activation, loss }, data, { tracked: SEARCHED, seed: row });
  fresh.theta.set(network.theta);
  fresh.metric.set(network.metric);
  fresh.gradientAt();
  const { values, error } = fresh.track({ ...operator, tolerance: 1e-8, all: true });
  const most = values[0]!;
  const allowed = error + SPECTRUM_ERROR * Math.abs(most);
  yield* wrongValue(rows, 'sharpness', row, most, allowed);
  for (let k = 1; k < Math.min(eigenvalues, values.length); k++) {
    const own = rows[`sharpness_${k + 1}`]?.[row] ?? Number.NaN;
    // What is followed may fall short of the eigenvalue, and never lies beyond it.
    if (own > values[k]! + allowed)
      yield `sharpness_${k + 1} at step ${rows.step![row]} is ${own}, beyond ${values[k]}`;
  }
}

/** Differences at a few points around θ: at one of them a kink may be within the narrowest. */
function wrongEverywhere(
  network: Network,
  theta: Float64Array,
  step: number,
): ReturnType<typeof wrongDifferences> {
  let wrong: ReturnType<typeof wrongDifferences> = [[], []];
  for (let point = 0; point < POINTS; point++) {
    network.theta.set(theta);
    wrong = wrongDifferences(network, step, createRandom(POINTS * step + point));
    if (wrong.every((words) => words.length === 0)) break;
  }
  return wrong;
}

/** Differences along the gradient and along a random direction, a little off the run. */
function wrongDifferences(
  network: Network,
  step: number,
  random: ReturnType<typeof createRandom>,
): readonly [slope: readonly string[], bend: readonly string[]] {
  const { theta, parameters } = network;
  const direction = () => unit(Float64Array.from({ length: parameters }, () => random.normal()));
  const shift = direction();
  const point = theta.map((value, i) => value + ASIDE * shift[i]!);
  const moved = (v: Float64Array, by: number) => {
    for (let i = 0; i < parameters; i++) theta[i] = point[i]! + by * v[i]!;
  };
  moved(shift, 0);
  const loss = network.gradientAt();
  const gradient = network.gradient.slice();
  const slope: string[] = [];
  const bend: string[] = [];
  for (const v of [unit(gradient), direction()]) {
    const along = dot(v, gradient);
    const near = WIDTHS.some((h) => {
      const difference = sixth((by) => {
        moved(v, by * h);
        return network.lossAt();
      });
      const allowed = SLOPE_ERROR * norm(gradient) + (1e-13 * loss + 1e-15) / h;
      return Math.abs(difference / h - along) <= allowed;
    });
    if (!near) slope.push(`near step ${step} the loss does not change along v by v·∇L = ${along}`);

    moved(v, 0);
    network.gradientAt();
    const product = network.hessianTimes(v).slice();
    const w = direction();
    for (const u of [v, w]) {
      const curvature = dot(u, product);
      const bends = WIDTHS.some((h) => {
        const difference = sixth((by) => {
          moved(v, by * h);
          network.gradientAt();
          return dot(u, network.gradient);
        });
        const allowed = BEND_ERROR * norm(product) + (1e-13 * norm(gradient) + 1e-15) / h;
        return Math.abs(difference / h - curvature) <= allowed;
      });
      if (!bends)
        bend.push(`near step ${step} the gradient does not change along v by Hv: ${curvature}`);
    }
  }
  return [slope, bend];
}

/** f′(0), from six values around it: right up to terms of the seventh order. */
function sixth(f: (at: number) => number): number {
  return (45 * (f(1) - f(-1)) - 9 * (f(2) - f(-2)) + (f(3) - f(-3))) / 60;
}

function unit(vector: Float64Array): Float64Array {
  const length = norm(vector) || 1;
  return vector.map((value) => value / length);
}

function wrongSplit(rows: Rows, eigenvalues: unknown): readonly string[] | undefined {
  const { step, loss, l1, l2, threshold, edge_directions: directions } = rows;
  if (!step || !loss || !l1 || !l2) return undefined;
  const spectrum = Object.keys(rows)
    .filter((name) => /^sharpness(_\d)?$/.test(name))
    .sort()
    .map((name) => rows[name]!);
  const found: string[] = [];
  for (let i = 0; i < step.length && found.length < LOOKS; i++) {
    if (Number.isNaN(l1[i]!)) continue;
    const wrong = (what: string) => found.push(`at step ${step[i]} ${what}`);
    const sum = l1[i]! + l2[i]!;
    if (!(Math.abs(sum - loss[i]!) <= ROUNDING * Math.max(Math.abs(l1[i]!), loss[i]!)))
      wrong(`l1 + l2 is ${sum}, and the loss ${loss[i]}`);
    if (spectrum.some((values, k) => k > 0 && values[i]! > spectrum[k - 1]![i]!))
      wrong('an eigenvalue is larger than the one before');
    if (!threshold || !directions || spectrum.length !== eigenvalues) continue;
    const count = spectrum.filter((values) => values[i]! > EDGE_SHARE * threshold[i]!).length;
    if (directions[i] !== count)
      wrong(`edge_directions is ${directions[i]}, and ${count} eigenvalues are at the edge`);
  }
  return found;
}
