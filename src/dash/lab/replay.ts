import { blockSize } from './block-size.ts';
import type { Recipe } from './lab-parameters.ts';
import { type LabRun, labRun } from './lab-run.ts';

const MOST_AT_ONCE = 16_384;

/**
 * Computes a run anew up to a step, with its changes on the way; between blocks others have their
 * turn.
 *
 * @param rows told of the run after each block
 */
export async function replay(
  { options, changes }: Recipe,
  to: number,
  rows: (run: LabRun) => Promise<void> | void = () => {},
): Promise<LabRun> {
  const run = labRun(options);
  // A block of another size takes the run up again: where rows are cheap, all are of one.
  let size = run.config.model === 'minimal' ? 1024 : 1;
  let sizeBefore = 0;
  run.advance(1);
  await rows(run);
  for (const { after, options: said } of [...changes, { after: to, options: undefined }]) {
    const end = Math.min(after, to);
    while (run.step < end && run.divergedAt === null) {
      const wanted = Math.min(MOST_AT_ONCE, end - run.step);
      size = Math.min(size, wanted);
      const before = performance.now();
      const first = size !== sizeBefore;
      sizeBefore = size;
      run.advance(size);
      if (!first) size = blockSize(wanted, size, performance.now() - before);
      await rows(run);
      await turn();
    }
    if (said && after <= to) run.change(said);
  }
  return run;
}

/** Lets messages come in between. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
