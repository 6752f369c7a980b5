import { plainNumber } from '../../format.ts';
import { LEAST_SHARE } from './constants.ts';
import type { ExplainedSpike, SpikeCause } from './spike-cause.ts';
import type { EtaVerdict } from './spike-explainer.ts';

/** Spikes that a summary lists. */
export const MOST_SPIKES = 1000;

const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];

/** Why a spike happened, in words. */
export function spikeCauseText(spike: ExplainedSpike): string {
  const { cause, share, directions, leading, ratio, eta_that_holds: holds } = spike;
  const number = NUMBERS[directions] ?? String(directions);
  const most = directions > 1 && leading !== undefined ? ` (${wholePercent(leading)} in one)` : '';
  const where = `${number} direction${directions === 1 ? '' : 's'}${most}`;
  if (share === null) return 'why is not known: nothing was measured while it rose';
  switch (cause) {
    case 'edge':
      return holds === null
        ? `${wholePercent(share)} of the rise in ${where} at the edge`
        : `${wholePercent(share)} of the rise in ${where} at ${plainNumber(ratio, 3)} × ` +
            `threshold; η ≤ ${plainNumber(holds, 3)} would have held`;
    case 'learning-rate':
      return 'not the edge of the run: the learning rate had risen';
    case 'kick':
      return 'not the edge: the loss rose within few steps';
    case 'unknown':
      return (
        `${wholePercent(share)} of the rise in ${where}, all that are followed; --eigenvalues ` +
        'follows more'
      );
    case 'other':
      if (share >= LEAST_SHARE)
        return `not the edge: the sharpness was ${plainNumber(ratio, 3)} × threshold at most`;
      return `not the edge: ${smallPart(share)} of the rise is in directions there`;
  }
}

/** What all spikes say of the learning rate. */
export function etaVerdictText({ ratio, eta_that_holds: holds }: EtaVerdict): string {
  return (
    `η is ${wholePercent(ratio - 1)} over what its spikes bear: ${plainNumber(holds, 3)} would ` +
    'have held'
  );
}

const smallPart = (share: number) =>
  Math.round(100 * share) === 0 ? 'nothing' : `only ${wholePercent(share)}`;

function wholePercent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

const CAUSES: readonly unknown[] = [
  'edge',
  'learning-rate',
  'kick',
  'other',
  'unknown',
] satisfies readonly SpikeCause[];
const isNumber = (value: unknown): value is number => Number.isFinite(value);

/**
 * The explained spikes in the list of a stored summary; whatever is none is left out, since a file
 * may be anybody's.
 */
export function storedSpikes(list: unknown): readonly ExplainedSpike[] {
  if (!Array.isArray(list)) return [];
  return list.slice(0, MOST_SPIKES).filter((entry: unknown): entry is ExplainedSpike => {
    if (typeof entry !== 'object' || entry === null) return false;
    const spike = entry as Partial<Record<keyof ExplainedSpike, unknown>>;
    const { begin, step, end, rise, directions, ratio, share, leading } = spike;
    return (
      CAUSES.includes(spike.cause) &&
      [begin, step, end, rise, directions, ratio].every(isNumber) &&
      [share, spike.eta_that_holds].every((value) => value === null || isNumber(value)) &&
      (leading === undefined || isNumber(leading))
    );
  });
}

/** The verdict on the learning rate in a stored summary; null where there is none. */
export function storedVerdict(value: unknown): EtaVerdict | null {
  if (typeof value !== 'object' || value === null) return null;
  const { ratio, eta_that_holds: holds } = value as Partial<EtaVerdict>;
  return isNumber(ratio) && isNumber(holds) ? { ratio, eta_that_holds: holds } : null;
}
