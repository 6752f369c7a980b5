import { sin } from '../numeric/exponential.ts';
import { ConfigError, parseNumber } from './parameters.ts';
import { show } from './show.ts';

/** The learning rate at each step. */
export type EtaPlan = (step: number) => number;

/**
 * A schedule of the learning rate η over a run of so many steps: `0:0.1,1000:0.01` (from step 1000
 * on 0.01), `warmup:100` (from η/100 in equal steps to η), `cosine` (from η to 0 along half a
 * cosine), or several with commas; warmup and cosine are factors of what the pairs say.
 *
 * @throws ConfigError naming what is not understood
 */
export function etaPlan(schedule: string | null, eta: number, steps: number): EtaPlan {
  const changes: (readonly [step: number, eta: number])[] = [];
  const factors: EtaPlan[] = [];
  for (const part of schedule?.split(',') ?? []) {
    const [name = '', value = '', ...more] = part.trim().split(':');
    const number = parseNumber(value);
    if (name === 'cosine' && value === '' && more.length === 0) {
      factors.push((step) => cosine(step / steps));
    } else if (name === 'warmup' && Number.isSafeInteger(number) && number > 0) {
      factors.push((step) => Math.min(1, (step + 1) / number));
    } else {
      const from = Number(name);
      const after = (changes.at(-1)?.[0] ?? -1) < from;
      const sound = /^\d+$/.test(name) && more.length === 0 && after;
      if (!(sound && Number.isFinite(number) && number > 0)) throw misunderstood(part);
      changes.push([from, number]);
    }
  }
  return (step) => {
    let value = eta;
    for (const [from, next] of changes) if (from <= step) value = next;
    for (const factor of factors) value *= factor(step);
    return value;
  };
}

/** ½(1 + cos πx) for x from 0 to 1, as a square, so that it ends at 0 and not a rounding below. */
function cosine(x: number): number {
  const half = sin(0.5 * Math.PI * (1 - Math.min(1, x)));
  return half * half;
}

function misunderstood(part: string): ConfigError {
  return new ConfigError(
    'schedule',
    `${show(part.trim())} is neither a step and a learning rate after those before it, such ` +
      'as 1000:0.01, nor warmup:N, nor cosine',
  );
}
