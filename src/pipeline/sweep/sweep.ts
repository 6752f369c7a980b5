import { sha256 } from '../formats/platform.ts';
import {
  ConfigError,
  isOfRun,
  type RunConfig,
  type RunOptions,
  resolveConfig,
  varied,
} from '../models/minimal/config.ts';
import type { NetworkConfig } from '../models/network/config.ts';
import { type Axis, parseAxis, parseStarts } from './axis.ts';
import { SWEEP_PARAMETER_NAMES, type SweepParameterName } from './parameters.ts';

/**
 * What a caller may say of a sweep: for each parameter its values as text (see `parseAxis`), the
 * rest from the preset. `init` gives whole starts; `alpha`, `beta1` and `beta2` sweep over the
 * parts of one.
 */
export type SweepOptions = { readonly [P in SweepParameterName]?: string | undefined } & {
  readonly preset?: RunOptions['preset'];
  readonly init?: string | undefined;
  readonly optimizer?: string | null | undefined;
  readonly precision?: RunOptions['precision'] | null;
  /** Keep trajectories, each K-th row of them and all rows near a phase change or peak. */
  readonly trajectories?: number | undefined;
};

/**
 * A sweep in full and in text: nothing is left to defaults, so that it is the same sweep wherever
 * it is read.
 */
export interface SweepSpec {
  readonly axes: { readonly [P in SweepParameterName | 'init']?: string };
  readonly trajectories: number | null;
  /** The optimizer of all runs; gradient descent unless given. */
  readonly optimizer?: string;
  /** Arithmetic of all runs; float64 unless given. */
  readonly precision?: RunConfig['precision'];
}

/** The config of a run of a sweep. */
export type SweptConfig = RunConfig | NetworkConfig;

/** All runs of a spec: the product of its axes, numbered from 0, the last axis fastest. */
export interface Sweep<C extends SweptConfig = RunConfig> {
  readonly model: C['model'];
  /** All of it as JSON holds it. */
  readonly spec: object & {
    readonly axes: Readonly<Record<string, string | undefined>>;
    readonly trajectories: number | null;
  };
  /** Hash of the spec. */
  readonly id: string;
  readonly axes: ReadonlyMap<string, Axis>;
  readonly runs: number;
  /** How long a step takes, roughly, in those of the minimal model in float64. */
  readonly work: number;
  /** Parameters of the run of that number. @throws ConfigError where these cannot go together */
  config(index: number): C;
  /** Whether a run with these parameters is one of this sweep. */
  has(config: SweptConfig): boolean;
}

const PARTS_OF_START = ['alpha', 'beta1', 'beta2'] as const;

/**
 * The spec of a sweep from what the caller said, each value checked.
 * @throws ConfigError naming the first parameter that cannot be used
 */
export function sweepSpec(options: SweepOptions): SweepSpec {
  const base = resolveConfig({ preset: options.preset });
  const parts = PARTS_OF_START.filter((name) => options[name] !== undefined);
  const starts = options.init === undefined ? undefined : parseStarts(options.init);
  if (starts && starts.count > 1 && parts.length > 0) {
    throw new ConfigError(
      'init',
      `several starts and --${parts[0]} do not go together; give one of the two`,
    );
  }
  const start = starts?.at(0) ?? base.init;
  const axes: { [P in SweepParameterName | 'init']?: string } = {};
  for (const name of SWEEP_PARAMETER_NAMES) {
    const part = PARTS_OF_START.indexOf(name as (typeof PARTS_OF_START)[number]);
    if (part >= 0) {
      if (parts.length > 0) axes[name] = parseAxis(name, options[name] ?? String(start[part])).text;
      else if (part === 0) axes.init = (starts ?? parseStarts(start.join(','))).text;
      continue;
    }
    const text = options[name] ?? valueText(base[name as keyof RunConfig]);
    if (text !== undefined) axes[name] = parseAxis(name, text).text;
  }
  const trajectories = options.trajectories ?? null;
  if (trajectories !== null && !(Number.isSafeInteger(trajectories) && trajectories >= 1)) {
    throw new ConfigError(
      'trajectories',
      `every:${trajectories} is no whole number from 1 up; give such as every:10`,
    );
  }
  const { optimizer, precision } = options;
  const spec: SweepSpec = {
    axes,
    trajectories,
    ...(optimizer ? { optimizer } : {}),
    ...(precision && precision !== 'float64' ? { precision } : {}),
  };
  checkValues(spec);
  return spec;
}

