import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createSeriesDetector } from '../../../src/pipeline/phases/measured/detector.ts';
import type { SeriesPhase, SeriesSpan } from '../../../src/pipeline/phases/measured/phase-spans.ts';
import { generator, normal } from './small-network.ts';

/** A series as a log would hold it: NaN is missing. */
export interface Series {
  readonly step: readonly number[];
  readonly loss: readonly number[];
  readonly sharpness: readonly number[];
  readonly threshold: readonly number[];
}

/** What is true of a trained network. */
export interface Truth {
  readonly name: string;
  readonly outcome: 'edge' | 'left' | 'never' | 'diverged';
  readonly edgeFrom: number | null;
  readonly leftAt: number | null;
  /** Phases that may be found besides the edge. */
  readonly also: readonly SeriesPhase[];
  readonly series: Series;
}

/** How each was trained: threshold times η, and η where the log does not have it in a column. */
const NETWORKS: readonly {
  readonly name: string;
  readonly factor?: number;
  readonly eta?: number;
}[] = [
  { name: 'adam2', factor: 38, eta: 0.004 },
  { name: 'tanh_mse', eta: 0.4 },
  { name: 'relu_mse', eta: 0.3 },
  { name: 'drop' },
  { name: 'warmup' },
  { name: 'gelu_ce', eta: 0.5 },
  { name: 'lin_edge', eta: 0.13 },
  { name: 'sgd30', eta: 0.4 },
  { name: 'tcnn_relu_ce', eta: 0.35 },
  { name: 'smalleta', eta: 0.05 },
  { name: 'diverge', eta: 0.93 },
  { name: 'catapult', eta: 0.33 },
];

interface Label {
  readonly outcome: string;
  readonly edge_from: number | null;
  readonly left_at: number | null;
}

/** What came of a training, by its label alone. */
function outcomeOf({ outcome, edge_from, left_at }: Label): Truth['outcome'] {
  if (outcome.startsWith('diverged')) return 'diverged';
  if (edge_from === null) return 'never';
  return left_at === null ? 'edge' : 'left';
}

/**
 * Phases that may be found besides the edge: by its label, and by whether it started over the
 * threshold.
 */
function alsoOf(label: Label, startedOver: boolean): SeriesPhase[] {
  const outcome = outcomeOf(label);
  return [
    'progressive-sharpening',
    ...(startedOver ? (['catapult'] as const) : []),
    ...(outcome === 'left' ? (['convergence'] as const) : []),
    ...(outcome === 'diverged' ? (['diverged'] as const) : []),
  ];
}

const folder = join(import.meta.dirname, 'truth');

/** The trained networks, at full resolution, with the truth. */
export function trainedNetworks(): Truth[] {
  const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as Record<
    string,
    Label
  >;
  return NETWORKS.map(({ name, factor = 2, eta }) => {
    const text = gunzipSync(readFileSync(join(folder, `${name}.csv.gz`))).toString();
    const rows = text
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').map((cell) => (cell === '' ? Number.NaN : Number(cell))));
    const series: Series = {
      step: rows.map((row) => row[0]!),
      loss: rows.map((row) => row[1]!),
      sharpness: rows.map((row) => row[2]!),
      threshold: rows.map((row) => factor / (eta ?? row[3]!)),
    };
    const label = truth[name]!;
    return {
      name,
      outcome: outcomeOf(label),
      also: alsoOf(label, series.sharpness[0]! > series.threshold[0]!),
      edgeFrom: label.edge_from,
      leftAt: label.left_at,
      series,
    };
  });
}

/** Kinds of flaws. */
export const KINDS = [
  'thinned',
  'rounded',
  'biased',
  'noisy',
  'outliers',
  'missing',
  'combined',
  'loss only',
] as const;

/** A way in which a log may be worse than the truth. */
export interface Flaw {
  readonly name: string;
  readonly kind: (typeof KINDS)[number];
  /** Share of the run by which the onset may be off. */
  readonly tolerance: number;
  readonly lossOnly?: boolean;
  readonly apply: (series: Series) => Series;
}

