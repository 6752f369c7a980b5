import { Args, Command, Flags } from '@oclif/core';
import type { ParameterTable } from '../../pipeline/core/parameters.ts';
import { completionScript, SHELLS } from '../completion/scripts.ts';
import { UsageError } from '../errors.ts';

export default class Completion extends Command {
  static override summary = 'Let your shell complete commands, flags and their values';

  static override description =
    'Prints a script for bash, zsh or fish, or puts it where the shell finds it. Names of files are still completed, as before.';

  static override examples = [
    { description: 'from now on', command: '<%= config.bin %> completion bash --install' },
    {
      description: 'in this shell only',
      command: 'source <(<%= config.bin %> completion bash)',
    },
  ];

  static override args = {
    shell: Args.string({ description: 'bash, zsh or fish', required: true }),
  };

  static override flags = {
    install: Flags.boolean({
      description:
        'write the script into your home folder, and a line that reads it into its start file',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Completion);
    const shell = SHELLS.find((each) => each === args.shell);
    if (shell === undefined)
      throw new UsageError(
        `there is no completion for '${args.shell}'; there are ${SHELLS.join(', ')}`,
      );
    const { streamParameters } = await import('../stream-parameters.ts');
    const { gridParameters } = await import('../sweep/grid.ts');
    const parameters: ParameterTable = { ...gridParameters, ...streamParameters };
    const commands = this.config.commands
      .filter(({ hidden }) => !hidden)
      .map(({ id, summary = '', flags: known }) => ({
        name: id.replaceAll(':', ' '),
        summary,
        flags: Object.values(known).map(({ name, char, description = '', type }) => {
          const parameter = parameters[name];
          return {
            name,
            letter: char,
            description,
            takesValue: type === 'option',
            words: parameter && 'words' in parameter ? parameter.words : [],
          };
        }),
      }));
    const script = completionScript(shell, commands);
    if (!flags.install) {
      process.stdout.write(script);
      return;
    }
    const { installCompletion } = await import('../completion/install.ts');
    const written = await installCompletion(shell, script);
    this.log(`wrote ${written.join(' and ')}; it holds in shells that start from now on`);
  }
}