function valueText(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

/** A step in arithmetic of many bits takes as long as so many in float64, and more. */
const PRECISE = 100;

/** The runs of a spec that `sweepSpec` has made. */
export function openSweep(spec: SweepSpec): Sweep {
  const axes = new Map<SweepParameterName, Axis>();
  for (const name of SWEEP_PARAMETER_NAMES) {
    const text = spec.axes[name];
    if (text !== undefined) axes.set(name, parseAxis(name, text));
  }
  const starts = spec.axes.init === undefined ? undefined : parseStarts(spec.axes.init);
  // Starts nest where their first part would.
  const order: Nested[] = [];
  for (const name of SWEEP_PARAMETER_NAMES) {
    const axis = axes.get(name);
    if (axis) order.push({ name, axis, known: [] });
    else if (name === 'alpha' && starts) order.push({ name: 'init', axis: starts, known: [] });
  }
  const runs = order.reduce((product, { axis }) => product * axis.count, 1);
  if (!Number.isSafeInteger(runs))
    throw new ConfigError('sweep', `${runs} runs are more than can be numbered`);

  return {
    model: 'minimal',
    spec,
    id: sha256(JSON.stringify(spec)).slice(0, 16),
    axes,
    runs,
    work: spec.precision === undefined ? 1 : PRECISE,
    config: configs(spec, order),
    has(config) {
      if (config.model !== 'minimal') return false;
      if (starts && !starts.has(config.init)) return false;
      if (config.precision !== (spec.precision ?? 'float64')) return false;
      if (spec.optimizer !== undefined && config.optimizer !== spec.optimizer) return false;
      if ((config.samples === null) !== !axes.has('samples')) return false;
      return [...axes].every(([name, axis]) =>
        axis.has(parameterValue(config, name) ?? Number.NaN),
      );
    },
  };
}

type Start = readonly [number, number, number];

/** What a sweep nests: a parameter, or the starts. */
interface Nested {
  readonly name: SweepParameterName | 'init';
  readonly axis: Axis<number | Start>;
  /** Values that have been read, by their numbers. */
  readonly known: (number | Start)[];
}

/** Values of an axis that are kept. */
const MOST_KNOWN = 1 << 16;

/**
 * The config of the run of each number. Values that have been read once are then only looked at
 * together: to read all of a run anew takes as long as hundreds of its steps.
 */
function configs(spec: SweepSpec, order: readonly Nested[]): Sweep['config'] {
  const { optimizer, precision } = spec;
  const swept = order.filter(({ axis }) => axis.count > 1);
  // What is an optimizer's own decides which one it is.
  const alike = swept.every(({ name }) => partOf(name) >= 0 || isOfRun(name));
  let base: RunConfig | undefined;

  return (index) => {
    const numbers: number[] = [];
    let rest = index;
    for (let o = order.length - 1; o >= 0; o--) {
      const { count } = order[o]!.axis;
      numbers[o] = rest % count;
      rest = (rest - numbers[o]!) / count;
    }
    const isKnown = order.every(({ known }, o) => known[numbers[o]!] !== undefined);
    const values: Record<string, unknown> = {};
    const init = [...(base?.init ?? [])];
    for (const [o, { name, axis, known }] of order.entries()) {
      if (isKnown && axis.count === 1) continue;
      const i = numbers[o]!;
      const value = known[i] ?? axis.at(i);
      const part = partOf(name);
      if (part < 0) values[name] = value;
      else values.init = Object.assign(init, { [part]: value });
    }
    if (isKnown && base) return varied(base, values);
    const config = resolveConfig({ ...values, optimizer, precision });
    if (!alike) return config;
    base = config;
    for (const [o, { axis, known }] of order.entries())
      if (numbers[o]! < MOST_KNOWN) known[numbers[o]!] = axis.at(numbers[o]!);
    return config;
  };
}

function partOf(name: string): number {
  return (PARTS_OF_START as readonly string[]).indexOf(name);
}

/** The value of a sweep's parameter in a run; null where it has none. */
export function parameterValue(config: RunConfig, name: SweepParameterName): number | null {
  if (name === 'alpha') return config.init[0];
  if (name === 'beta1') return config.init[1];
  if (name === 'beta2') return config.init[2];
  return config[name] ?? null;
}

/**
 * Identity of a run, wherever it is made: a hash of its parameters. It starts with a letter, so
 * that no reader takes it for a number.
 */
export function runId(config: RunConfig): string {
  let text = config.optimizer === 'gd' ? '' : `optimizer ${config.optimizer};`;
  if (config.precision !== 'float64') text += `precision ${config.precision};`;
  for (const name of SWEEP_PARAMETER_NAMES) text += `${name} ${parameterValue(config, name)};`;
  return `r${sha256(text).slice(0, 20)}`;
}

/** Combinations looked at before a sweep starts; those of a larger one are checked as they come. */
const MOST_CHECKED = 20_000;

/**
 * Tries the values of each axis, and the combinations of those that depend on each other, without
 * sampling any data.
 */
function checkValues(spec: SweepSpec): void {
  const { runs } = openSweep(spec);
  const trial = (keep: readonly string[]) => {
    const texts = Object.entries(spec.axes).map(([name, text]) => [
      name,
      keep.includes(name) ? text : first(name, text),
    ]);
    const { samples: _, ...axes } = Object.fromEntries(texts) as SweepSpec['axes'];
    const sweep = openSweep({ ...spec, axes, trajectories: null });
    const count = Math.min(sweep.runs, MOST_CHECKED);
    for (let i = 0; i < count; i++) sweep.config(i);
    // A range is worst at its ends.
    sweep.config(sweep.runs - 1);
  };
  if (runs <= MOST_CHECKED && spec.axes.samples === undefined) {
    trial(Object.keys(spec.axes));
    return;
  }
  for (const name of Object.keys(spec.axes)) trial([name]);
  trial(['lambda1', 'lambda2', 'covariance', 'init', 'alpha', 'beta1', 'beta2']);
}

function first(name: string, text: string): string {
  return name === 'init'
    ? parseStarts(text).at(0).join(',')
    : String(parseAxis(name as SweepParameterName, text).at(0));
}
