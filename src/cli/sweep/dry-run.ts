import { duration, fileSize, plural } from '../../pipeline/format.ts';
import { anySweepSpec } from '../../pipeline/sweep/any-sweep.ts';
import { EXIT } from '../errors.ts';
import { estimate } from './estimate.ts';
import { type FolderSweep, findSweep, newPlace, sweepFolder } from './folder.ts';
import type { SweepRequest } from './sweep-run.ts';

/** What of a sweep an estimate needs to know; the folder is only looked at. */
export type DryRunRequest = Pick<
  SweepRequest,
  'options' | 'threads' | 'share' | 'extend' | 'logFormat'
> & {
  readonly out: string | undefined;
};

/** Carries out `eos sweep --dry-run`; resolves with the exit code. */
export async function dryRun({
  options,
  out,
  threads,
  share,
  extend,
  logFormat,
}: DryRunRequest): Promise<number> {
  const spec = anySweepSpec(options.said, options.trajectories);
  const place: FolderSweep =
    out === undefined ? newPlace(spec) : (await findSweep(sweepFolder(out), spec, extend)).place;
  const found = await estimate(place, threads, share);
  if (logFormat === 'json') {
    process.stdout.write(
      `${JSON.stringify({ event: 'estimate', sweep: place.sweep.id, ...found })}\n`,
    );
    return EXIT.done;
  }
  const { runs, steps, parts, seconds, bytes } = found;
  const [index, of] = share;
  const which = of === 1 ? '' : ` (shard ${index} of ${of})`;
  process.stderr.write(
    `${plural(runs, 'run')}, ${plural(steps, 'step')}, in ` +
      `${plural(parts, 'part')}${which}\nabout ${duration(seconds)} on ` +
      `${plural(threads, 'thread')} of this machine, about ${fileSize(bytes)}\n`,
  );
  return EXIT.done;
}
