import { didYouMean } from '../pipeline/core/suggest.ts';
import { UsageError } from './errors.ts';
import type { Interfaces } from './oclif.ts';

/** What to say of words that name no command. */
export function unknownCommand(
  words: readonly string[],
  { commandIDs }: Interfaces.Config,
): UsageError {
  const name = words.join(' ');
  const known = commandIDs.map((command) => command.replaceAll(':', ' '));
  const [command] = known
    .filter((candidate) => name.startsWith(`${candidate} `))
    .sort((a, b) => b.length - a.length);
  if (!command)
    return new UsageError(
      `there is no command '${name}'${didYouMean(name, known)} (see eos --help)`,
    );
  return new UsageError(
    `${command} takes no argument '${name.slice(command.length + 1)}' (see eos ${command} --help)`,
  );
}
