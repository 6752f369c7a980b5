import { realClock } from '../../pipeline/core/clock.ts';
import { blockSize, MOST_ROWS, SLICE } from './block-size.ts';
import type { Recipe } from './lab-parameters.ts';
import { type LabRun, labRun } from './lab-run.ts';

/**
 * Computes a run anew up to a step, with its changes on the way; once a slice of time others have
 * their turn.
 *
 * @param rows told of the run after each block
 */
export async function replay(
  { options, changes }: Recipe,
  to: number,
  rows: (run: LabRun) => Promise<void> | void = () => {},
): Promise<LabRun> {
  const run = labRun(options);
  let size = run.config.model === 'minimal' ? 1024 : 1;
  run.advance(1);
  await rows(run);
  let turned = performance.now();
  for (const { after, options: said } of [...changes, { after: to, options: undefined }]) {
    const end = Math.min(after, to);
    while (run.step < end && run.divergedAt === null) {
      const wanted = Math.min(MOST_ROWS, end - run.step);
      size = Math.min(size, wanted);
      const before = performance.now();
      run.advance(size);
      size = blockSize(wanted, size, performance.now() - before);
      await rows(run);
      if (performance.now() - turned < SLICE) continue;
      await realClock.yield();
      turned = performance.now();
    }
    if (said && after <= to) run.change(said);
  }
  return run;
}
