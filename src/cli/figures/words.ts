import { formatFraction, formatNumber, plural } from '../../pipeline/format.ts';
import type { RunTable } from '../../pipeline/theory/run-table.ts';

/** The parameters of a run, as a caption says them. */
export function parameters({ config, lastStep }: RunTable): string {
  const { lambda1, lambda2, covariance } = config.moments;
  const sigma = covariance === 0 ? '' : `, σ = ${formatNumber(covariance, 4)}`;
  const floor = config.floor === 0 ? 'no floor' : `|β₁| ≥ ${formatNumber(config.floor)}`;
  const init = config.init.map((value) => formatNumber(value, 4)).join(',\u00a0');
  return glued(
    `λ₁ = ${formatNumber(lambda1, 4)}, λ₂ = ${formatNumber(lambda2, 4)}${sigma}, η = ` +
      `${formatFraction(config.eta)}, θ₀ = (${init}), ${floor}, ${plural(lastStep, 'step')}`,
  );
}

/** A text in which no line breaks around = + − ≤ ≥, nor within 3 steps. */
export function glued(text: string): string {
  return text.replace(/ ([=+−≤≥]) /g, '\u00a0$1\u00a0').replace(/(\d) (steps?)\b/g, '$1\u00a0$2');
}

/** Said where a drawing leaves something out. */
export const cutOff = (is: boolean): string =>
  is ? ' What lies beyond the frame is cut off.' : '';
