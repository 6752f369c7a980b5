import { CAPACITY } from './constants.ts';
import { median } from './median.ts';
import { createNoiseScale } from './noise-scale.ts';

/** A measured sample, or the medians of a stretch of them. */
export interface Block {
  readonly firstStep: number;
  readonly lastStep: number;
  /** Logarithm of the sharpness over the threshold. */
  readonly x: number;
  /** Error bar of x, where it is known. */
  readonly error?: number;
  /** Loss; NaN where it is unknown. */
  readonly loss: number;
  /** Rows in which the loss moved, and those among them in which it rose. */
  readonly moves: number;
  readonly rises: number;
}

/**
 * A measured sample, in an object that is used again for the next: V8 writes its numbers in place.
 */
export interface Sample {
  step: number;
  x: number;
  /** NaN where it is unknown. */
  error: number;
  loss: number;
  moves: number;
  rises: number;
}

export function emptySample(): Sample {
  const none = Number.NaN;
  return { step: none, x: none, error: none, loss: none, moves: none, rises: none };
}

/** Everything that a history keeps; JSON can hold it. */
export interface HistoryState {
  readonly level: number;
  readonly blocks: readonly Block[];
  readonly pending: readonly (readonly Block[])[];
}

/** The whole past of a series in bounded memory. */
export interface History {
  /** Takes in a sample; true where it completes a block. */
  push(sample: Sample): boolean;
  /** All complete blocks, oldest first. */
  blocks(): readonly Block[];
  /** Their x alone. */
  x(): readonly number[];
  /** Standard deviation of the noise on x, at each block, from the blocks before it. */
  noise(): readonly number[];
  /** Their error bars; NaN where one is unknown. */
  errors(): readonly number[];
  state(): HistoryState;
}

/**
 * Keeps a series of any length as at most 2187 blocks of equally many samples: when they are full,
 * the median of each three takes their place (the remedian of Rousseeuw & Bassett 1990, J. Am.
 * Stat. Assoc. 85:97). So resolution is a fixed fraction of what has passed (0.05–0.14 %), and an
 * outlier now and then never enters a block of three.
 *
 * @param noiseFloor least noise on x
 */
export function createHistory(noiseFloor: number, saved?: HistoryState): History {
  let level = saved?.level ?? 0;
  let blocks: Block[] = [...(saved?.blocks ?? [])];
  /**
   * Up to two blocks for each lower level but the lowest, whose samples need no objects of their
   * own.
   */
  const pending: Block[][] = (saved?.pending ?? []).map((part, i) => (i === 0 ? [] : [...part]));
  const samples = [emptySample(), emptySample(), emptySample()] as const;
  let waiting = 0;
  for (const { firstStep: step, error = Number.NaN, ...block } of saved?.pending[0] ?? [])
    Object.assign(samples[waiting++]!, { ...block, step, error });
  let x: number[] = [];
  let noise: number[] = [];
  let errors: number[] = [];
  let scale = createNoiseScale(noiseFloor);

  function measureAll(): void {
    scale = createNoiseScale(noiseFloor);
    x = blocks.map((block) => block.x);
    errors = blocks.map(({ error = Number.NaN }) => error);
    noise = blocks.map((block) => scale.next(block.x, block.error));
  }
  measureAll();

  function add(block: Block, at: number): boolean {
    if (at === level) {
      blocks.push(block);
      x.push(block.x);
      errors.push(block.error ?? Number.NaN);
      noise.push(scale.next(block.x, block.error));
      if (blocks.length === CAPACITY) {
        blocks = thirds(blocks, noiseFloor);
        level++;
        measureAll();
      }
      return true;
    }
    pending[at] ??= [];
    const part = pending[at];
    part.push(block);
    if (part.length < 3) return false;
    const [a, b, c] = part as [Block, Block, Block];
    part.length = 0;
    return add(merged(a, b, c, a.firstStep, c.lastStep, noiseFloor), at + 1);
  }

  return {
    push(sample) {
      if (level === 0) return add(blockOf(sample), 0);
      const own = samples[waiting++]!;
      own.step = sample.step;
      own.x = sample.x;
      own.error = sample.error;
      own.loss = sample.loss;
      own.moves = sample.moves;
      own.rises = sample.rises;
      if (waiting < 3) return false;
      waiting = 0;
      const [a, b, c] = samples;
      return add(merged(a, b, c, a.step, c.step, noiseFloor), 1);
    },
    blocks: () => blocks,
    x: () => x,
    noise: () => noise,
    errors: () => errors,
    state: () => ({
      level,
      blocks: [...blocks],
      pending: [
        samples.slice(0, waiting).map(blockOf),
        ...pending.slice(1).map((part) => [...part]),
      ],
    }),
  };
}

function thirds(blocks: readonly Block[], noiseFloor: number): Block[] {
  const result: Block[] = [];
  for (let i = 0; i + 2 < blocks.length; i += 3) {
    const [a, b, c] = [blocks[i]!, blocks[i + 1]!, blocks[i + 2]!];
    result.push(merged(a, b, c, a.firstStep, c.lastStep, noiseFloor));
  }
  return result;
}

function blockOf({ step, x, error, loss, moves, rises }: Sample): Block {
  const bar = Number.isNaN(error) ? {} : { error };
  return { firstStep: step, lastStep: step, x, ...bar, loss, moves, rises };
}

type Measured = Omit<Block, 'firstStep' | 'lastStep'>;

function merged(
  a: Measured,
  b: Measured,
  c: Measured,
  firstStep: number,
  lastStep: number,
  noiseFloor: number,
): Block {
  const bars = (a.error ?? Number.NaN) + (b.error ?? Number.NaN) + (c.error ?? Number.NaN);
  const middle = Number.isNaN(bars) ? null : weighted([a, b, c], noiseFloor);
  const loss = medianOfThree(a.loss, b.loss, c.loss);
  const moves = a.moves + b.moves + c.moves;
  const rises = a.rises + b.rises + c.rises;
  if (middle) return { firstStep, lastStep, ...middle, loss, moves, rises };
  return { firstStep, lastStep, x: medianOfThree(a.x, b.x, c.x), loss, moves, rises };
}

/** Deviation of the median of three values of normal noise, over theirs. */
const MEDIAN_OF_THREE = 0.67;

/**
 * The median of blocks with error bars: with as much certainty below as above it; null where there
 * is none.
 */
function weighted(
  blocks: readonly Measured[],
  noiseFloor: number,
): Pick<Block, 'x' | 'error'> | null {
  const known = blocks.map(({ x, error = Number.NaN }) => ({ x, weight: 1 / (error * error) }));
  const total = known.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) return null;
  known.sort((a, b) => a.x - b.x);
  let rest = total / 2;
  const found = known.find(({ weight }) => {
    rest -= weight;
    return rest <= 0;
  });
  const error = Math.max(noiseFloor, MEDIAN_OF_THREE * Math.sqrt(blocks.length / total));
  return { x: found!.x, error };
}

/** Median of those that are known: of two the larger, of none NaN. */
function medianOfThree(a: number, b: number, c: number): number {
  if (Number.isNaN(a + b + c)) return median([a, b, c].filter((value) => !Number.isNaN(value)));
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
