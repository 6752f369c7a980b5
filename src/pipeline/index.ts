// The public surface of the library, and nothing else. It runs in Node and in browsers alike; what needs Node stands
// in `eos-stream/node`.
export {
  type ColumnArray,
  type ColumnSpec,
  type ColumnType,
  PHASES,
  type Phase,
  REGIMES,
  type Regime,
  RUN_COLUMNS,
  type RunArrays,
  type RunColumn,
} from './columns.ts';
export { ConfigError, type RunConfig, type RunOptions, resolveConfig } from './config.ts';
export { runBlocks } from './kernel.ts';
export { LOG_COLUMNS, LOG_PHASES, type LogPhase } from './log-columns.ts';
export { createFlow, type Flow, type FlowEnd, flowEnd, flowMinimum } from './model/flow.ts';
export { gradient, hessian, type LossSplit, lossSplit, type Theta } from './model/loss.ts';
export { type Moments, type Spectrum, sampleMoments, spectrum } from './model/moments.ts';
export { sharpness } from './model/sharpness.ts';
export { balance, solution, solutionSharpness } from './model/solution.ts';
export { edgeAlpha, predictedMeanL1, predictedSlope, surrogateLoss } from './model/surrogate.ts';
export { classifySharpness } from './operators/classify-sharpness.ts';
export { detectLogPhases, type LogEvent } from './operators/detect-log-phases.ts';
export { detectPhases } from './operators/detect-phases.ts';
export { flowSolution } from './operators/flow-solution.ts';
export { relateToThreshold } from './operators/relate-to-threshold.ts';
export type { RunSummary, RunWarning } from './operators/run-summary.ts';
export { splitLoss } from './operators/split-loss.ts';
export { summarize } from './operators/summarize.ts';
export { thin } from './operators/thin.ts';
export { type Step, toSteps } from './operators/to-steps.ts';
export { type PresetName, presets } from './presets.ts';
export { createSeriesDetector, SERIES_DEFAULTS, type SeriesDetector, type SeriesOptions } from './series/detector.ts';
export { arrowSink } from './sinks/arrow.ts';
export { type ByteTarget, memoryTarget } from './sinks/byte-target.ts';
export { logSink } from './sinks/log-sink.ts';
export { parquetSink } from './sinks/parquet.ts';
export { phaseLog, type RunEvent } from './sinks/phase-log.ts';
export { centralFlow } from './source/central-flow.ts';
export { constrainedTrajectory } from './source/constrained-trajectory.ts';
export { gradientDescent, type ModelBatch, type ModelRun, type SourceOptions } from './source/gradient-descent.ts';
export { gradientFlow } from './source/gradient-flow.ts';
export { type EtaSchedule, parseEta } from './source/training-log/eta-schedule.ts';
export type { LogInput } from './source/training-log/feed.ts';
export { LogError } from './source/training-log/log-error.ts';
export {
  type LogBatch,
  type LogConfig,
  type LogOptions,
  type LogRun,
  type LogSummary,
  trainingLog,
} from './source/training-log/training-log.ts';
export type { DynamicsName, TrajectorySource } from './source/trajectory.ts';
export type { Run, StepBatch } from './step-batch.ts';
export type { Check, CheckResult, Finding, Verdict } from './theory/check.ts';
export { collectRun, type RunTable, runTable } from './theory/run-table.ts';
export { CHECKS, verifyRun } from './theory/verify.ts';
export { stabilityThreshold, type Threshold } from './thresholds.ts';