export function thinned(every: number): (series: Series) => Series {
  const pick = (values: readonly number[]) => values.filter((_, i) => i % every === 0);
  return ({ step, loss, sharpness, threshold }) => ({
    step: pick(step),
    loss: pick(loss),
    sharpness: pick(sharpness),
    threshold: pick(threshold),
  });
}

function withSharpness(change: (value: number, i: number) => number) {
  return (series: Series): Series => ({ ...series, sharpness: series.sharpness.map(change) });
}

function noisy(deviation: number, seed: number) {
  return (series: Series): Series => {
    const random = generator(seed);
    return withSharpness((value) => value * (1 + deviation * normal(random)))(series);
  };
}

const digits = (count: number) => (value: number) =>
  Number.isFinite(value) ? Number(value.toPrecision(count)) : value;

const rounded = (count: number) => (series: Series) => ({
  ...series,
  loss: series.loss.map(digits(count)),
  sharpness: series.sharpness.map(digits(count)),
});

const biased = (bias: number) => withSharpness((value) => value * (1 + bias));

const sharpnessEvery = (every: number) =>
  withSharpness((value, i) => (i % every === 0 ? value : Number.NaN));

function missing(seed: number) {
  return (series: Series): Series => {
    const random = generator(seed);
    const lose = (value: number) => (random() < 0.3 ? Number.NaN : value);
    return {
      ...series,
      loss: series.loss.map(lose).map((v) => (Number.isNaN(v) ? Number.POSITIVE_INFINITY : v)),
      sharpness: series.sharpness.map(lose),
    };
  };
}

const after =
  (...changes: readonly Flaw['apply'][]): Flaw['apply'] =>
  (series) =>
    changes.reduce((changed, change) => change(changed), series);

/** Every way of logging that the detector is held against. */
export function flaws(seeds: readonly number[]): Flaw[] {
  const flaw = (
    kind: Flaw['kind'],
    name: string,
    apply: Flaw['apply'],
    tolerance = 0.03,
  ): Flaw => ({
    kind,
    name,
    apply,
    tolerance,
  });
  return [
    ...[1, 2, 5, 10, 20, 50].map((every) => flaw('thinned', `every ${every}`, thinned(every))),
    ...[10, 50].map((every) => flaw('thinned', `sharpness every ${every}`, sharpnessEvery(every))),
    ...[3, 4].map((count) => flaw('rounded', `${count} digits`, rounded(count))),
    flaw('rounded', 'loss with 3 decimals', (series) => ({
      ...series,
      loss: series.loss.map((value) => Math.round(value * 1000) / 1000),
    })),
    ...[-0.07, -0.035, 0.04, 0.08].map((bias) =>
      flaw('biased', `bias ${100 * bias} %`, biased(bias)),
    ),
    ...seeds.flatMap((seed) => [
      ...[0.005, 0.02, 0.05, 0.1].map((deviation) =>
        flaw(
          'noisy',
          `noise ${100 * deviation} % (${seed})`,
          noisy(deviation, seed),
          deviation > 0.09 ? 0.06 : 0.03,
        ),
      ),
      flaw('noisy', `noise 2 %, every 10 (${seed})`, after(thinned(10), noisy(0.02, seed))),
      flaw('noisy', `noise 2 % on both (${seed})`, (series) => {
        const random = generator(seed + 100);
        const loss = series.loss.map((value) => value * (1 + 0.02 * normal(random)));
        return noisy(0.02, seed)({ ...series, loss });
      }),
      flaw('outliers', `10 % outliers (${seed})`, outlying(seed)),
      flaw('outliers', `10 % outliers, every 5 (${seed})`, after(thinned(5), outlying(seed))),
      flaw('missing', `missing (${seed})`, missing(seed)),
    ]),
    ...[1, 10].map((every) => ({
      kind: 'loss only' as const,
      name: `loss only, every ${every}`,
      tolerance: 0.03,
      lossOnly: true,
      apply: (series: Series) => {
        const part = thinned(every)(series);
        return { ...part, sharpness: part.sharpness.map(() => Number.NaN) };
      },
    })),
  ];
}

