// The public surface of the library, and nothing else. It runs in Node and in browsers alike; what
// needs Node stands in `eos-stream/node`.

export {
  balance,
  createFlow,
  createSeriesDetector,
  edgeAlpha,
  flowEnd,
  flowMinimum,
  gradient,
  hessian,
  lossSplit,
  operator,
  parseEta,
  predictedMeanL1,
  predictedSlope,
  runTable,
  sampleMoments,
  sharpness,
  solution,
  solutionSharpness,
  spectrum,
  stabilityThreshold,
  surrogateLoss,
  trajectory,
  verifyRun,
} from './checked.ts';
export type { Batch } from './core/batch.ts';
export type { Checkpoint, StageSnapshot, StageState } from './core/checkpoint.ts';
export type { Clock } from './core/clock.ts';
export type { Operator, OperatorDefinition, Stage } from './core/operator.ts';
export type {
  Given,
  Nullable,
  NumberParameter,
  NumbersParameter,
  OptionsOf,
  Parameter,
  ParameterTable,
  PartOfNumbers,
  Plain,
  SwitchParameter,
  TextParameter,
  WordParameter,
  WordsParameter,
} from './core/parameters.ts';
export type { CompiledOperator, Run, RunEnd, Stability } from './core/run.ts';
export type { ArrayOf, ArraysOf, Column, ColumnArray, ColumnType, Schema } from './core/schema.ts';
export type { SourceOptions } from './core/source-options.ts';
export type { ReadState, StateReader } from './core/stored-state.ts';
export { central } from './dynamics/central.ts';
export { constrained } from './dynamics/constrained.ts';
export type { Dynamics, Mover, NetworkMover } from './dynamics/dynamics.ts';
export { edge } from './dynamics/edge.ts';
export { gradientFlow } from './dynamics/gradient-flow.ts';
export { type ArrowSinkOptions, arrowSink } from './formats/arrow/arrow-sink.ts';
export type { ByteSource } from './formats/byte-source.ts';
export { type ByteTarget, memoryTarget, type SinkTarget } from './formats/byte-target.ts';
export { DamagedFileError, UnsupportedFileError } from './formats/file-errors.ts';
export { type ParquetSinkOptions, parquetSink } from './formats/parquet/parquet-sink.ts';
export {
  type ReadColumn,
  type ReadRun,
  type ReadRunOptions,
  type RunSource,
  readRun,
} from './formats/read-run.ts';
export type {
  ArrowBlock,
  Compression,
  Metadata,
  Rows,
  TableFormat,
  TableState,
  TableWriter,
} from './formats/table-format.ts';
export type { CoarsePhase } from './models/minimal/coarse-phases.ts';
export {
  PHASES,
  type Phase,
  REGIMES,
  type Regime,
  RUN_COLUMNS,
  type RunArrays,
  type RunColumn,
} from './models/minimal/columns.ts';
export {
  ConfigError,
  type RunConfig,
  type RunOptions,
  resolveConfig,
} from './models/minimal/config.ts';
export type { DescentState } from './models/minimal/descend.ts';
export type { Flow, FlowEnd, FlowOptions } from './models/minimal/flow.ts';
export type { LossSplit, Theta } from './models/minimal/loss.ts';
export type { Moments, Spectrum } from './models/minimal/moments.ts';
export { type PresetName, presets } from './models/minimal/presets/index.ts';
export type {
  ModelBatch,
  ModelRun,
  PointArrays,
  PointColumn,
  SourceArrays,
  SourceBatch,
} from './models/minimal/run.ts';
export type {
  Outcome,
  PhaseSpan,
  RunSummary,
  RunWarning,
} from './models/minimal/summary.ts';
export type {
  NetworkConfig,
  NetworkOptions,
  networkRunParameters,
} from './models/network/config.ts';
export type {
  EdgeStep,
  Network,
  OperatorOptions,
  Spectrum as NetworkSpectrum,
  TrackerState,
  TrackOptions,
} from './models/network/network.ts';
export { networkPresets } from './models/network/presets/index.ts';
export { classifySharpness } from './operators/classify-sharpness.ts';
export { detectMeasuredPhases, type MeasuredEvent } from './operators/detect-measured-phases.ts';
export { detectPhases } from './operators/detect-phases.ts';
export { explainSpikes, type SpikeSummary } from './operators/explain-spikes.ts';
export { flowSolution } from './operators/flow-solution.ts';
export { type NetworkEvent, networkPipeline } from './operators/network-pipeline.ts';
export type {
  NetworkArrays,
  NetworkBatch,
  NetworkRun,
  NetworkSummary,
} from './operators/network-run.ts';
export { relateToThreshold } from './operators/relate-to-threshold.ts';
export { splitLoss } from './operators/split-loss.ts';
export { standardPipeline } from './operators/standard.ts';
export { summarize } from './operators/summarize.ts';
export { type Thinnable, thin } from './operators/thin.ts';
export { type Step, toSteps } from './operators/to-steps.ts';
export type { Threshold, ThresholdOptions } from './optimizers/thresholds.ts';
export {
  MEASURED_COLUMNS,
  MEASURED_PHASES,
  type MeasuredPhase,
} from './phases/measured/columns.ts';
export type { Rest } from './phases/measured/convergence.ts';
export {
  type Jump,
  type RowPhase,
  SERIES_DEFAULTS,
  type SeriesDetector,
  type SeriesOptions,
  type SeriesResult,
  type SeriesState,
} from './phases/measured/detector.ts';
export type { MotionState } from './phases/measured/edge-motion.ts';
export type { Block, HistoryState } from './phases/measured/history.ts';
export type { Disturbance, JumpState, LearningRateJump } from './phases/measured/jumps.ts';
export type { LossState } from './phases/measured/loss-watch.ts';
export type { NoiseState } from './phases/measured/noise-scale.ts';
export type {
  PhaseChange,
  PhaseFinding,
  SeriesPhase,
  SeriesSpan,
  Told,
} from './phases/measured/phase-spans.ts';
export type { ExplainedSpike, SpikeCause, SpikeRow } from './phases/measured/spike-cause.ts';
export type { EtaVerdict, ExplainerState, SpikeCauses } from './phases/measured/spike-explainer.ts';
export type { Rise, Spike, SpikeState } from './phases/measured/spikes.ts';
export type {
  MeasuredConfig,
  MeasuredRun,
  MeasuredSummary,
  MeasuredWarning,
  Skipped,
} from './phases/measured/summary.ts';
export { phaseLog, type RunEvent } from './sinks/phase-log.ts';
export type { TableStart } from './sinks/table-sink.ts';
export { compiledDescent } from './sources/descent/compiled-descent.ts';
export { gradientDescent } from './sources/descent/light-descent.ts';
export { networkDescent } from './sources/descent/network-descent.ts';
export type { DescentOptions } from './sources/descent/stepper.ts';
export type { GivenColumns } from './sources/training-log/column-names.ts';
export type { EtaSchedule } from './sources/training-log/eta-schedule.ts';
export type { LogInput } from './sources/training-log/feed.ts';
export { LogError, type Tally } from './sources/training-log/log-error.ts';
export type { RowField } from './sources/training-log/row-block.ts';
export {
  type LogBatch,
  type LogColumns,
  type LogConfig,
  type LogOptions,
  type LogRun,
  type LogSourceOptions,
  trainingLog,
} from './sources/training-log/training-log.ts';
export type { TrajectoryBatch } from './sources/trajectory.ts';
export { runBlocks } from './sweep/kernel.ts';
export type { Check, CheckResult, Finding, Verdict } from './theory/check.ts';
export { collectRun, type RunColumns, type RunTable } from './theory/run-table.ts';
export { CHECKS } from './theory/verify.ts';
