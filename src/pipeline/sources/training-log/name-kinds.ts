import type { RowField } from './row-block.ts';

/** What a column of that name is taken for. */
export interface NameKind {
  readonly field: RowField;
  /** Less is more usual. */
  readonly rank: number;
}

/** From this rank on, a name may well mean something else. */
export const DOUBTFUL = 100;
/** … and from this one on it is a value on data that is not trained on. */
export const HELD_OUT = 1000;

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

const LOSSES = words('loss losses nll xent ce bce mse cost objective risk');
const SHARPNESSES = words('sharpness sharp');
const EIGENVALUES = words(
  'eig eigs eigen eigenvalue eigenvalues eigval eigvals eigenval eigenvals evals',
);
const PLURAL = words('eigs eigenvalues eigvals eigenvals evals');
/** An eigenvalue only where something else says so. */
const SYMBOLS = words('lambda lam λ ev evs');
const MOST = words('max maximum maximal top largest leading dominant principal first biggest');
const HESSIAN = words('hessian hess h');
const RATES = words('lr lrs eta η');
const STEPS: Readonly<Record<string, number>> = {
  ...{ step: 0, steps: 0, iter: 2, iters: 2, iteration: 2, iterations: 2, update: 4, updates: 4 },
  ...{ itr: 5, it: 5, niter: 5, t: 6, s: 7, batch: 20, batches: 20, minibatch: 20, epoch: 30 },
  ...{ epochs: 30, ep: 31, timestep: 50, timesteps: 50, idx: 55, index: 55, i: 55, k: 56 },
};

const HELD = words('val valid validation test eval evaluation dev holdout heldout');
/** Words that change nothing of what a name means. */
const PLAIN = words(
  'train training trn tr step steps epoch epochs iter iters iteration batch minibatch full ' +
    'total avg mean average ' +
    'running current cur curr value scalar raw smooth smoothed ema log metric metrics item',
);
/** … but may make it less usual than another of the same meaning. */
const LESS_USUAL: Readonly<Record<string, number>> = {
  ...{ step: 1, batch: 2, minibatch: 2, epoch: 3, avg: 4, mean: 4, average: 4 },
  ...{ running: 5, smooth: 5, smoothed: 5, ema: 5 },
};
/** Words that do not make another loss of a loss. */
const SAME_LOSS = words(
  'lm language modeling model net main cross entropy softmax mlm clm sft function fn overall ' +
    'sum combined global nll ce ' +
    'bce mse xent task squared binary categorical sparse criterion hinge logistic objective ' +
    'empirical',
);
const OF_THE_HESSIAN = words(
  'preconditioned precond prec effective eff adaptive of the matrix spectrum estimate est ' +
    'power lanczos',
);
/** Words of what is derived from a value, and is not the value. */
const DERIVED = words(
  'min minimum smallest lowest best std stdev var variance norm grad grads gradient ratio ' +
    'rate diff delta change gap ' +
    'time seconds sec ms duration scale scaler weight weights coef type name threshold target ' +
    'tolerance over times x vs ' +
    'error err residual res bound density vector vectors condition cond fraction frac flag ' +
    'every interval freq ' +
    'aware perplexity ppl acc accuracy count skipped improvement window spike spikes id log10',
);
/** … and of an eigenvalue that is not the largest of the Hessian of the loss. */
const OTHER_EIGENVALUE = words(
  'ntk kernel cov covariance attention jacobian trace fisher second third last neg negative ' +
    'sum num number n k bulk ' +
    'outlier reg decay l penalty gp lr eta hidden gram feature activation input std weight',
);
const OTHER_RATE = words(
  'decay mult multiplier factor max min peak final end momentum wd beta warmup schedule ' +
    'scheduler finder sharpness ' +
    'eig lambda steps samples tokens',
);
const START_RATE = words('base init initial start');
const OF_A_STEP = words(
  'global trainer train training trn optimizer opt optim num n number no current cur curr ' +
    'total gd sgd gradient grad ' +
    'descent idx index id count counter i mini time env info debug root at end of after',
);

/** Words that names have without a gap between them. */
const GLUED: ReadonlySet<string> = new Set([
  ...LOSSES,
  ...SHARPNESSES,
  ...EIGENVALUES,
  ...MOST,
  ...Object.keys(STEPS).filter((word) => word.length > 2),
  ...words(
    'hessian hess lambda λ learning rate train training cross entropy global size num lm val',
  ),
  ...words(
    'valid test eval full total mini norm effective preconditioned spectral radius curvature',
  ),
]);

/** Short words of well-known programs. */
const SHORT: Readonly<Record<string, string>> = {
  trl: 'train loss',
  lmax: 'lambda max',
  maxev: 'max ev',
};

