import { stabilityOf } from '../../pipeline/optimizers/index.ts';
import type { ExplainedSpike } from '../../pipeline/phases/measured/spike-cause.ts';
import type { EtaVerdict } from '../../pipeline/phases/measured/spike-explainer.ts';
import { storedSpikes, storedVerdict } from '../../pipeline/phases/measured/spike-text.ts';
import type { PredictedRun } from '../../pipeline/theory/predict.ts';
import { MAX_STRING } from '../load/table.ts';

/**
 * What a run file's metadata says of the run; every field may be missing, since the file may be
 * anybody's.
 */
export interface RunFacts {
  readonly eta?: number;
  readonly lambda1?: number;
  readonly lambda2?: number;
  readonly covariance?: number;
  readonly band: number;
  readonly steps?: number;
  /** Steps from row to row of a thinned run. */
  readonly every?: number;
  /** Largest sharpness at which the run's optimizer is stable. */
  readonly threshold?: number;
  /** The threshold as a formula. */
  readonly thresholdName: string;
  readonly summary?: RunSummary;
  /** Of a run without an end only some rows are kept, and the peaks among them. */
  readonly peaksKept: boolean;
  /** Steps behind which parameters were changed; such a run is of the lab. */
  readonly changes?: readonly number[];
  /** Its start θ₀. */
  readonly init?: readonly number[];
  /** What can be predicted from, where the run is one of the minimal model. */
  readonly minimal?: PredictedRun;
  /** The configuration, flat, for people. */
  readonly parameters: Readonly<Record<string, number | string>>;
  /** Numbers of the summary, flat. */
  readonly numbers: Readonly<Record<string, number>>;
  /** The configuration as a text. */
  readonly configText: string;
  /** What of the metadata could not be understood. */
  readonly problems: readonly string[];
}

export interface RunSummary {
  readonly outcome?: string;
  /**
   * The run was stopped, or is under way: a file that is being written always stands ready to be
   * its last state.
   */
  readonly interrupted: boolean;
  readonly phases: readonly {
    readonly phase: string;
    readonly first: number;
    readonly last: number;
    /** Probability that its beginning is no noise, where phases are measured. */
    readonly confidence?: number;
  }[];
  /** Steps of the peaks of the loss, of those that are listed. */
  readonly spikes: readonly number[];
  /** Those of which the cause is told. */
  readonly explained: readonly ExplainedSpike[];
  /** What they say of the learning rate. */
  readonly etaVerdict: EtaVerdict | null;
  /** Rows with a sharpness, where not all need have one. */
  readonly measured?: number;
  readonly cycles?: number;
  readonly firstCrossing?: number | null;
  readonly maxRatio?: number;
  readonly divergedAt?: number | null;
  readonly finalLoss?: number;
  readonly convergence?: {
    readonly delta?: number;
    readonly epsilon?: number;
    readonly step: number | null;
  };
  readonly slope?: number;
  readonly slopePredicted?: number;
  /** Last step before rows have too few true digits. */
  readonly trustedUntil?: number;
  readonly warnings: readonly string[];
  /** Those among them that hold while the run goes on. */
  readonly standing: readonly string[];
}

/** Longer JSON than this is no run's metadata. */
const MAX_JSON = 4_000_000;
const MAX_LIST = 10_000;
const MAX_PARAMETERS = 60;

/** Reads `eos.config` and `eos.summary`, believing nothing of their shape. */
export function runFacts(metadata: Readonly<Record<string, string>>): RunFacts {
  const problems: string[] = [];
  const config = parse(metadata['eos.config'], 'eos.config', problems);
  const eta = fraction(config.eta);
  // A log tells the formula and its factor; else they follow from the optimizer.
  const stability = stabilityOf(config);
  const factor = number(config.threshold_factor);
  const threshold = eta ? (factor ? factor / eta : stability.threshold(eta)) : undefined;
  const hasSummary = metadata['eos.summary'] !== undefined;
  const summary = parse(metadata['eos.summary'], 'eos.summary', problems);
  return {
    ...defined('eta', eta),
    ...defined('lambda1', number(config.lambda1)),
    ...defined('lambda2', number(config.lambda2)),
    ...defined('covariance', number(record(config.moments).covariance ?? config.covariance)),
    ...defined('steps', number(config.steps)),
    ...defined('every', number(config.every)),
    ...defined('threshold', threshold),
    thresholdName: text(config.threshold) ?? stability.formula,
    peaksKept: metadata['eos.peaks'] !== undefined,
    band: number(config.band) ?? 0.05,
    ...(hasSummary && Object.keys(summary).length > 0 ? { summary: runSummary(summary) } : {}),
    ...defined('changes', numbers(metadata['eos.changes'])),
    ...defined('init', startOf(config)),
    ...defined('minimal', metadata['eos.changes'] ? undefined : minimalRun(config, eta)),
    parameters: flat(config),
    numbers: Object.fromEntries(
      Object.entries(flat(summary)).flatMap(([key, value]) =>
        typeof value === 'number' ? [[key, value] as const] : [],
      ),
    ),
    configText: Object.entries(config)
      .slice(0, 40)
      .map(
        ([key, value]) =>
          `${short(key)} = ${short(typeof value === 'string' ? value : JSON.stringify(value))}`,
      )
      .join('\n'),
    problems,
  };
}

