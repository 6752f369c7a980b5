// Functions of the library that loops call too, as the library offers them: each looks at its
// arguments first.

import {
  aFunction,
  aNumber,
  aPositiveNumber,
  aSwitch,
  aText,
  being,
  type Check,
  choosing,
  guarded,
  holding,
  isNumber,
  optional,
  wholeFrom,
} from './core/guard.ts';
import { isPlain } from './core/is-plain.ts';
import * as operators from './core/operator.ts';
import { didYouMean } from './core/suggest.ts';
import { RUN_COLUMNS } from './models/minimal/columns.ts';
import * as flow from './models/minimal/flow.ts';
import * as losses from './models/minimal/loss.ts';
import * as inputs from './models/minimal/moments.ts';
import * as samples from './models/minimal/sample-moments.ts';
import * as hessians from './models/minimal/sharpness.ts';
import * as solutions from './models/minimal/solution.ts';
import { isDefinite } from './models/minimal/soundness.ts';
import * as surrogates from './models/minimal/surrogate.ts';
import * as thresholds from './optimizers/thresholds.ts';
import * as detectors from './phases/measured/detector.ts';
import * as schedules from './sources/training-log/eta-schedule.ts';
import * as trajectories from './sources/trajectory.ts';
import * as tables from './theory/run-table.ts';
import * as theory from './theory/verify.ts';

const THETA = holding({ alpha: aNumber, beta1: aNumber, beta2: aNumber });

const SPECTRUM = holding(
  Object.fromEntries(['large', 'small', 'u1', 'u2', 'v1', 'v2'].map((name) => [name, aNumber])),
);

const MOMENTS: Check = (what, value) => {
  holding({ lambda1: aPositiveNumber, lambda2: aPositiveNumber, covariance: aNumber })(what, value);
  being('positive definite: |covariance| is not below √(lambda1·lambda2)', (moments) =>
    isDefinite(moments as inputs.Moments),
  )(what, value);
};

const STABILITY = holding({ threshold: aFunction, ratio: aFunction, decay: aFunction });

const CONFIG = holding({
  moments: MOMENTS,
  eta: aPositiveNumber,
  init: being(
    'a list of three numbers',
    (init) => Array.isArray(init) && init.length === 3 && init.every(isNumber),
  ),
  steps: aNumber,
  floor: aNumber,
  optimizer: aText,
});

const FLOW_OPTIONS = choosing({ tolerance: aPositiveNumber, project: aSwitch });

const isArray = (value: unknown): value is ArrayLike<number> =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

const COLUMNS: Check = (what, value) => {
  const length = { step: being('an array of numbers', isArray) };
  holding(length)(what, value);
  const columns = value as Readonly<Record<string, unknown>>;
  const known = RUN_COLUMNS.map(({ name }) => name as string);
  const rows = (columns.step as Float64Array).length;
  for (const [name, values] of Object.entries(columns)) {
    if (!known.includes(name))
      throw new TypeError(`${what}: there is no column ${name}${didYouMean(name, known)}`);
    if (isArray(values) ? values.length !== rows : values !== undefined)
      throw new TypeError(`${what}.${name}: it is not an array of as many values as step`);
  }
};

/** @function */
export const balance = guarded('balance', { theta: THETA }, solutions.balance);

/** @function */
export const createFlow = guarded(
  'createFlow',
  { start: THETA, moments: MOMENTS, options: FLOW_OPTIONS },
  flow.createFlow,
);

/** @function */
export const createSeriesDetector = guarded(
  'createSeriesDetector',
  {
    options: choosing(
      Object.fromEntries(Object.keys(detectors.SERIES_DEFAULTS).map((name) => [name, aNumber])),
    ),
    saved: optional(
      being('the state of a detector', (saved) =>
        ['history', 'noise', 'motion', 'losses', 'spikes'].every((part) =>
          isPlain(Object(saved)[part]),
        ),
      ),
    ),
  },
  detectors.createSeriesDetector,
);

/** @function */
export const edgeAlpha = guarded(
  'edgeAlpha',
  { lambda1: aPositiveNumber, eta: aPositiveNumber, stability: STABILITY },
  surrogates.edgeAlpha,
);

/** @function */
export const flowEnd = guarded(
  'flowEnd',
  { start: THETA, moments: MOMENTS, visit: optional(aFunction), options: FLOW_OPTIONS },
  flow.flowEnd,
);

/** @function */
export const flowMinimum = guarded(
  'flowMinimum',
  { theta: THETA, moments: MOMENTS },
  flow.flowMinimum,
);

/** @function */
export const gradient = guarded(
  'gradient',
  { theta: THETA, moments: MOMENTS, r: optional(aNumber) },
  losses.gradient,
);

/** @function */
export const hessian = guarded('hessian', { theta: THETA, moments: MOMENTS }, losses.hessian);

/** @function */
export const lossSplit = guarded(
  'lossSplit',
  { theta: THETA, moments: MOMENTS, r: optional(aNumber) },
  losses.lossSplit,
);

/** @function */
export const operator = guarded(
  'operator',
  {
    definition: holding({
      name: aText,
      needs: being('an object of columns, each with who adds it', isPlain),
      adds: being('a list of columns', Array.isArray),
      start: aFunction,
    }),
  },
  operators.operator,
);

/** @function */
export const parseEta = guarded('parseEta', { text: aText }, schedules.parseEta);

const SURROGATE = { alpha: aNumber, beta2: aNumber, lambda2: aNumber, alphaHat: aNumber };

/** @function */
export const predictedMeanL1 = guarded('predictedMeanL1', SURROGATE, surrogates.predictedMeanL1);

/** @function */
export const predictedSlope = guarded(
  'predictedSlope',
  { moments: MOMENTS, stability: STABILITY },
  surrogates.predictedSlope,
);

/** @function */
export const runTable = guarded(
  'runTable',
  {
    config: CONFIG,
    columns: COLUMNS,
    divergedAt: optional(
      being('a step, or null', (step) => step === null || Number.isSafeInteger(step)),
    ),
  },
  tables.runTable,
);

/** @function */
export const sampleMoments = guarded(
  'sampleMoments',
  { moments: MOMENTS, n: wholeFrom(1), seed: wholeFrom(0) },
  samples.sampleMoments,
);

/** @function */
export const sharpness = guarded(
  'sharpness',
  { theta: THETA, spectrum: SPECTRUM },
  hessians.sharpness,
);

/** @function */
export const solution = guarded('solution', { theta: THETA, moments: MOMENTS }, solutions.solution);

/** @function */
export const solutionSharpness = guarded(
  'solutionSharpness',
  { q: aNumber, moments: MOMENTS, s: SPECTRUM },
  solutions.solutionSharpness,
);

/** @function */
export const spectrum = guarded('spectrum', { moments: MOMENTS }, inputs.spectrum);

/** @function */
export const stabilityThreshold = guarded(
  'stabilityThreshold',
  {
    options: choosing({
      optimizer: aText,
      beta: aNumber,
      dampening: aNumber,
      weightDecay: aNumber,
      expression: aText,
    }),
  },
  thresholds.stabilityThreshold,
);

/** @function */
export const surrogateLoss = guarded('surrogateLoss', SURROGATE, surrogates.surrogateLoss);

/** @function */
export const trajectory = guarded(
  'trajectory',
  { dynamics: holding({ name: aText, start: aFunction }) },
  trajectories.trajectory,
);

/** @function */
export const verifyRun = guarded(
  'verifyRun',
  {
    table: holding({ config: CONFIG, has: aFunction, column: aFunction, stored: aFunction }),
  },
  theory.verifyRun,
);
