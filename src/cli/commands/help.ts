import { Args, Command, loadHelpClass } from '../oclif.ts';
import { unknownCommand } from '../unknown-command.ts';

export default class Help extends Command {
  static override summary = 'Show help for a command';

  static override args = { command: Args.string({ description: 'command to show help for' }) };

  static override strict = false;

  async run(): Promise<void> {
    const argv = (await this.parse(Help)).argv as string[];
    const id = argv.join(':');
    const known = id === '' || this.config.findCommand(id) || this.config.findTopic(id);
    if (!known) throw unknownCommand(argv, this.config);
    const Shown = await loadHelpClass(this.config);
    await new Shown(this.config).showHelp(argv);
  }
}