function runSummary(json: Record<string, unknown>): RunSummary {
  const time = record(json.convergence_time);
  return {
    ...defined('outcome', text(json.outcome)),
    interrupted: json.interrupted === true,
    phases: list(json.phases).flatMap((entry) => {
      const { phase, first_step, last_step, confidence } = record(entry);
      const [name, first, last] = [text(phase), number(first_step), number(last_step)];
      return name !== undefined && first !== undefined && last !== undefined
        ? [{ phase: name, first, last, ...defined('confidence', number(confidence)) }]
        : [];
    }),
    spikes: list(json.spikes).flatMap((spike) => number(record(spike).step) ?? []),
    explained: storedSpikes(json.spikes),
    etaVerdict: storedVerdict(json.eta_verdict),
    ...defined('measured', number(json.measured)),
    ...defined('cycles', number(json.cycles)),
    ...defined('firstCrossing', nullable(json.first_crossing)),
    ...defined('maxRatio', number(json.max_sharpness_ratio)),
    ...defined('divergedAt', nullable(json.diverged_at)),
    ...defined('finalLoss', number(json.final_loss)),
    ...(json.convergence_time === undefined
      ? {}
      : {
          convergence: {
            ...defined('delta', number(time.delta)),
            ...defined('epsilon', number(time.epsilon)),
            step: number(time.step) ?? null,
          },
        }),
    ...defined('slope', number(json.l_hat_slope)),
    ...defined('slopePredicted', number(json.l_hat_slope_predicted)),
    ...defined('trustedUntil', number(json.trusted_until)),
    warnings: messages(list(json.warnings)),
    standing: messages(
      list(json.warnings).filter((warning) => record(warning).kind !== 'interrupted'),
    ),
  };
}

function startOf({ init }: Record<string, unknown>): readonly number[] | undefined {
  const numbers = list(init).flatMap((value) => number(value) ?? []);
  return numbers.length === 3 ? numbers : undefined;
}

function minimalRun(
  config: Record<string, unknown>,
  eta: number | undefined,
): PredictedRun | undefined {
  if ((config.model ?? 'minimal') !== 'minimal' || config.dynamics !== undefined) return undefined;
  const [delta, epsilon, floor, steps] = ['delta', 'epsilon', 'floor', 'steps'].map((key) =>
    number(config[key]),
  );
  const { lambda1, lambda2, covariance } = record(config.moments);
  const moments = [lambda1, lambda2, covariance].map(number);
  const init = list(config.init).map(number);
  const all = [eta, delta, epsilon, floor, steps, ...moments, ...init];
  if (init.length !== 3 || all.some((value) => value === undefined)) return undefined;
  return {
    ...{ eta: eta!, delta: delta!, epsilon: epsilon!, floor: floor!, steps: steps! },
    init: init as [number, number, number],
    moments: { lambda1: moments[0]!, lambda2: moments[1]!, covariance: moments[2]! },
    optimizer: text(config.optimizer) ?? 'gd',
  };
}

const messages = (warnings: readonly unknown[]): string[] =>
  warnings.flatMap((warning) => text(warning) ?? text(record(warning).message) ?? []);

function parse(
  json: string | undefined,
  name: string,
  problems: string[],
): Record<string, unknown> {
  if (json === undefined) return {};
  try {
    if (json.length > MAX_JSON) throw new Error('too long');
    return record(JSON.parse(json));
  } catch {
    problems.push(`its ${name} is not readable JSON`);
    return {};
  }
}

/** Parameters, those within others after a dot. */
function flat(config: Record<string, unknown>, prefix = ''): Record<string, number | string> {
  return Object.fromEntries(
    Object.entries(config)
      .slice(0, MAX_PARAMETERS)
      .flatMap(([key, value]): [string, number | string][] => {
        const name = prefix + short(key);
        if (typeof value === 'number' || typeof value === 'string')
          return [[name, typeof value === 'string' ? short(value) : value]];
        if (Array.isArray(value)) return [[name, short(value.join(', '))]];
        // What stands at the top already, as the moments of the minimal model do, is not said
        // twice.
        const inner = prefix === '' ? Object.entries(flat(record(value), `${name}.`)) : [];
        return inner.filter(([each]) => !(each.slice(name.length + 1) in config));
      }),
  );
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
const list = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value.slice(0, MAX_LIST) : [];
const number = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;
const numbers = (list: string | undefined): readonly number[] | undefined =>
  list?.split(',').filter(Boolean).slice(0, MAX_LIST).map(Number).filter(Number.isFinite);
const nullable = (value: unknown): number | null | undefined =>
  value === null ? null : number(value);
const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? short(value) : undefined;
const short = (value: string | undefined): string => (value ?? '').slice(0, MAX_STRING);

/** Numbers are also written as fractions: 1/20. */
function fraction(value: unknown): number | undefined {
  if (typeof value !== 'string') return number(value);
  const [top, bottom = '1', rest] = value.split('/');
  const quotient = Number(top) / Number(bottom);
  return rest === undefined && Number.isFinite(quotient) ? quotient : undefined;
}

function defined<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}
