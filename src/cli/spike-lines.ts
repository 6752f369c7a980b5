import { plainNumber } from '../pipeline/format.ts';
import type { ExplainedSpike } from '../pipeline/phases/measured/spike-cause.ts';
import type { EtaVerdict } from '../pipeline/phases/measured/spike-explainer.ts';

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
      return 'not the edge of the run: the learning rate had jumped';
    case 'kick':
      return 'not the edge: the loss rose within a step or two';
    case 'unknown':
      return (
        `${wholePercent(share)} of the rise in ${where}, all that are followed; --eigenvalues ` +
        'follows more'
      );
    case 'other':
      return `not the edge: only ${wholePercent(share)} of the rise is in directions there`;
  }
}

/** What all spikes say of the learning rate. */
export function etaVerdictText({ ratio, eta_that_holds: holds }: EtaVerdict): string {
  return (
    `η is ${wholePercent(ratio - 1)} over what its spikes bear: ${plainNumber(holds, 3)} would ` +
    'have held'
  );
}

function wholePercent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