/** Several flaws at once. */
export function combinations(seeds: readonly number[]): Flaw[] {
  const flaw = (name: string, tolerance: number, ...changes: readonly Flaw['apply'][]): Flaw => ({
    kind: 'combined',
    name,
    tolerance,
    apply: after(...changes),
  });
  return seeds.flatMap((seed) => [
    flaw(`every 5, noise 2 %, 3 digits (${seed})`, 0.03, thinned(5), noisy(0.02, seed), rounded(3)),
    flaw(
      `every 2, noise 5 %, bias 4 % (${seed})`,
      0.03,
      thinned(2),
      noisy(0.05, seed),
      biased(0.04),
    ),
    flaw(`noise 2 %, outliers (${seed})`, 0.03, noisy(0.02, seed), outlying(seed)),
    flaw(
      `every 5, bias −3.5 %, outliers (${seed})`,
      0.03,
      thinned(5),
      biased(-0.035),
      outlying(seed),
    ),
    flaw(`noise 2 %, missing (${seed})`, 0.03, noisy(0.02, seed), missing(seed)),
    flaw(
      `noise 2 %, outliers, sharpness every 10 (${seed})`,
      0.03,
      noisy(0.02, seed),
      outlying(seed),
      sharpnessEvery(10),
    ),
    flaw(`every 2, noise 10 %, 3 digits (${seed})`, 0.06, thinned(2), noisy(0.1, seed), rounded(3)),
  ]);
}

/** One measurement in ten is 3 to 30 times too large, or too small. */
function outlying(seed: number) {
  return (series: Series): Series => {
    const random = generator(seed);
    return withSharpness((value) => {
      if (random() >= 0.1) return value;
      const factor = 3 * 10 ** random();
      return random() < 0.7 ? value * factor : value / factor;
    })(series);
  };
}

export interface Judged {
  readonly right: boolean;
  /** What is wrong, or empty. */
  readonly wrong: string;
  readonly phases: readonly SeriesSpan[];
}

/** Runs a series through the detector. */
export function detect({ step, loss, sharpness, threshold }: Series) {
  const detector = createSeriesDetector();
  for (let i = 0; i < step.length; i++)
    detector.next(step[i]!, loss[i]!, sharpness[i]! / threshold[i]!, threshold[i]!);
  return detector.finish();
}

/** Holds what the detector says against the truth: outcome, onset, and no phase that was not. */
export function judge(truth: Truth, { apply, tolerance, lossOnly }: Flaw): Judged {
  const series = apply(truth.series);
  const { phases, divergedAt } = detect(series);
  const wrong: string[] = [];
  const edges = phases.filter(({ phase }) => phase === 'edge-of-stability');
  const allowed = new Set<SeriesPhase>(
    lossOnly ? ['descent', 'flat', 'diverged'] : [...truth.also, 'edge-of-stability'],
  );
  for (const { phase, first_step } of phases)
    if (!allowed.has(phase)) wrong.push(`${phase} from ${first_step}`);
  if ((divergedAt !== null) !== (truth.outcome === 'diverged'))
    wrong.push(`diverged ${divergedAt}`);
  const length = truth.series.step.at(-1)! - truth.series.step[0]!;
  const expected = lossOnly || truth.edgeFrom === null ? null : truth.edgeFrom;
  const found = edges[0]?.first_step ?? null;
  if ((expected === null) !== (found === null)) wrong.push(`edge from ${found}, not ${expected}`);
  else if (expected !== null && Math.abs(found! - expected) > tolerance * length)
    wrong.push(`edge from ${found}, not ${expected}`);
  else if (expected !== null) {
    const stays = phases.at(-1)!.phase === 'edge-of-stability';
    if (stays !== (truth.outcome === 'edge')) wrong.push(stays ? 'stays' : 'leaves');
    else if (
      truth.leftAt !== null &&
      Math.abs(edges.at(-1)!.last_step + 1 - truth.leftAt) > 2 * tolerance * length
    )
      wrong.push(`left at ${edges.at(-1)!.last_step + 1}, not ${truth.leftAt}`);
  }
  return { right: wrong.length === 0, wrong: wrong.join('; '), phases };
}
