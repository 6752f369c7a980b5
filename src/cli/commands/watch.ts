import { Args, Command, Flags } from '../oclif.ts';

export default class Watch extends Command {
  static override summary = 'Start a training script, follow its log, and show it in the dashboard';

  static override description =
    `Starts the script behind --, unbuffered, follows the log that eos_watch writes in it, detects \
its phases while it trains, and shows them in the dashboard. The exit code is that of the script.

A script that writes a log of its own is followed too: name the log with --log.`;

  static override examples = [
    { description: 'watch a training', command: '<%= config.bin %> watch -- python train.py' },
    {
      description: 'a log that the script writes by itself, without the page',
      command: '<%= config.bin %> watch --log train.csv --no-dash -- python train.py --lr 0.01',
    },
  ];

  static override strict = false;

  static override args = {
    script: Args.string({
      name: '-- SCRIPT',
      description: 'the program and its arguments',
      required: false,
    }),
  };

  static override flags = {
    log: Flags.string({
      description: 'log that the script writes; as eos_watch says unless given',
      helpValue: 'LOG',
    }),
    out: Flags.string({
      description: 'Parquet file of the phases; named as the log unless given',
      helpValue: 'FILE.parquet',
    }),
    dash: Flags.boolean({
      description: 'show the run in the dashboard while it grows, and until Ctrl-C',
      default: true,
      allowNo: true,
    }),
    open: Flags.boolean({ description: 'open the page in the browser' }),
    force: Flags.boolean({ description: 'replace an existing file whatever it is' }),
    quiet: Flags.boolean({ char: 'q', description: 'say nothing but errors' }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Watch);
    const { watchRun } = await import('../watch-run.ts');
    process.exitCode = await watchRun({
      command: argv.map(String),
      log: flags.log,
      out: flags.out,
      dash: flags.dash,
      open: flags.open ?? false,
      force: flags.force ?? false,
      quiet: flags.quiet ?? false,
    });
  }
}
