import type { Hook } from '@oclif/core';
import { didYouMean } from '../../pipeline/core/suggest.ts';
import { UsageError } from '../errors.ts';

const hook: Hook.CommandNotFound = async ({ id, config }) => {
  const name = id.replaceAll(':', ' ');
  const known = config.commandIDs.map((command) => command.replaceAll(':', ' '));
  const command = known.find((candidate) => name.startsWith(`${candidate} `));
  if (command) {
    throw new UsageError(
      `${command} takes no argument '${name.slice(command.length + 1)}' (see eos ${command} ` +
        '--help)',
    );
  }
  throw new UsageError(`there is no command '${name}'${didYouMean(name, known)} (see eos --help)`);
};

export default hook;
