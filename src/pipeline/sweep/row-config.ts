import { type RunOptions, resolveConfig } from '../models/minimal/config.ts';
import { type NetworkOptions, setupNetwork } from '../models/network/config.ts';
import { NETWORK_SWEEP_PARAMETERS, networkColumnName } from './network-parameters.ts';
import { runId, type SweptConfig } from './sweep.ts';

/** A value of a row of a sweep's summary; null where it has none. */
export type RowValue = (column: string) => number | string | null;

/**
 * The parameters of the run of a row.
 * @throws ConfigError where these are of no run
 */
export function configOfRow(model: SweptConfig['model'], at: RowValue): SweptConfig {
  if (model === 'mlp') return setupNetwork(networkOptionsOfRow(at)).config;
  const options = optionsOfRow(at);
  const bits = at('precision');
  const configs = (
    bits === null ? ['float64' as const] : [`${Number(bits)}` as const, 'auto' as const]
  ).map((precision) => resolveConfig({ ...options, precision }));
  return configs.find((config) => runId(config) === at('run_id')) ?? configs[0]!;
}

/** Parameters of a row of networks, as `networkDescent` takes them. */
export function networkOptionsOfRow(at: RowValue): NetworkOptions {
  const values = Object.keys(NETWORK_SWEEP_PARAMETERS).flatMap((name) => {
    const value = at(networkColumnName(name));
    return value === null ? [] : [[name, value]];
  });
  return Object.fromEntries(values) as NetworkOptions;
}

/** Parameters of a row of the minimal model, as `gradientDescent` takes them. */
export function optionsOfRow(at: RowValue): RunOptions {
  const number = (column: string) => Number(at(column));
  return {
    lambda1: number('lambda1'),
    lambda2: number('lambda2'),
    covariance: number('covariance'),
    samples: at('samples') === null ? null : number('samples'),
    seed: number('seed'),
    eta: number('eta'),
    ...optimizerOf(at('momentum'), at('dampening')),
    init: [number('init_alpha'), number('init_beta1'), number('init_beta2')],
    floor: number('floor'),
    steps: number('steps'),
    delta: number('delta'),
    epsilon: number('epsilon'),
    band: number('band'),
  };
}

/** The optimizer of a row, by the parameters that it has. */
function optimizerOf(momentum: unknown, dampening: unknown): RunOptions {
  if (momentum === null) return { optimizer: 'gd' };
  if (dampening === null) return { optimizer: 'nesterov', momentum: Number(momentum) };
  return { optimizer: 'momentum', momentum: Number(momentum), dampening: Number(dampening) };
}
