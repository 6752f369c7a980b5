import { Args, Command, Flags } from '../oclif.ts';

export default class Recover extends Command {
  static override summary = 'Make a whole file of what a program that died left in FILE.partial';

  static override description =
    `While a run is written its file is called FILE.partial, with a journal beside it. If the \
program is killed, the machine loses power or the disk is full, all that had been flushed is in \
there: this puts it in order, as FILE, with a summary marked recovered. The partial file is only \
read until FILE is whole; then it is removed (with --out it stays).

eos stream --resume FILE goes on from there, or straight from FILE.partial.`;

  static override examples = [
    { description: 'after a crash', command: '<%= config.bin %> recover run.parquet.partial' },
    {
      description: 'leave the partial file where it is',
      command: '<%= config.bin %> recover run.parquet.partial --out saved.parquet',
    },
    { description: 'go on with the run', command: '<%= config.bin %> stream --resume run.parquet' },
  ];

  static override args = {
    file: Args.string({ description: 'Parquet or Arrow file ending in .partial', required: true }),
  };

  static override flags = {
    out: Flags.string({ description: 'name of the recovered file', helpValue: 'FILE' }),
    force: Flags.boolean({ description: 'replace an existing file' }),
    json: Flags.boolean({ description: 'print one JSON object instead of text' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Recover);
    const { recoverJob } = await import('../recover-file.ts');
    const { reading } = await import('../reader/reading.ts');
    const { count, plural } = await import('../../pipeline/format.ts');
    const { out, rows, lastStep, steps, removed } = await reading().job(
      args.file,
      recoverJob,
      args.file,
      flags.out,
      flags.force,
    );
    if (flags.json) {
      this.log(
        JSON.stringify({ file: out, rows, last_step: lastStep, steps, partial_removed: removed }),
      );
      return;
    }
    const upTo =
      lastStep === null
        ? ''
        : `, up to step ${count(lastStep)}${steps === null ? '' : ` of ${count(steps)}`}`;
    this.log(`recovered ${plural(rows, 'row')}${upTo}: ${out}`);
    if (steps !== null) this.log(`go on with it: eos stream --resume ${out}`);
  }
}
