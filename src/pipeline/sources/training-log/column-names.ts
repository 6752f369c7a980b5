import { LogError } from './log-error.ts';
import { ROW_FIELDS, type RowField } from './row-block.ts';

/** Usual names of each column, best first; compared without case, blanks and punctuation. */
const USUAL: Readonly<Record<RowField, readonly string[]>> = {
  step: [
    'step',
    'steps',
    'globalstep',
    'trainerglobalstep',
    'iter',
    'iters',
    'iteration',
    'iterations',
    'it',
    't',
    'update',
    'updates',
    'numupdates',
    'trainstep',
    'stepnum',
    's',
    'batch',
    'batchidx',
    'epoch',
    'epochs',
  ],
  loss: [
    'loss',
    'trainloss',
    'trainingloss',
    'losstrain',
    'losstraining',
    'fullloss',
    'fulltrainloss',
    'lossfull',
    'totalloss',
    'objective',
    'cost',
    'mse',
    'nll',
    'crossentropy',
    'trl',
    'lmloss',
    'trainlossstep',
    'trainlossepoch',
    'losstrainstep',
  ],
  sharpness: [
    'sharpness',
    'preconditionedsharpness',
    'effectivesharpness',
    'lambdamax',
    'λmax',
    'maxlambda',
    'topeig',
    'topeigenvalue',
    'topeigenvalues',
    'maxeig',
    'maxeigenvalue',
    'eigmax',
    'eigenvaluemax',
    'largesteigenvalue',
    'hessianeig0',
    'hessianeigmax',
    'hessianmaxeig',
    'hessiantopeig',
    'hessianlambdamax',
    'hessianmaxeigenvalue',
    'hessiantopeigenvalue',
    'tophessianeig',
    'tophessianeigenvalue',
    'maxhessianeig',
    'maxhessianeigenvalue',
    'eigtop',
    'lmax',
    'hessiannorm',
    'hessianeig',
    'hessianeigenvalue',
    'eig0',
    'eigenvalue0',
    'lambda0',
    'lambda1',
    'λ1',
    'eig1',
    'hessianeig1',
    'eigenvalues',
    'eigs',
    'hessianeigs',
    'hessianeigenvalues',
    'spectralnorm',
    'batchsharpness',
  ],
  eta: ['eta', 'η', 'lr', 'learningrate', 'stepsize', 'learningrate0', 'lr0'],
};

const RANK: Readonly<Record<RowField, ReadonlyMap<string, number>>> = {
  step: ranks('step'),
  loss: ranks('loss'),
  sharpness: ranks('sharpness'),
  eta: ranks('eta'),
};

function ranks(field: RowField): ReadonlyMap<string, number> {
  return new Map(USUAL[field].map((name, rank) => [name, rank]));
}

/** Parts of a name that say that it is not of the training, or not the value itself. */
const OTHER_PART = /^(val|valid|validation|test|eval|dev|ema|min|max|std|grad|gradnorm)$/;
/** Behind every usual name: one that is usual only by its last part, as `train/loss` or `RUN - loss` are. */
const BY_LAST_PART = 100;

/**
 * How usual a name is for a field: 0 for the best, Infinity for one that does not fit. Names of nested values and of
 * panels are judged by their last part, after `/`, `.`, `:`, a blank or ` - `.
 */
export function nameRank(field: RowField, name: string): number {
  const rank = RANK[field].get(bare(name));
  if (rank !== undefined) return rank;
  const parts = name
    .toLowerCase()
    .replace(/__(min|max)$/, '/$1')
    .split(/[/.:\s]+|__/)
    .filter(Boolean);
  const last = parts.at(-1);
  if (last === undefined || parts.some((part) => OTHER_PART.test(bare(part))))
    return Number.POSITIVE_INFINITY;
  const optimizer = field === 'eta' && /^(lr|learning_?rate)[-_]/.test(last) ? 0 : undefined;
  const two = parts.length > 1 ? RANK[field].get(bare(parts.slice(-2).join(''))) : undefined;
  const byPart = optimizer ?? two ?? RANK[field].get(bare(last));
  // A step that is named last, as in "time per step", counts none.
  const nested = /[/.]/.test(name) || name.includes(' - ');
  if (byPart === undefined || (field === 'step' && !nested)) return Number.POSITIVE_INFINITY;
  return byPart + BY_LAST_PART - (parts.includes('train') ? 1 : 0);
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** What the caller says about the columns: a name, a JSON path such as `eigs[-1]` or a column number, from 1. */
export type GivenColumns = { readonly [F in RowField]?: string | undefined };

/** The field's column among `names`: the one given, or the most usual; −1 where there is none. */
export function chooseColumn(
  field: RowField,
  names: readonly string[],
  given: string | undefined,
): number {
  if (given !== undefined) {
    const at = names.indexOf(given);
    if (at >= 0) return at;
    const number = Number(given);
    if (Number.isInteger(number) && number >= 1 && number <= names.length) return number - 1;
    throw new LogError(
      `no column is called ${given} (asked for as the ${field}); there are ${names.slice(0, 20).join(', ')}`,
    );
  }
  let best = -1;
  let bestRank = Number.POSITIVE_INFINITY;
  for (let i = 0; i < names.length; i++) {
    const rank = nameRank(field, names[i]!);
    if (rank < bestRank) {
      best = i;
      bestRank = rank;
    }
  }
  return best;
}

/** The column of each field; refuses a log that has neither a loss nor a sharpness. */
export function chooseColumns(
  names: readonly string[],
  given: GivenColumns,
  line: number | null,
  part = false,
): Readonly<Record<RowField, number>> {
  const chosen = { step: -1, loss: -1, sharpness: -1, eta: -1 };
  for (const field of ROW_FIELDS) {
    if (field === 'step' && given.step === NO_STEP) continue;
    chosen[field] = chooseColumn(field, names, given[field]);
  }
  // The number of a batch starts anew in each epoch: such rows are numbered.
  const stepName = bare(names[chosen.step] ?? '');
  const epochs = names.some((name) => bare(name) === 'epoch');
  if (given.step === undefined && stepName.startsWith('batch') && epochs) chosen.step = -1;
  const enough = chosen.loss >= 0 || chosen.sharpness >= 0 || (part && chosen.eta >= 0);
  if (!enough) throw noColumns(names, line);
  return chosen;
}

/** `--step-col none`: number the rows instead. */
export const NO_STEP = 'none';

export function noColumns(names: readonly string[], line: number | null): LogError {
  const found = names.length === 0 ? 'nothing' : names.slice(0, 20).join(', ');
  return new LogError(
    `no column is named like a loss or a sharpness (found ${found}); name them with --loss-col and --sharpness-col`,
    line,
  );
}
