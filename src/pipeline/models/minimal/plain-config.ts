import { isPlain } from '../../core/is-plain.ts';
import { plainValues } from '../../core/ranges.ts';
import type { RunConfig, RunOptions } from './config.ts';
import { presets } from './presets/index.ts';
import { plainRanges } from './ranges.ts';
import { isDefinite, isSized, isSoundStart } from './soundness.ts';

/**
 * The configuration of a run of plain gradient descent in float64, where all that is said of it
 * will do as it is: what `resolveConfig` makes of it too. Undefined for all else: that is for
 * `resolveConfig` to read or to refuse.
 */
export function plainConfig(given: RunOptions): RunConfig | undefined {
  if (!isPlain(given)) return undefined;
  const base = presets[given.preset ?? 'paper'];
  const values = base && plainValues(plainRanges, { ...given }, base);
  if (!values || values.samples !== null) return undefined;
  const { lambda1, lambda2, covariance } = values as unknown as RunConfig;
  const moments = { lambda1, lambda2, covariance };
  const told = { optimizer: 'gd', model: 'minimal', moments };
  const config = Object.assign(values, told) as unknown as RunConfig;
  const sound = isSized(lambda1) && isSized(lambda2) && isDefinite(moments) && isSoundStart(config);
  return sound ? config : undefined;
}
