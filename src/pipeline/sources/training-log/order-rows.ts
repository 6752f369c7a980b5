import { LogError, SecondRunError, type Tally } from './log-error.ts';
import { isEpoch, nameKind } from './name-kinds.ts';
import {
  AT,
  emptyBlock,
  partOf,
  type RowBlock,
  type RowTaker,
  type RowValues,
} from './row-block.ts';

/** Rows that come late by no more than so many are sorted in. */
const WINDOW = 64;
/** A log may repeat so many steps before it is refused for repeating most of them. */
const MOST_REPEATS = 64;

export interface OrderOptions {
  /** Steps between rows that do not say their step. */
  readonly stride?: number;
  /**
   * Which of several runs in one log to take, from 1; a second run is refused unless this is given.
   */
  readonly run?: number | undefined;
}

/** Rows in ascending order of steps, each step once. */
export interface OrderedRows extends RowTaker {
  /**
   * Rows that are ready; the last one waits for the next, which may belong to the same step, unless
   * `all`.
   */
  take(all: boolean): RowBlock | null;
  /** No further row comes. */
  end(): void;
  /** Rows that would be ready now. */
  readonly ready: number;
}

/**
 * Brings order into rows. Lines of one step that complement each other (a loss here, a sharpness
 * there) become one row; a step that is there already, or that comes after a later one, is counted
 * and left out. Steps that start over and go on from there are a second run: refused, or chosen
 * from by number.
 */
