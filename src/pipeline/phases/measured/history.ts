/** Blocks held at most; at the next one, neighbours are merged two by two. */
const CAPACITY = 512;

/** A stretch of consecutive measured samples, averaged. */
export interface Block {
  readonly firstStep: number;
  readonly lastStep: number;
  /** Number of samples. */
  readonly count: number;
  /** Mean sharpness over threshold. */
  readonly ratio: number;
  /** ∑ L·Δt of all steps from the start of the log to the middle of the block; NaN without a loss. */
  readonly work: number;
}

/** The whole past of a series in bounded memory. */
export interface History {
  /** Takes in a sample; true where it completes a block. */
  push(step: number, ratio: number, work: number): boolean;
  /** All complete blocks, oldest first. */
  readonly blocks: readonly Block[];
}

/**
 * Keeps a series of any length as at most 512 block means, all of the same number of samples: when they are full, each
 * two neighbours become one. So resolution is a fixed fraction of what has passed (0.2–0.4 %), whatever the length.
 */
export function createHistory(): History {
  let blocks: Block[] = [];
  let size = 1;
  let count = 0;
  let firstStep = 0;
  let ratioSum = 0;
  let workSum = 0;

  return {
    push(step, ratio, work) {
      if (count === 0) {
        firstStep = step;
        ratioSum = 0;
        workSum = 0;
      }
      count++;
      ratioSum += ratio;
      workSum += work;
      if (count < size) return false;
      blocks.push({
        firstStep,
        lastStep: step,
        count,
        ratio: ratioSum / count,
        work: workSum / count,
      });
      count = 0;
      if (blocks.length >= CAPACITY) {
        const halved: Block[] = [];
        for (let i = 0; i + 1 < blocks.length; i += 2)
          halved.push(merge(blocks[i]!, blocks[i + 1]!));
        blocks = halved;
        size *= 2;
      }
      return true;
    },
    get blocks() {
      return blocks;
    },
  };
}

function merge(a: Block, b: Block): Block {
  const count = a.count + b.count;
  return {
    firstStep: a.firstStep,
    lastStep: b.lastStep,
    count,
    ratio: (a.ratio * a.count + b.ratio * b.count) / count,
    work: (a.work * a.count + b.work * b.count) / count,
  };
}
