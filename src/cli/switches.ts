import type { Interfaces } from '@oclif/core';
import { UsageError } from './errors.ts';

const ON = ['1', 'true', 'y', 'yes'];
const OFF = ['0', 'false', 'n', 'no'];

/**
 * Refuses a word in the environment variable of a switch that says neither yes nor no: the parser takes it for a no,
 * and a run would do what its user did not ask for.
 *
 * @throws UsageError naming the variable
 */
export function checkSwitches(
  flags: Readonly<Record<string, Pick<Interfaces.Flag<unknown>, 'type' | 'env'>>>,
): void {
  for (const { type, env } of Object.values(flags)) {
    const word = type === 'boolean' && env !== undefined ? process.env[env] : undefined;
    if (!word || [...ON, ...OFF].includes(word.toLowerCase())) continue;
    throw new UsageError(`${env}: '${word}' is neither yes nor no; write 1 or 0`);
  }
}