export function createOrderedRows(tally: Tally, options: OrderOptions = {}): OrderedRows {
  const { stride = 1, run } = options;
  let block = emptyBlock(1 << 10);
  let rows = 0;
  /** Whether the rows say their steps. */
  let stepped = false;
  /**
   * Whether the steps are epochs, many rows in each or fractions of them, and the rows are numbered
   * instead.
   */
  let numbered = false;
  /** Whether rows were late, so that some are held back to be sorted. */
  let late = false;
  let takenStep = Number.NEGATIVE_INFINITY;
  /** A learning rate that stands in a row of its own, and the step from which on it holds. */
  let waiting: { readonly step: number; readonly eta: number } | null = null;
  let repeats = 0;
  let runNumber = 1;
  let firstStep = Number.NaN;
  let lastStep = Number.NEGATIVE_INFINITY;
  let fallen: { readonly line: number; readonly step: number; readonly values: RowValues } | null =
    null;
  let lastEpoch = Number.NaN;
  /** Step and epoch that the run began with: where both come again, a second one begins. */
  let begin: { readonly step: number; readonly epoch: number } | null = null;
  /** Steps of the epochs before, where they start over in each. */
  let before = 0;
  /** Steps from one row to the next within an epoch. */
  let pace = stride;

  const stepAt = (i: number) => block.columns[AT.step]![i];

  /** Sorts a late row in among those that were not taken yet; false where it is too late. */
  function insert(line: number, step: number, values: RowValues, eta: number): boolean {
    let at = block.length;
    while (at > 0 && stepAt(at - 1)! > step) at--;
    if (step <= takenStep || at === 0 || block.length - at > WINDOW) return false;
    if (stepAt(at - 1) === step) return complement(at - 1, step, values, eta);
    append(line, step, values, eta);
    for (const column of [block.line, ...block.columns]) {
      const own = column[block.length - 1]!;
      column.copyWithin(at + 1, at, block.length - 1);
      column[at] = own;
    }
    lastStep = stepAt(block.length - 1)!;
    late = true;
    tally.note('come late, and were sorted in', line);
    return true;
  }

  /**
   * Whether a step at the start is a part of an epoch, or an epoch of which the row before was as
   * well.
   */
  function isOfAnEpoch(step: number, loss: number): boolean {
    if (Number.isFinite(step) && !Number.isInteger(step)) return true;
    const kind = nameKind(tally.columns.step ?? '');
    return isEpoch(kind) && step === lastStep && !Number.isNaN(block.columns[AT.loss]![0]! + loss);
  }

  /** Where steps start over in each epoch, they go on from those of the epoch before. */
  function countEpoch(given: number, loss: number, epoch: number, line: number): void {
    begin ??= { step: given, epoch };
    if (before > 0 && epoch < lastEpoch && epoch <= begin.epoch && given <= begin.step) before = 0;
    const last = lastStep - before;
    if (epoch > lastEpoch && (given < last || (given === last && !Number.isNaN(loss)))) {
      before += last + pace - given;
      tally.note('begin an epoch in which the steps start over: they were counted on', line);
    } else if (given > last && Number.isFinite(last)) {
      pace = given - last;
    }
    if (!Number.isNaN(epoch)) lastEpoch = epoch;
  }

  function dropFallen(): void {
    if (fallen) tally.add('step comes after a later one', fallen.line);
    fallen = null;
  }

  function append(line: number, step: number, values: RowValues, eta: number): void {
    if (Number.isNaN(firstStep)) firstStep = step;
    lastStep = step;
    if (run !== undefined && run !== runNumber) {
      tally.add('row of another run', line);
      return;
    }
    if (block.length === block.line.length) block = resized(block, 0, 2 * block.length);
    const { columns } = block;
    const i = block.length++;
    block.line[i] = line;
    for (let f = 0; f < columns.length; f++) columns[f]![i] = values[f]!;
    columns[AT.step]![i] = step;
    columns[AT.eta]![i] = eta;
  }

  /** Fills what the waiting row of the same step lacks; false where there is nothing to fill. */
  function complement(i: number, step: number, values: RowValues, eta: number): boolean {
    const { columns } = block;
    if (i < 0 || stepAt(i) !== step) return false;
    const clash = (f: number) => !Number.isNaN(columns[f]![i]) && !Number.isNaN(values[f]);
    if (clash(AT.loss) || clash(AT.sharpness)) return false;
    for (let f = 0; f < columns.length; f++)
      if (Number.isNaN(columns[f]![i])) columns[f]![i] = f === AT.eta ? eta : values[f]!;
    return true;
  }

  return {
    row(line, values) {
      const given = values[AT.step]!;
      const loss = values[AT.loss]!;
      const givenEta = values[AT.eta]!;
      if (Number.isNaN(given) && stepped) {
        tally.add('step is missing', line);
        return;
      }
      if (rows <= 1 && isOfAnEpoch(given, loss)) {
        numbered = true;
        if (block.length === 1) block.columns[AT.step]![0] = firstStep = lastStep = 0;
      }
      stepped = !Number.isNaN(given) && !numbered;
      if (stepped) countEpoch(given, loss, values[AT.epoch]!, line);
      const step = stepped ? given + before : rows * stride;
      if (Number.isNaN(loss) && Number.isNaN(values[AT.sharpness])) {
        const last = block.length - 1;
        const etas = block.columns[AT.eta]!;
        if (stepAt(last) === step && Number.isNaN(etas[last])) etas[last] = givenEta;
        waiting = { step, eta: givenEta };
        return;
      }
      const eta =
        Number.isNaN(givenEta) && waiting && waiting.step <= step ? waiting.eta : givenEta;
      if (waiting && waiting.step <= step) waiting = null;
      rows++;
      if (!Number.isSafeInteger(step)) {
        const problem = Number.isFinite(step)
          ? `${step} is not a whole number`
          : 'the step is not a finite number';
        if (Number.isNaN(firstStep)) {
          throw new LogError(
            `step ${problem}; choose another column with --step-col, or number the rows with ` +
              '--step-col none',
            line,
          );
        }
        tally.add(
          Number.isFinite(step) && Math.abs(step) < 2 ** 53
            ? 'step is not a whole number'
            : 'step out of range',
          line,
        );
        return;
      }
      if (step > lastStep) {
        dropFallen();
        append(line, step, values, eta);
        return;
      }
      if (fallen && step > fallen.step) {
        if (run === undefined) {
          throw new SecondRunError(
            `step ${fallen.step} after step ${lastStep}: a second run begins here; split the ` +
              'log, or choose one with --run 1, --run 2, …',
            fallen.line,
          );
        }
        const start = fallen;
        fallen = null;
        runNumber++;
        firstStep = Number.NaN;
        lastStep = Number.NEGATIVE_INFINITY;
        append(start.line, start.step, start.values, start.values[AT.eta]!);
        append(line, step, values, eta);
        return;
      }
      if (step === lastStep) {
        if (complement(block.length - 1, step, values, eta)) return;
        tally.add('step is there already', line);
        repeats++;
        if (repeats > MOST_REPEATS && repeats > rows / 2) {
          throw new LogError(
            'most rows repeat the step before; choose another column with --step-col, or ' +
              'number the rows with --step-col none',
            line,
          );
        }
        return;
      }
      if (insert(line, step, values, eta)) return;
      dropFallen();
      if (step <= firstStep)
        fallen = { line, step, values: Array.from(values, (v, f) => (f === AT.eta ? eta : v)) };
      else tally.add('step comes after a later one', line);
    },
    end: dropFallen,
    take(all) {
      const count = all ? block.length : block.length - (late ? WINDOW : 1);
      if (count <= 0) return null;
      const taken = partOf(block, 0, count);
      takenStep = stepAt(count - 1)!;
      block = resized(block, count, Math.max(1 << 10, block.line.length));
      return taken;
    },
    get ready() {
      return block.length - 1;
    },
  };
}

/** The rows from `from` on in a block of another capacity. */
function resized(block: RowBlock, from: number, capacity: number): RowBlock {
  const rest = partOf(block, from, block.length);
  const other = emptyBlock(capacity);
  other.length = rest.length;
  other.line.set(rest.line);
  for (const [f, column] of other.columns.entries()) column.set(rest.columns[f]!);
  return other;
}
