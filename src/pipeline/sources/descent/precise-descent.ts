import type { StateReader } from '../../core/checkpoint.ts';
import { arraysOf } from '../../core/schema.ts';
import { RUN_COLUMNS } from '../../models/minimal/columns.ts';
import { ConfigError, type RunConfig } from '../../models/minimal/config.ts';
import { agreement } from '../../models/minimal/descend.ts';
import { type PreciseState, preciseDescend, preciseStart } from '../../models/minimal/precise.ts';
import type { PointArrays, SourceArrays } from '../../models/minimal/run.ts';
import type { Stepper } from './stepper.ts';

/** Bits with which `auto` begins, and where it gives up. */
const FIRST_BITS = 128;
const MOST_BITS = 65_536;
/** A run of a fixed number of bits is compared with one of so many fewer. */
const FEWER = 8;
/** The event loop has its turn after so many rows times bits: some 20 ms. */
const ROW_BITS = 1_000_000;
/** Below this β₁ is compared by its logarithm. */
const LEAST_BETA1 = 1e-300;
const SAME_LOG = 1e-11;

const scratchColumns = RUN_COLUMNS.filter(({ name }) => name !== 'digits');

/**
 * Gradient descent in arithmetic of many bits, two runs side by side: the run itself, and one with fewer
 * bits that tells how many digits are true. For `auto` the bits are doubled wherever the two differ by more
 * than the rounding of float64 (in the loss: 1e-9), from the start of the run to there.
 *
 * @throws ConfigError where `auto` finds no end
 */
export function preciseStepper(config: RunConfig, saved: StateReader | undefined): Stepper {
  const auto = config.precision === 'auto';
  const bits = auto ? 2 * FIRST_BITS : Number(config.precision);
  let main = saved ? storedState(saved, 'main') : preciseStart(config, bits);
  let other = saved
    ? storedState(saved, 'other')
    : preciseStart(config, auto ? FIRST_BITS : bits - FEWER);

  return {
    get step() {
      return main.step;
    },
    get divergedAt() {
      return main.divergedAt;
    },
    float64ZeroAt: null,
    get bits() {
      return main.bits;
    },
    next(count, columns) {
      for (;;) {
        const rows = Math.min(count, Math.max(16, Math.floor(ROW_BITS / main.bits)));
        const beside = arraysOf(scratchColumns, rows) as PointArrays;
        const block = preciseDescend(config, main, rows, columns);
        const check = preciseDescend(config, other, rows, beside);
        const same =
          compare(columns, beside, Math.min(block.length, check.length)) &&
          block.length === check.length &&
          block.state.divergedAt === check.state.divergedAt;
        if (!auto || same) {
          columns.digits.fill(0, check.length, block.length);
          [main, other] = [block.state, check.state];
          return block.length;
        }
        if (2 * main.bits > MOST_BITS) {
          throw new ConfigError(
            'precision',
            `${main.bits} bits do not settle step ${main.step + check.length}; give fewer steps`,
          );
        }
        other = main;
        main = advanceTo(config, preciseStart(config, 2 * main.bits), main.step);
      }
    },
    state() {
      const [a, b] = [main, other];
      return () => ({ step: a.step, main: textsOf(a), other: textsOf(b) });
    },
  };
}

function advanceTo(config: RunConfig, start: PreciseState, step: number): PreciseState {
  const columns = arraysOf(scratchColumns, 256) as PointArrays;
  let state = start;
  while (state.step < step)
    state = preciseDescend(config, state, Math.min(256, step - state.step), columns).state;
  return state;
}

/** Fills in the digits of the rows, and tells whether float64 could hold no difference. */
function compare(columns: SourceArrays, beside: PointArrays, length: number): boolean {
  let same = true;
  for (let i = 0; i < length; i++) {
    const [a, b1, b2] = [columns.alpha[i]!, columns.beta1[i]!, columns.beta2[i]!];
    const tiny = Math.abs(b1) < LEAST_BETA1;
    const offLog = Math.abs(columns.log10_abs_beta1[i]! - beside.log10_abs_beta1[i]!);
    const agreed = agreement(
      Math.abs(a - beside.alpha[i]!),
      Math.abs(a),
      tiny
        ? offLog <= SAME_LOG || b1 === beside.beta1[i]
          ? 0
          : offLog
        : Math.abs(b1 - beside.beta1[i]!),
      tiny ? 1 : Math.abs(b1),
      Math.abs(b2 - beside.beta2[i]!),
      Math.abs(b2),
    );
    columns.digits[i] = agreed;
    same &&=
      agreed >= 14 &&
      near(columns.loss[i]!, beside.loss[i]!) &&
      near(columns.l2[i]!, beside.l2[i]!) &&
      near(columns.grad_norm[i]!, beside.grad_norm[i]!);
  }
  return same;
}

const near = (a: number, b: number) => Math.abs(a - b) <= 1e-10 * Math.abs(a) + 1e-300;

function textsOf({ alpha, mantissa, beta2, ...numbers }: PreciseState) {
  return { ...numbers, alpha: hex(alpha), mantissa: hex(mantissa), beta2: hex(beta2) };
}

function storedState(saved: StateReader, key: string): PreciseState {
  const state = saved.record(key);
  return {
    bits: state.number('bits'),
    step: state.number('step'),
    alpha: fromHex(state.text('alpha')),
    mantissa: fromHex(state.text('mantissa')),
    exponent: state.number('exponent'),
    beta2: fromHex(state.text('beta2')),
    divergedAt: state.numberOrNull('divergedAt'),
  };
}

const hex = (x: bigint) => x.toString(16);
const fromHex = (text: string) =>
  text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
