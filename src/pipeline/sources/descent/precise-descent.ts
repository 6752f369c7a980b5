import { arraysOf } from '../../core/schema.ts';
import type { StateReader } from '../../core/stored-state.ts';
import { agreement, RISE, TRUSTED_DIGITS } from '../../models/minimal/agreement.ts';
import { RUN_COLUMNS } from '../../models/minimal/columns.ts';
import { ConfigError, type RunConfig } from '../../models/minimal/config.ts';
import {
  type PreciseState,
  preciseDescend,
  preciseStart,
  startBits,
} from '../../models/minimal/precise.ts';
import type { PointArrays, SourceArrays } from '../../models/minimal/run.ts';
import type { Stepper } from './stepper.ts';

/** Bits with which `auto` begins, and where it gives up. */
const FIRST_BITS = 128;
const MOST_BITS = 65_536;
/** A run of a fixed number of bits is compared with one of so many fewer. */
const FEWER = 8;
/**
 * The event loop has its turn after so many rows times bits, some 20 ms, and so many rows at most.
 */
const ROW_BITS = 1_000_000;
const MOST_ROWS = 4096;
/** Below this β₁ is compared by its logarithm. */
const LEAST_BETA1 = 1e-300;
const SAME_LOG = 1e-11;

const scratchColumns = RUN_COLUMNS.filter(({ name }) => name !== 'digits');

/**
 * Gradient descent in arithmetic of many bits, two runs side by side: the run itself, and one with
 * fewer bits that tells how many digits are true. For `auto` the bits are doubled at each row in
 * which the two differ by more than the rounding of float64 (in the loss: 1e-9), and the run is
 * computed anew up to there.
 *
 * @throws ConfigError where `auto` finds no end
 */
export function preciseStepper(config: RunConfig, saved: StateReader | undefined): Stepper {
  const auto = config.precision === 'auto';
  let bits = auto ? 2 * FIRST_BITS : Number(config.precision);
  const needed = startBits(config);
  while (auto && bits < 2 * needed) bits *= 2;
  if (bits < needed) {
    throw new ConfigError(
      'precision',
      `${bits} bits do not hold the start; give ${needed} or more, or auto`,
    );
  }
  let main = saved ? storedState(saved, 'main') : preciseStart(config, bits);
  let other = saved
    ? storedState(saved, 'other')
    : preciseStart(config, auto ? bits / 2 : bits - FEWER);
  let agreed = saved ? saved.number('agreed') : 15;
  const scratch = arraysOf(scratchColumns, MOST_ROWS) as PointArrays;

  /** Moves both on by so many rows, and tells in how many of them they are alike. */
  function advance(rows: number, columns: SourceArrays): number {
    const block = preciseDescend(config, main, rows, columns);
    const check = preciseDescend(config, other, rows, scratch);
    const length = Math.min(block.length, check.length);
    const alike = compare(columns, scratch, length);
    columns.digits.fill(0, length, block.length);
    for (let i = 0; i < block.length; i++) {
      const now = columns.digits[i]!;
      if (now <= agreed) agreed = now;
      else if (((main.step + i) & (RISE - 1)) === 0) agreed++;
      columns.digits[i] = agreed;
    }
    [main, other] = [block.state, check.state];
    const sameEnd =
      block.length === check.length && block.state.divergedAt === check.state.divergedAt;
    return sameEnd ? alike : Math.min(alike, Math.max(0, length - 1));
  }

  return {
    get step() {
      return Math.max(main.step, auto ? other.step : 0);
    },
    get divergedAt() {
      return main.divergedAt;
    },
    float64ZeroAt: null,
    get bits() {
      return main.bits;
    },
    get again() {
      return auto && main.step < other.step ? main.step : null;
    },
    next(count, columns) {
      const rows = Math.min(count, MOST_ROWS, Math.max(16, Math.floor(ROW_BITS / main.bits)));
      if (auto && main.step < other.step) {
        // Rows that are there already: no new ones until it has caught up.
        main = preciseDescend(config, main, Math.min(rows, other.step - main.step), scratch).state;
        return 0;
      }
      const before = [main, other, agreed] as const;
      const alike = advance(rows, columns);
      const length = main.step - before[0].step;
      if (!auto || alike === length) return length;
      // Which rows have which bits must not depend on where blocks end.
      [main, other, agreed] = before;
      if (alike > 0) {
        advance(alike, columns);
        return alike;
      }
      if (2 * main.bits > MOST_BITS) {
        throw new ConfigError(
          'precision',
          `${main.bits} bits do not settle step ${main.step}; give fewer steps`,
        );
      }
      other = main;
      main = preciseStart(config, 2 * main.bits);
      return 0;
    },
    state() {
      const [a, b, now] = [main, other, agreed];
      const step = Math.max(a.step, auto ? b.step : 0);
      return () => ({ step, agreed: now, main: textsOf(a), other: textsOf(b) });
    },
  };
}

/**
 * Fills in the digits of the rows, and tells in how many of them float64 could hold no difference.
 */
function compare(columns: SourceArrays, beside: PointArrays, length: number): number {
  let alike = 0;
  for (let i = 0; i < length; i++) {
    const [a, b1, b2] = [columns.alpha[i]!, columns.beta1[i]!, columns.beta2[i]!];
    const tiny = Math.abs(b1) < LEAST_BETA1;
    const offLog = Math.abs(columns.log10_abs_beta1[i]! - beside.log10_abs_beta1[i]!);
    const ofTheta = agreement(
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
    const derived = [columns.loss, columns.l2, columns.grad_norm].map((column) => column[i]!);
    const off = [beside.loss, beside.l2, beside.grad_norm].map((column, k) =>
      Math.max(0, Math.abs(column[i]! - derived[k]!) - 1e-300),
    );
    const [x, y, z] = derived as [number, number, number];
    const ofRow = agreement(off[0]!, Math.abs(x), off[1]!, Math.abs(y), off[2]!, Math.abs(z));
    // The run goes on from θ alone: what is derived from it does not end the trust.
    columns.digits[i] = Math.min(ofTheta, Math.max(TRUSTED_DIGITS, ofRow));
    const same = ofTheta >= 14 && ofRow >= 9;
    if (same && alike === i) alike++;
  }
  return alike;
}

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
