const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const PLUS = 43;
const UPPER_E = 69;
const LOWER_E = 101;

const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** Splits a double into two halves of 26 bits (Dekker 1971). */
const SPLITTER = 2 ** 27 + 1;
/**
 * Relative error that the correction term of a quotient or product may have, with a wide margin.
 */
const MARGIN = 2 ** -40;

/** Reads JSON numbers straight from bytes. */
export interface DecimalReader {
  /**
   * The number that starts at `at`, correctly rounded, exactly as `Number` reads it. Leaves the
   * position behind it in `end`; where there is no JSON number there, `end` is −1.
   */
  read(bytes: Uint8Array, at: number, limit: number): number;
  end: number;
}

/**
 * Up to 15 digits with a power of ten up to 10^22 are exact in one operation (Clinger 1990). Up to
 * 22 digits are taken as an unevaluated sum of two doubles, and the result is used where its
 * rounding cannot be in doubt; anything else is left to `Number`.
 */
export function createDecimalReader(): DecimalReader {
  const reader: DecimalReader = {
    end: -1,
    read(bytes, at, limit) {
      let i = at;
      const negative = bytes[i] === MINUS;
      if (negative) i++;
      const firstDigit = i;
      let high = 0;
      let low = 0;
      let digits = 0;
      let lowDigits = 0;
      let exponent = 0;
      let code = i < limit ? bytes[i]! : 0;

      while (code >= ZERO && code <= NINE) {
        if (digits > 0 || code !== ZERO) {
          digits++;
          if (digits <= 15) high = high * 10 + (code - ZERO);
          else {
            low = low * 10 + (code - ZERO);
            lowDigits++;
          }
        }
        code = ++i < limit ? bytes[i]! : 0;
      }
      const whole = i - firstDigit;
      if (whole === 0 || (whole > 1 && bytes[firstDigit] === ZERO)) return fail();
      if (code === DOT) {
        const firstFraction = i + 1;
        code = ++i < limit ? bytes[i]! : 0;
        while (code >= ZERO && code <= NINE) {
          if (digits > 0 || code !== ZERO) {
            digits++;
            if (digits <= 15) high = high * 10 + (code - ZERO);
            else {
              low = low * 10 + (code - ZERO);
              lowDigits++;
            }
          }
          code = ++i < limit ? bytes[i]! : 0;
        }
        if (i === firstFraction) return fail();
        exponent = firstFraction - i;
      }
      if (code === LOWER_E || code === UPPER_E) {
        code = ++i < limit ? bytes[i]! : 0;
        const down = code === MINUS;
        if (down || code === PLUS) code = ++i < limit ? bytes[i]! : 0;
        const firstExponent = i;
        let power = 0;
        while (code >= ZERO && code <= NINE) {
          if (power < 100_000) power = power * 10 + (code - ZERO);
          code = ++i < limit ? bytes[i]! : 0;
        }
        if (i === firstExponent) return fail();
        exponent += down ? -power : power;
      }
      reader.end = i;

      const value = scaled(high, low, lowDigits, exponent);
      // NaN: out of the range of the quick ways, or too close to a tie to be sure.
      if (Number.isNaN(value)) return Number(text(bytes, at, i));
      return negative ? -value : value;
    },
  };

  function fail(): number {
    reader.end = -1;
    return Number.NaN;
  }

  return reader;
}

function scaled(high: number, low: number, lowDigits: number, exponent: number): number {
  if (exponent < -22 || exponent > 22 || lowDigits > 7)
    return high === 0 && lowDigits === 0 ? 0 : Number.NaN;
  if (lowDigits === 0) return exponent < 0 ? high / POWERS[-exponent]! : high * POWERS[exponent]!;

  // high·10^lowDigits + low, exactly, as head + rest.
  const shift = POWERS[lowDigits]!;
  const product = high * shift;
  const productRest = productError(high, shift, product);
  const head = product + low;
  const rest = low - (head - product) + productRest;

  const power = POWERS[exponent < 0 ? -exponent : exponent]!;
  let main: number;
  let correction: number;
  if (exponent < 0) {
    main = head / power;
    const back = main * power;
    correction = (head - back - productError(main, power, back) + rest) / power;
  } else {
    main = head * power;
    correction = productError(head, power, main) + rest * power;
  }
  const slack = Math.abs(correction) * MARGIN;
  const lower = main + (correction - slack);
  return lower === main + (correction + slack) ? lower : Number.NaN;
}

/** a·b − fl(a·b), exactly. */
function productError(a: number, b: number, product: number): number {
  const aWide = SPLITTER * a;
  const aHead = aWide - (aWide - a);
  const aRest = a - aHead;
  const bWide = SPLITTER * b;
  const bHead = bWide - (bWide - b);
  const bRest = b - bHead;
  return aRest * bRest - (product - aHead * bHead - aRest * bHead - aHead * bRest);
}

function text(bytes: Uint8Array, from: number, to: number): string {
  let result = '';
  for (let i = from; i < to; i++) result += String.fromCharCode(bytes[i]!);
  return result;
}
