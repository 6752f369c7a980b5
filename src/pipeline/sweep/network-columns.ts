import { NETWORK_SWEEP_PARAMETERS, networkColumnName } from './network-parameters.ts';
import type { NetworkResult } from './network-result.ts';
import { networkRunId, networkValue } from './network-sweep.ts';
import {
  column,
  double,
  nullable,
  OUTCOMES,
  type SweepColumn,
  text,
  whole,
} from './sweep-columns.ts';

type Column = SweepColumn<NetworkResult>;

/** Columns of the summary of a sweep of networks: the run, its parameters, its `eos.summary`. */
export const NETWORK_SWEEP_COLUMNS: readonly Column[] = [
  text('run_id', 'hash of all parameters', ({ config }) => networkRunId(config)),
  ...Object.keys(NETWORK_SWEEP_PARAMETERS).map(parameterColumn),
  {
    ...column(
      'outcome',
      'STRING',
      '',
      '',
      'what became of the run, by measured loss and sharpness',
    ),
    words: OUTCOMES,
    of: ({ summary }) => OUTCOMES.indexOf(summary.outcome),
  },
  {
    ...column('interrupted', 'BOOLEAN', '', '', 'stopped before its last step: never, in a sweep'),
    of: ({ summary }) => summary.interrupted,
  },
  json('phases', '[{phase, first_step, last_step, …}]', ({ summary }) => summary.phases),
  whole('cycles', 'upward crossings of the threshold', ({ summary }) => summary.cycles),
  nullable(
    whole('first_crossing', 'first step at the edge of stability', (r) => r.summary.first_crossing),
  ),
  nullable(
    double(
      'max_sharpness_ratio',
      'max S/threshold',
      'largest ratio of sharpness to the threshold of the optimizer',
      (r) => r.summary.max_sharpness_ratio,
    ),
  ),
  nullable(
    double(
      'effective_threshold',
      '',
      'level of the sharpness at the edge over the threshold, where it is clearly another',
      (r) => r.summary.effective_threshold,
    ),
  ),
  nullable(
    whole('diverged_at', 'first step whose loss has diverged', (r) => r.summary.diverged_at),
  ),
  double('final_loss', 'L', 'loss of the last row', ({ summary }) => summary.final_loss),
  whole('last_step', 'step of the last row', ({ summary }) => summary.last_step),
  whole('rows', 'rows of the run', ({ summary }) => summary.rows),
  whole('measured', 'rows with a sharpness', ({ summary }) => summary.measured),
  whole('spike_count', 'spikes of the loss', ({ summary }) => summary.spike_count),
  json('spikes', 'the first 1000 spikes, each with its cause', ({ summary }) => summary.spikes),
  whole('edge_spikes', 'spikes whose cause is the edge', ({ summary }) => summary.edge_spikes),
  nullable(
    double(
      'eta_that_holds',
      'η',
      'largest learning rate that would have held under the worst spike of the edge',
      ({ summary }) => summary.eta_verdict?.eta_that_holds ?? null,
    ),
  ),
  nullable(
    double(
      'spike_ratio',
      'S/threshold',
      'largest sharpness over the threshold while a spike of the edge grew',
      ({ summary }) => summary.eta_verdict?.ratio ?? null,
    ),
  ),
  json('skipped', 'what was not used: nothing, in a sweep', ({ summary }) => summary.skipped),
  json('columns', 'which column was taken as what', ({ summary }) => summary.columns),
  json('warnings', '[{kind, step, message}]', ({ summary }) => summary.warnings),
  nullable(
    double('final_sharpness_ratio', 'S/threshold', 'ratio as last measured', ({ finalRatio }) =>
      Number.isNaN(finalRatio) ? null : finalRatio,
    ),
  ),
  double('wall_seconds', 's', 'time the run took', (_, seconds) => seconds),
];

function json(name: string, meaning: string, of: (result: NetworkResult) => unknown): Column {
  return text(name, `JSON: ${meaning}`, (result) => JSON.stringify(of(result)));
}

function parameterColumn(name: string): Column {
  const parameter = NETWORK_SWEEP_PARAMETERS[name]!;
  const { symbol = '', meaning } = parameter;
  const of = ({ config }: NetworkResult) => networkValue(config, name);
  if (parameter.type === 'integer')
    return nullable(whole(networkColumnName(name), meaning, of, symbol));
  if (parameter.type === 'number')
    return nullable(double(networkColumnName(name), symbol, meaning, of));
  return nullable(text(networkColumnName(name), meaning, of));
}
