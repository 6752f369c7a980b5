import { ConfigError, parseNumber } from '../../models/minimal/config.ts';

/** The learning rate at each step: constant, or piecewise constant from the given steps on. */
export interface EtaSchedule {
  /** First step of each stretch, ascending; the first one also holds before it. */
  readonly steps: readonly number[];
  readonly etas: readonly number[];
}

/**
 * Reads `0.01`, `1/50`, or a schedule such as `0:0.1,1000:0.01` (or one `step η` pair a line, as
 * from a file; cells separated by blanks, commas, tabs or colons).
 * @throws ConfigError
 */
export function parseEta(text: string): EtaSchedule {
  const single = parseNumber(text.trim());
  if (!Number.isNaN(single)) return { steps: [0], etas: [positive(single, text)] };

  const steps: number[] = [];
  const etas: number[] = [];
  const inline = !text.includes('\n') && text.includes(':');
  for (const part of text.split(inline ? ',' : '\n')) {
    const pair = part.trim();
    if (pair === '' || pair.startsWith('#') || (steps.length === 0 && /^\p{L}/u.test(pair)))
      continue;
    const cells = pair.split(/[\s,;:]+/);
    const step = Number(cells[0]);
    const eta = parseNumber(cells[1] ?? '');
    if (cells.length !== 2 || !Number.isSafeInteger(step)) {
      throw new ConfigError(
        'eta',
        `'${pair.slice(0, 40)}' is not a step and a learning rate, such as 1000:0.01`,
      );
    }
    if (steps.length > 0 && step <= steps.at(-1)!) {
      throw new ConfigError(
        'eta',
        `step ${step} of the schedule does not come after step ${steps.at(-1)}`,
      );
    }
    steps.push(step);
    etas.push(positive(eta, cells[1]!));
  }
  if (steps.length === 0) {
    throw new ConfigError(
      'eta',
      `'${text.slice(0, 40)}' is no learning rate such as 0.01 and no schedule such as ` +
        '0:0.1,1000:0.01',
    );
  }
  return { steps, etas };
}

function positive(eta: number, text: string): number {
  if (Number.isFinite(eta) && eta > 0) return eta;
  throw new ConfigError(
    'eta',
    `'${text.slice(0, 40)}' is not a positive number; give a learning rate such as 0.01 or 1/50`,
  );
}

/** Looks up ascending steps in a schedule. */
export function createEtaLookup({ steps, etas }: EtaSchedule): (step: number) => number {
  let at = 0;
  return (step) => {
    while (at > 0 && steps[at]! > step) at--;
    while (at + 1 < steps.length && steps[at + 1]! <= step) at++;
    return etas[at]!;
  };
}
