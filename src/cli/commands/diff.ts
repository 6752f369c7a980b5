import { Args, Command, Flags } from '../oclif.ts';

export default class Diff extends Command {
  static override summary = 'Tell what two run files differ in';

  static override description =
    'Compares parameters, outcome, and the rows of equal steps: how many differ, the first of ' +
    'them, and by how much. Numbers are the same only to the last bit. Exit code 0 where ' +
    'nothing differs, else 1.';

  static override examples = [
    { description: 'two runs', command: '<%= config.bin %> diff run.parquet other.parquet' },
    {
      description: 'is it the same run, whatever the format?',
      command: '<%= config.bin %> diff run.parquet run.arrow && echo yes',
    },
    {
      description: 'where they part, for another program',
      command: '<%= config.bin %> diff a.parquet b.parquet --json | jq .rows.first',
    },
  ];

  static override args = {
    a: Args.string({ description: 'run file (Parquet or Arrow)', required: true }),
    b: Args.string({ description: 'the one to compare it with', required: true }),
  };

  static override flags = {
    json: Flags.boolean({ description: 'print one JSON object instead of text' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Diff);
    const { compareRuns, isSame } = await import('../diff/compare.ts');
    const { differenceLines } = await import('../diff/text.ts');
    const difference = await compareRuns(args.a, args.b);
    if (flags.json) this.log(JSON.stringify(difference, null, 2));
    else for (const line of differenceLines(difference)) this.log(line);
    process.exitCode = isSame(difference) ? 0 : 1;
  }
}
