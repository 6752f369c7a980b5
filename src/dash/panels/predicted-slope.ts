import type { Run } from '../app.ts';
import { coarsePhases } from './phase-bands.ts';
import type { DerivedLine } from './series.ts';

/**
 * The line of slope 2·ln(1 − 2λ₂/λ₁) through L̂ at the first crossing of the edge: how fast the surrogate loss falls
 * while α stays there.
 */
export function predictedSlope(run: Run): DerivedLine | undefined {
  const { lambda1, lambda2, summary } = run.facts;
  const crossing = coarsePhases(run.phases).find(({ word }) => word === 'edge-of-stability');
  const anchor = run.anchors.get('l_hat');
  if (!lambda1 || !lambda2 || !crossing || !(anchor && anchor > 0)) return undefined;
  const slope = summary?.slopePredicted ?? 2 * Math.log(1 - (2 * lambda2) / lambda1);
  return {
    from: crossing.first,
    to: crossing.last,
    at: (step) => anchor * Math.exp(slope * (step - crossing.first)),
  };
}