/** `trainloss` as `train loss`; null where a part of it is no known word. */
function unglued(word: string): readonly string[] | null {
  if (word === '') return [];
  for (let at = word.length; at > 0; at--) {
    if (!GLUED.has(word.slice(0, at))) continue;
    const rest = unglued(word.slice(at));
    if (rest) return [word.slice(0, at), ...rest];
  }
  return null;
}

/** Longest word that is taken apart; a name is somebody's word, and may be a page. */
const LONGEST_WORD = 40;

/**
 * Words of a name: camelCase, punctuation and digits part them, and so do words that are known to
 * be glued.
 */
function wordsOf(text: string): string[] {
  return text
    .replace(/\p{No}/gu, (digit) => digit.normalize('NFKC'))
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .replace(/(\p{L})(\p{N})/gu, '$1 $2')
    .replace(/(\p{N})(\p{L})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .flatMap((word) => {
      if (word.length > LONGEST_WORD) return [word];
      return SHORT[word]?.split(' ') ?? unglued(word) ?? [word];
    });
}

type Words = readonly string[];

/** Rank of the sharpness of mini-batches, behind any other. */
const BATCH = 20;

const has = (list: Words, ...sets: ReadonlySet<string>[]) =>
  list.some((word) => sets.some((each) => each.has(word)));
const isNumber = (word: string) => /^\d+$/.test(word);
const without = (list: Words, ...sets: ReadonlySet<string>[]) =>
  list.filter((word) => !sets.some((each) => each.has(word)));
/** Whether two words stand one behind the other. */
const pair = (list: Words, first: string, second: string) =>
  list.some((word, i) => word === first && list[i + 1] === second);
const lessUsual = (list: Words) => list.reduce((sum, word) => sum + (LESS_USUAL[word] ?? 0), 0);

/** Whether a name counts epochs. */
export function isEpoch(kind: NameKind | null): boolean {
  return kind?.field === 'step' && kind.rank >= STEPS.epoch! && kind.rank <= STEPS.ep!;
}

/** Whether a name is of the sharpness of mini-batches. */
export function isBatchSharpness(kind: NameKind | null): boolean {
  return kind?.field === 'sharpness' && kind.rank >= BATCH && kind.rank < 2 * BATCH;
}

function stepRank(list: Words): number | null {
  if (has(list, HELD) || list.at(-1) === 'time') return null;
  const nouns = list.length === 1 ? list : without(list, OF_A_STEP);
  const rank = nouns.length === 1 ? STEPS[nouns[0]!] : undefined;
  if (rank === undefined || (nouns[0]!.length === 1 && list.length > 1)) return null;
  // How many batches or epochs there are is no step.
  if (rank >= STEPS.batch! && rank < STEPS.timestep! && has(list, words('num n number')))
    return null;
  return rank + (list.includes('total') ? 60 : 0);
}

function etaRank(list: Words): number | null {
  const spelled = pair(list, 'learning', 'rate') ? ['learning', 'rate'] : ['step', 'size'];
  const written = pair(list, spelled[0]!, spelled[1]!);
  if (!written && !has(list, RATES)) return null;
  const rest = without(list, RATES, PLAIN).filter((word) => !written || !spelled.includes(word));
  if (has(rest, OTHER_RATE, HELD) || has(rest, DERIVED)) return null;
  const group = rest.filter(isNumber).reduce((sum, digits) => sum + Number(digits), 0);
  const others = rest.filter((word) => !isNumber(word) && !START_RATE.has(word));
  const symbol = !written && !has(list, words('lr lrs'));
  const doubtful = has(rest, START_RATE) || (symbol && others.length > 0);
  return (
    (symbol ? 5 : 0) + Math.min(50, group) + Math.min(9, 3 * others.length) + (doubtful ? 100 : 0)
  );
}

function sharpnessRank(list: Words): number | null {
  const normed = ['norm', 'radius'].some((word) => pair(list, 'spectral', word));
  const hessian = has(list, HESSIAN);
  const most = has(list, MOST);
  const noun = (...sets: ReadonlySet<string>[]) => list.find((word) => has([word], ...sets));
  const size = normed || (hessian && list.includes('norm'));
  const core = without(list, PLAIN, HELD, HESSIAN, MOST, OF_THE_HESSIAN);
  if (has(size ? without(core, words('norm')) : core, DERIVED)) return null;
  const numbers = list.filter(isNumber);
  const many = PLURAL.has(noun(EIGENVALUES) ?? '') && most;
  if (!many && numbers.some((digits) => Number(digits) > 1)) return null;
  const others = core.filter((word) => !isNumber(word)).length;
  const strange = (expected: number) => (others > expected ? DOUBTFUL : 0);
  const sharp = noun(SHARPNESSES);
  if (sharp) {
    const batch = has(list, words('batch minibatch step mini')) ? BATCH : 0;
    const adapted = has(list, OF_THE_HESSIAN) ? 1 : 0;
    return batch + adapted + numbers.length + lessUsual(list) + strange(1);
  }
  const index = numbers.length > 0 ? 4 + Number(numbers[0]) : 0;
  const value = noun(EIGENVALUES);
  const symbol = noun(SYMBOLS);
  if (value || (symbol && (most || hessian || numbers.length > 0))) {
    if (has(without(core, EIGENVALUES, SYMBOLS), OTHER_EIGENVALUE)) return null;
    const bare = !most && !hessian;
    const penalty = bare ? (value ? 10 : 40) : (most ? 0 : 4) + (hessian ? 0 : 1);
    return 2 + index + penalty + strange(1);
  }
  if (size) return (hessian ? 15 : DOUBTFUL) + strange(hessian ? 1 : 2);
  if (list.includes('curvature')) {
    // Along an update it is less than the largest.
    return list.includes('update') ? null : (most || hessian ? 16 : DOUBTFUL) + strange(1);
  }
  return hessian && most && others === 0 ? 14 : null;
}

function lossRank(list: Words): number | null {
  const squared = ['squared', 'square', 'sq'].some((word) => pair(list, word, 'error'));
  const spelled = squared || pair(list, 'cross', 'entropy');
  if (!spelled && !has(list, LOSSES)) return null;
  const rest = without(list, LOSSES, PLAIN, HELD, SAME_LOSS).filter(
    (word) => !(squared && ['error', 'square', 'sq'].includes(word)),
  );
  if (has(rest, DERIVED, MOST)) return null;
  const named = has(list, words('loss losses')) ? 0 : 10;
  const full = has(list, words('full')) ? -1 : has(list, words('train training')) ? 1 : 0;
  return 1 + named + full + lessUsual(list) + (rest.length > 0 ? DOUBTFUL + rest.length : 0);
}

const RANKS: readonly (readonly [RowField, (list: Words) => number | null])[] = [
  ['step', stepRank],
  ['eta', etaRank],
  ['sharpness', sharpnessRank],
  ['loss', lossRank],
];

function rankOf(list: Words): NameKind | null {
  for (const [field, rank] of RANKS) {
    const found = rank(list);
    if (found !== null) return { field, rank: found };
  }
  return null;
}

/** Names of what is told of a measurement, without gaps; others of the kind would be guessed at. */
const MEASUREMENTS: ReadonlyMap<string, RowField> = new Map([
  ['sharpnesserror', 'sharpness_error'],
  ['batchsharpnesserror', 'batch_sharpness_error'],
  ['edgeenergy', 'l1'],
  ['l1', 'l1'],
  // Of a list the largest counts.
  ['edgeenergies', 'l1_leading'],
  ['l1leading', 'l1_leading'],
  ['edgedirections', 'edge_directions'],
  ['threshold', 'threshold'],
  ['stabilitythreshold', 'threshold'],
]);

function judge(name: string): NameKind | null {
  const measurement = MEASUREMENTS.get(name.toLowerCase().replace(/^.*[/.]|[_\s-]/g, ''));
  if (measurement) return { field: measurement, rank: 0 };
  if (/__(min|max|step)$/i.test(name)) return null;
  // A panel's names begin with the run's.
  const parts = name
    .slice(name.lastIndexOf(' - ') + 1)
    .split(/[/.:|\\]/)
    .map(wordsOf)
    .filter((part) => part.length > 0);
  const last = parts.at(-1);
  if (!last) return null;
  const all = parts.flat();
  const alone = rankOf(last);
  const two = parts.length > 1 ? rankOf(parts.slice(-2).flat()) : null;
  const found = alone ?? (two?.field === 'step' ? null : two);
  if (!found) return null;
  const context = all.slice(0, -last.length);
  if (found.field === 'step')
    return has(context, HELD, words('time perf timing speed')) && found.rank < STEPS.timestep!
      ? null
      : found;
  const strange = alone && context.length > 0 && !has(context, PLAIN) ? 1 : 0;
  return { field: found.field, rank: found.rank + strange + (has(all, HELD) ? HELD_OUT : 0) };
}

/** Names that are remembered; a text log may hold any number of them. */
const MOST_NAMES = 4096;
const known = new Map<string, NameKind | null>();

/**
 * What a name says that its column holds; null for nothing that is looked for. Judged by the words
 * in it: what it ends in (`train/loss`, `RUN - loss`, `hessian.top_eig`), or what stands before
 * where the end is but a qualifier (`Loss/train`, `lr-Adam/pg1`, `eigs/0`).
 */
export function nameKind(name: string): NameKind | null {
  const before = known.get(name);
  if (before !== undefined) return before;
  const kind = judge(name);
  if (known.size < MOST_NAMES) known.set(name, kind);
  return kind;
}
