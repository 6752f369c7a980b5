import { Args, Command, Flags } from '../oclif.ts';

export default class Inspect extends Command {
  static override summary = 'Show what a run file holds: schema, parameters, phases, outcome';

  static override description =
    'Reads a Parquet or Arrow file. Files of other programs are read too: what a run file ' +
    'would have and this one lacks is listed, and what its columns allow is shown.';

  static override examples = [
    { description: 'a run in a glance', command: '<%= config.bin %> inspect data/run.parquet' },
    {
      description: 'for another program',
      command: '<%= config.bin %> inspect data/run.parquet --json | jq .summary.phases',
    },
    {
      description: 'the parameters of a run, to change and run again',
      command: '<%= config.bin %> inspect data/run.parquet --json | jq .config > run.json',
    },
  ];

  static override args = {
    file: Args.string({ description: 'Parquet or Arrow file', required: true }),
  };

  static override flags = {
    json: Flags.boolean({ description: 'print one JSON object instead of text' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Inspect);
    const { inspectFile } = await import('../inspect/report.ts');
    const { reportLines } = await import('../inspect/text.ts');
    const report = await inspectFile(args.file);
    if (flags.json) this.log(JSON.stringify(report, null, 2));
    else for (const line of reportLines(report, process.stdout)) this.log(line);
  }
}
