import type { Observable } from 'rxjs';
import { bytesOf } from '../../core/base64.ts';
import type { ColumnArray } from '../../core/schema.ts';
import { type RowSource, source } from '../../core/source.ts';
import { checkSourceOptions } from '../../core/source-options.ts';
import type { StateReader } from '../../core/stored-state.ts';
import { DOUBTFUL_DECOUPLED, DOUBTFUL_DIGITS } from '../../models/minimal/agreement.ts';
import { runColumns } from '../../models/minimal/columns.ts';
import { type RunConfig, type RunOptions, resolveConfig } from '../../models/minimal/config.ts';
import { type DescentState, initialState } from '../../models/minimal/descend.ts';
import { KERNEL_BYTES } from '../../models/minimal/kernel-bytes.ts';
import { spectrum } from '../../models/minimal/moments.ts';
import { rowAgreement, rowContext } from '../../models/minimal/row-agreement.ts';
import type { ModelRun, SourceArrays, SourceBatch } from '../../models/minimal/run.ts';
import { edgeAlpha } from '../../models/minimal/surrogate.ts';
import { hypot, log10 } from '../../numeric/elementary.ts';
import { gdStability } from '../../optimizers/gd.ts';
import { beginRun, descentRows, storedDescent } from './descent-rows.ts';
import { type DescentOptions, rowsOf, type Stepper } from './stepper.ts';

/** What the WebAssembly module of models/minimal/kernel offers; addresses are in bytes. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  column(index: number): number;
  numbers(): number;
  descend(count: number): void;
  split(count: number, lambda1: number, lambda2: number, alphaHat: number): void;
  classify(count: number, eta: number, band: number, ...axes: number[]): void;
  solve(count: number, lambda1: number, lambda2: number, ...rest: number[]): void;
}

/** Rows of a block, and its columns in the order of the kernel. */
const ROWS = 4096;
const COLUMNS = runColumns(
  'step',
  'alpha',
  'beta1',
  'beta2',
  'log10_abs_beta1',
  'loss',
  'l2',
  'grad_norm',
  'digits',
  'l1',
  'l_hat',
  'sharpness',
  'sharpness_ratio',
  'regime',
  'gfs_sharpness',
  'balance',
);
const ARRAYS = { INT64: Float64Array, DOUBLE: Float64Array, INT32: Int32Array, STRING: Uint8Array };

/** The numbers of a state, in the order of the kernel. */
const STATE = [
  ...['step', 'alpha', 'mantissa', 'exponent', 'beta2', 'residual', 'plainBeta1', 'divergedAt'],
  ...['float64ZeroAt', 'shadowAlpha', 'shadowMantissa', 'shadowBeta2', 'agreed', 'told'],
  ...['moves', 'blind'],
] as readonly (keyof DescentState)[];
/** Those that are null where there are none, for which −1 stands; and those that are flags. */
const NULLABLE: readonly string[] = ['divergedAt', 'float64ZeroAt'];
const FLAGS: readonly string[] = ['moves', 'blind'];

let compiled: WebAssembly.Module | undefined;

/**
 * `gradientDescent` for pipelines in which nobody reads a batch once the next has come, in half the
 * time: the arrays of a batch are used again for the next one, and WebAssembly fills them where the
 * run is plain gradient descent in float64. Every digit is the same.
 *
 * @example compiledDescent(presets.paper).pipe(splitLoss()).subscribe(({ columns }) => …)
 * @throws ConfigError at once where a parameter cannot be used, RangeError where `batchSize` or
 * `pace` cannot.
 */
export function compiledDescent(
  options: RunOptions = {},
  sourceOptions: DescentOptions = {},
): Observable<SourceBatch> {
  const config = resolveConfig(options);
  checkSourceOptions(sourceOptions);
  return source(() => compiledRows(config, sourceOptions), sourceOptions);
}

/** The rows of such a run. */
export function compiledRows(
  config: RunConfig,
  options: DescentOptions = {},
): RowSource<SourceArrays, ModelRun> {
  if (config.optimizer !== 'gd' || config.precision !== 'float64')
    return descentRows(config, { ...options, reuse: true });
  const { run, saved } = beginRun(config, options);
  return rowsOf(run, compiledStepper(options.from), { saved, reuse: true });
}

