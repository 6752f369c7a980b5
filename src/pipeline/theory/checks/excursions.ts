import { type Check, type Finding, notReached, percent } from '../check.ts';
import { lostReason } from '../evidence.ts';
import type { RunTable } from '../run-table.ts';

/** A stretch of steps with S at or over the threshold τ; `overshoot` is its largest S/τ − 1. */
export interface Excursion {
  readonly first_step: number;
  readonly last_step: number;
  readonly overshoot: number;
  readonly open: boolean;
}

/**
 * The edge of stability: S goes over 2/η again and again and is brought back each time. An
 * excursion that the end of the run cuts off is open; it fails only where there is evidence that it
 * will not be brought back (see `lostReason`).
 */
export const excursions: Check = {
  name: 'edge-of-stability',
  statement:
    'every excursion of S over 2/η, or the threshold of its optimizer, is brought back below it',
  needs: ['sharpness', 'alpha', 'beta1', 'beta2', 'l1'],
  oscillates: true,
  everyStep: true,
  edge: true,
  run(table): Finding {
    const all = findExcursions(table);
    const closed = all.filter(({ open }) => !open);
    const open = all.find((excursion) => excursion.open);
    const overshoots = all.map(({ overshoot }) => overshoot);
    const mean = overshoots.reduce((sum, x) => sum + x, 0) / overshoots.length;
    const largest = Math.max(...overshoots);
    const lost = open ? lostReason(table, open.first_step) : undefined;
    const shown = (lost && open) || all[overshoots.indexOf(largest)]!;
    if (!lost && closed.length === 0) return notReached('the first excursion is still under way');
    return {
      verdict: lost ? 'fails' : 'holds',
      measured: closed.length,
      predicted: all.length,
      margin: lost ? -1 : 0,
      steps: [shown.first_step, shown.last_step],
      text: {
        measured: `${closed.length} of ${all.length} brought back`,
        predicted: open && !lost ? 'all but one under way' : 'all',
        margin: `overshoot mean ${percent(mean)}, largest ${percent(largest)}`,
      },
      ...(lost ? { note: lost } : {}),
      details: {
        count: all.length,
        mean_overshoot: mean,
        largest_overshoot: largest,
        excursions: all,
      },
    };
  },
};

export function findExcursions(table: RunTable): readonly Excursion[] {
  const threshold = table.stability.threshold(table.config.eta);
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
