import type { ParameterTable } from '../../pipeline/core/parameters.ts';
import { completionScript, SHELLS, type Shell } from '../completion/scripts.ts';
import { Args, Command, Flags } from '../oclif.ts';

export default class Completion extends Command {
  static override summary = 'Let your shell complete commands, flags and their values';

  static override description =
    'Prints a script for bash, zsh or fish, or puts it where the shell finds it. Names of ' +
    'files are still completed, as before.';

  static override examples = [
    { description: 'from now on', command: '<%= config.bin %> completion bash --install' },
    {
      description: 'in this shell only',
      command: 'source <(<%= config.bin %> completion bash)',
    },
  ];

  static override args = {
    shell: Args.string({ description: 'your shell', options: [...SHELLS], required: true }),
  };

  static override flags = {
    install: Flags.boolean({
      description:
        'write the script into your home folder, and a line that reads it into its start file',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Completion);
    const shell = args.shell as Shell;
    const { streamParameters } = await import('../stream-parameters.ts');
    const { gridParameters } = await import('../sweep/grid.ts');
    const parameters: ParameterTable = { ...gridParameters, ...streamParameters };
    const commands = this.config.commands
      .filter(({ hidden }) => !hidden)
      .map(({ id, summary = '', args: taken, flags: known }) => ({
        name: id.replaceAll(':', ' '),
        summary,
        words: Object.values(taken).flatMap(({ options = [] }) => options),
        flags: Object.values(known).map((flag) => {
          const { name, char, description = '', type } = flag;
          const parameter = parameters[name];
          const options = 'options' in flag ? flag.options : undefined;
          return {
            name,
            letter: char,
            description,
            takesValue: type === 'option',
            words: options ?? (parameter && 'words' in parameter ? parameter.words : []),
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
