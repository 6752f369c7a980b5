import type { Checkpoint } from '../../pipeline/core/checkpoint.ts';
import type { AnyOperator, BlockSource } from '../../pipeline/core/operator.ts';
import type { Run } from '../../pipeline/core/run.ts';
import type { Dynamics } from '../../pipeline/dynamics/dynamics.ts';
import { type RunConfig, resolveConfig } from '../../pipeline/models/minimal/config.ts';
import { setupNetwork } from '../../pipeline/models/network/config.ts';
import { classifySharpness } from '../../pipeline/operators/classify-sharpness.ts';
import { detectMeasuredPhases } from '../../pipeline/operators/detect-measured-phases.ts';
import { explainSpikes } from '../../pipeline/operators/explain-spikes.ts';
import { flowSolution } from '../../pipeline/operators/flow-solution.ts';
import { relateToThreshold } from '../../pipeline/operators/relate-to-threshold.ts';
import { splitLoss } from '../../pipeline/operators/split-loss.ts';
import { standardOperators } from '../../pipeline/operators/standard.ts';
import { compiledRows } from '../../pipeline/sources/descent/compiled-descent.ts';
import { networkRows } from '../../pipeline/sources/descent/network-descent.ts';
import { networkTrajectoryRows } from '../../pipeline/sources/network-trajectory.ts';
import { trajectoryRows } from '../../pipeline/sources/trajectory.ts';
import { minimalUnder, networkUnder, nextPoint, nextWeights } from './change-optimizer.ts';
import { type LabOptions, labTable } from './lab-parameters.ts';

/** What every run of the lab has in its config. */
export interface LabConfig {
  readonly model: string;
  readonly optimizer: string;
  readonly eta: number;
}

/** Any run, as far as its operators are concerned. */
type AnyRun = Run<never, never>;

/** A run before its first row, and its operators. */
export interface Begun {
  readonly source: BlockSource<AnyRun>;
  readonly operators: readonly AnyOperator<AnyRun>[];
}

/** A model that the lab can train. */
export interface LabModel {
  readonly model: string;
  /** @throws ConfigError naming the first parameter that cannot be used */
  resolve(options: LabOptions): LabConfig;
  begin(config: LabConfig, resume: Checkpoint | undefined): Begun;
  /**
   * A dynamics beside a run, from where that began or went on at its last change.
   * @throws ConfigError where it is not defined for such a run
   */
  beside(dynamics: Dynamics, config: LabConfig, origin: Checkpoint | undefined): Begun;
  /** The checkpoint from which it goes on with the optimizer of this config, at its weights. */
  under(config: LabConfig, checkpoint: Checkpoint): Checkpoint;
}

const ENDLESS = { steps: Number.MAX_SAFE_INTEGER };

const said = ({ model: _, also: __, ...options }: LabOptions): object => ({
  ...options,
  ...ENDLESS,
});
const known = ({ model: _, ...config }: LabConfig): object => config;

const MODELS: readonly LabModel[] = [
  {
    model: 'minimal',
    resolve: (options) => resolveConfig(said(options)),
    begin: (config, resume) =>
      ({
        source: compiledRows(resolveConfig(known(config)), resume ? { resume } : {}),
        operators: standardOperators().filter(
          // A summary speaks of one set of parameters, and of all steps.
          ({ definition: { name } }) => name !== 'summarize' || !resume || name in resume.stages,
        ),
      }) as unknown as Begun,
    beside(dynamics, config, origin) {
      const now = config as RunConfig & LabConfig;
      const from = origin && nextPoint(origin);
      const { alpha, beta1, beta2 } = from?.theta ?? {};
      const init = from ? ([alpha!, beta1!, beta2!] as const) : now.init;
      const own = { ...now, init, dynamics: dynamics.name };
      return {
        source: trajectoryRows(dynamics, own, from?.step),
        operators: [splitLoss(), classifySharpness(), flowSolution()],
      } as unknown as Begun;
    },
    under: (config, checkpoint) => minimalUnder(config as RunConfig, checkpoint),
  },
  {
    model: 'mlp',
    resolve: (options) => setupNetwork(said(options)).config,
    begin: (config, resume) =>
      ({
        source: networkRows(setupNetwork(known(config)), resume ? { resume } : {}, 'unkept'),
        operators: [relateToThreshold(), detectMeasuredPhases(), explainSpikes()],
      }) as unknown as Begun,
    beside: (dynamics, config, origin) =>
      ({
        source: networkTrajectoryRows(
          dynamics,
          setupNetwork(known(config)),
          origin && nextWeights(origin),
        ),
        operators: [relateToThreshold()],
      }) as unknown as Begun,
    under: networkUnder,
  },
];

/** @throws ConfigError where there is no such model, or it has no such parameter */
export function labModel(options: LabOptions): LabModel {
  const { model } = labTable(options);
  return MODELS.find((each) => each.model === model)!;
}
