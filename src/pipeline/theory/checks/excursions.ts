import { type Check, type Finding, notReached, percent } from '../check.ts';
import { oscillationGrows, type RunTable } from '../run-table.ts';

/** A stretch of steps with S ≥ 2/η; `overshoot` is its largest ηS/2 − 1. */
export interface Excursion {
  readonly first_step: number;
  readonly last_step: number;
  readonly overshoot: number;
  readonly open: boolean;
}

/** The edge of stability: S goes over 2/η again and again and is brought back each time. */
export const excursions: Check = {
  name: 'edge-of-stability',
  statement: 'every excursion of S over 2/η is brought back below it',
  needs: ['sharpness', 'alpha', 'beta1', 'beta2', 'l1'],
  everyStep: true,
  edge: true,
  run(table): Finding {
    const all = findExcursions(table);
    const closed = all.filter(({ open }) => !open);
    const open = all.find((excursion) => excursion.open);
    const overshoots = all.map(({ overshoot }) => overshoot);
    const mean = overshoots.reduce((sum, x) => sum + x, 0) / overshoots.length;
    const largest = Math.max(...overshoots);
    const lost = open ? lostReason(table, open) : undefined;
    if (!lost && closed.length === 0) return notReached('the first excursion is still under way');
    return {
      verdict: lost ? 'fails' : 'holds',
      measured: closed.length,
      predicted: all.length,
      margin: lost ? -1 : 0,
      text: {
        measured: `${closed.length} of ${all.length} brought back`,
        predicted: open && !lost ? 'all but one under way' : 'all',
        margin: `overshoot mean ${percent(mean)}, largest ${percent(largest)}`,
      },
      ...(lost ? { note: lost } : {}),
      details: { count: all.length, mean_overshoot: mean, largest_overshoot: largest, excursions: all },
    };
  },
};

export function findExcursions(table: RunTable): readonly Excursion[] {
  const threshold = 2 / table.config.eta;
  const sharpness = table.column('sharpness');
  const { step, length } = table;
  const all: Excursion[] = [];
  for (let i = 0; i < length; i++) {
    if (!(sharpness[i]! >= threshold)) continue;
    const first = i;
    let top = sharpness[i]!;
    while (i + 1 < length && sharpness[i + 1]! >= threshold) top = Math.max(top, sharpness[++i]!);
    const overshoot = top / threshold - 1;
    all.push({ first_step: step[first]!, last_step: step[i]!, overshoot, open: i === length - 1 });
  }
  return all;
}

/**
 * Why an excursion that is open at the end will not be brought back; undefined where it may. Over 2/η the oscillation
 * grows (|1 − ηλ₁α²| > 1) until L₁ pushes α down; an excursion in which neither happens is lost.
 */
function lostReason(table: RunTable, { first_step: from }: Excursion): string | undefined {
  if (table.divergedAt !== null) return `the run diverges at step ${table.divergedAt}`;
  const { length, config } = table;
  const first = table.length - 1 - (table.lastStep - from);
  const x = table.column('alpha')[length - 1]! * table.column('beta2')[length - 1]!;
  const pushedBack = 2 * table.column('l1')[length - 1]! >= config.moments.lambda2 * x * (1 - x);
  if (pushedBack || first === length - 1 || oscillationGrows(table, first)) return undefined;
  return `the excursion from step ${from} is not brought back: the oscillation does not grow in it`;
}
