import { CAPACITY } from './constants.ts';
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
  /** Rows with a loss, and those among them where it rose. */
  readonly losses: number;
  readonly rises: number;
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
  push(sample: Block): boolean;
  /** All complete blocks, oldest first. */
  readonly blocks: readonly Block[];
  /** Standard deviation of the noise on x, at each block, from the blocks before it. */
  readonly noise: readonly number[];
  state(): HistoryState;
}

/**
 * Keeps a series of any length as at most 2187 blocks of equally many samples: when they are full, the median of each
 * three takes their place (the remedian of Rousseeuw & Bassett 1990, J. Am. Stat. Assoc. 85:97). So resolution is a
 * fixed fraction of what has passed (0.05–0.14 %), and an outlier now and then never enters a block of three.
 *
 * @param noiseFloor least noise on x
 */
export function createHistory(noiseFloor: number, saved?: HistoryState): History {
  let level = saved?.level ?? 0;
  let blocks: Block[] = [...(saved?.blocks ?? [])];
  const pending: Block[][] = (saved?.pending ?? []).map((part) => [...part]);
  let noise: number[] = [];
  let scale = createNoiseScale(noiseFloor);

  function measureAll(): void {
    scale = createNoiseScale(noiseFloor);
    noise = blocks.map(({ x, error }) => scale.next(x, error));
  }
  measureAll();

  function add(block: Block, at: number): boolean {
    if (at === level) {
      blocks.push(block);
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
    pending[at] = [];
    return add(merged(part, noiseFloor), at + 1);
  }

  return {
    push: (sample) => add(sample, 0),
    get blocks() {
      return blocks;
    },
    get noise() {
      return noise;
    },
    state: () => ({ level, blocks: [...blocks], pending: pending.map((part) => [...part]) }),
  };
}

function thirds(blocks: readonly Block[], noiseFloor: number): Block[] {
  const result: Block[] = [];
  for (let i = 0; i + 2 < blocks.length; i += 3)
    result.push(merged(blocks.slice(i, i + 3), noiseFloor));
  return result;
}

function merged(three: readonly Block[], noiseFloor: number): Block {
  let losses = 0;
  let rises = 0;
  for (const block of three) {
    losses += block.losses;
    rises += block.rises;
  }
  return {
    firstStep: three[0]!.firstStep,
    lastStep: three.at(-1)!.lastStep,
    ...middle(three, noiseFloor),
    loss: median(three.map(({ loss }) => loss).filter((loss) => !Number.isNaN(loss))),
    losses,
    rises,
  };
}

/** Deviation of the median of three values of normal noise, over theirs. */
const MEDIAN_OF_THREE = 0.67;

/** The median of blocks; where all have error bars, that with as much certainty below as above it. */
function middle(blocks: readonly Block[], noiseFloor: number): Pick<Block, 'x' | 'error'> {
  const weighted = blocks.map(({ x, error = Number.NaN }) => ({ x, weight: 1 / (error * error) }));
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) return { x: median(blocks.map(({ x }) => x)) };
  weighted.sort((a, b) => a.x - b.x);
  let rest = total / 2;
  const found = weighted.find(({ weight }) => {
    rest -= weight;
    return rest <= 0;
  });
  const error = Math.max(noiseFloor, MEDIAN_OF_THREE * Math.sqrt(blocks.length / total));
  return { x: found!.x, error };
}

/** Median; the upper one of an even number, NaN of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