/**
 * Plain gradient descent in float64 in WebAssembly, with the columns of `splitLoss`,
 * `classifySharpness` and `flowSolution`, to the bits of `descend` and of these operators. The
 * arrays of a block are used again for the next one, and all operators read them where they are.
 */
function compiledStepper(from?: DescentState) {
  return (config: RunConfig, saved: StateReader | undefined): Stepper => {
    const context = rowContext(config, gdStability());
    const env = {
      hypot,
      log10,
      rowAgreement: (
        agreed: number,
        ...[alpha, beta1, beta2, residual, shadowAlpha, shadowBeta1, shadowBeta2]: number[]
      ) =>
        rowAgreement(
          agreed,
          { alpha: alpha!, beta1: beta1!, beta2: beta2! },
          residual!,
          { alpha: shadowAlpha!, beta1: shadowBeta1!, beta2: shadowBeta2! },
          context,
        ),
    };
    compiled ??= new WebAssembly.Module(bytesOf(KERNEL_BYTES));
    const { exports } = new WebAssembly.Instance(compiled, { digits: env, elementary: env });
    const kernel = exports as unknown as Kernel;
    const { buffer } = kernel.memory;
    const pool = new Map<string, ColumnArray>(
      COLUMNS.map(({ name, type }, i) => [
        name,
        new ARRAYS[type](buffer, kernel.column(i), ROWS) as ColumnArray,
      ]),
    );
    const numbers = new Float64Array(buffer, kernel.numbers());
    const { eta, floor, moments, steps } = config;
    const { lambda1, lambda2, covariance } = moments;
    const doubtful = covariance === 0 ? DOUBTFUL_DECOUPLED : DOUBTFUL_DIGITS;
    const told = [eta, floor, lambda1, lambda2, covariance, steps, context.edge, doubtful];
    numbers.set(told, STATE.length);
    const begin = saved ? storedDescent(saved) : (from ?? initialState(config));
    numbers.set(STATE.map((name) => Number(begin[name] ?? -1)));
    const stateOf = (now: Float64Array) =>
      Object.fromEntries(
        STATE.map((name, i) => {
          const value = now[i]!;
          if (FLAGS.includes(name)) return [name, value !== 0];
          return [name, NULLABLE.includes(name) && value < 0 ? null : value];
        }),
      );
    const known = (name: keyof DescentState) => {
      const value = numbers[STATE.indexOf(name)]!;
      return value < 0 ? null : value;
    };
    return {
      rows: ROWS,
      pool,
      get step() {
        return numbers[0]!;
      },
      get divergedAt() {
        return known('divergedAt');
      },
      get float64ZeroAt() {
        return known('float64ZeroAt');
      },
      bits: null,
      next(count) {
        const first = numbers[0]!;
        kernel.descend(count);
        return numbers[0]! - first;
      },
      // Of each block, and read of few.
      state() {
        const now = numbers.slice(0, STATE.length);
        return () => stateOf(now);
      },
      compiled(operator, { moments, eta, band }, stability) {
        const { large, small, u1, u2, v1, v2 } = spectrum(moments);
        const { lambda1, lambda2, covariance } = moments;
        const alphaHat = edgeAlpha(lambda1, eta, stability);
        const axes = [large, small, u1, u2, v1, v2];
        const ways: Readonly<Record<string, (length: number) => void>> = {
          splitLoss: (length) => kernel.split(length, lambda1, lambda2, alphaHat),
          classifySharpness: (length) => kernel.classify(length, eta, band, ...axes),
          flowSolution: (length) =>
            kernel.solve(length, lambda1, lambda2, covariance, large, small, u2, v2),
        };
        const way = ways[operator];
        return (
          way &&
          ((columns, length) => {
            const { alpha } = columns as { readonly alpha: Float64Array };
            // Rows that somebody has taken out of a batch stand elsewhere.
            if (alpha.buffer !== buffer || alpha.byteOffset !== pool.get('alpha')!.byteOffset)
              return false;
            way(length);
            return true;
          })
        );
      },
    };
  };
}
