import type { RunOptions } from '../../pipeline/models/minimal/config.ts';
import { runParameters } from '../../pipeline/models/minimal/run-parameters.ts';
import { EXIT, UsageError } from '../errors.ts';
import { Args, Command, Flags } from '../oclif.ts';
import { flagsOf } from '../parameter-flags.ts';
import { runOptions } from '../run-options.ts';

const { every: _every, columns: _columns, ...parameters } = runParameters;

export default class Verify extends Command {
  static override summary = 'Hold what theory says against a run';

  static override description =
    'Checks a run file, or a run made here and now, against what is known of the dynamics: ' +
    'each check with its statement, what was measured, what theory predicts, how much margin ' +
    'is left, and a verdict: holds, fails, not reached (the run is too short to tell), or ' +
    'does not apply. A file is checked from its columns alone; what it lacks and can be ' +
    'computed from the rest is computed, and said. Exit code 0 where no check fails, else 1.';

  static override examples = [
    { description: 'a run file', command: '<%= config.bin %> verify data/run.parquet' },
    {
      description: 'a run made on the spot',
      command: '<%= config.bin %> verify --preset three-phases',
    },
    {
      description: 'is it as it was written, to the last bit?',
      command: '<%= config.bin %> verify run.parquet --integrity',
    },
    {
      description: 'the checks that fail, for another program',
      command:
        "<%= config.bin %> verify run.parquet --json | jq '.checks[] | " +
        'select(.verdict=="fails")\'',
    },
    {
      description: 'a file of another program, which does not say its parameters',
      command:
        '<%= config.bin %> verify theirs.parquet --eta 1/20 --lambda1 100 --lambda2 0.01 --floor 0',
    },
  ];

  static override args = {
    run: Args.string({
      description: 'run file (Parquet or Arrow); without it the run is made from the flags',
    }),
  };

  static override flags = {
    ...flagsOf(parameters),
    integrity: Flags.boolean({
      description: 'compare every byte of the file with its checksums, and nothing else',
    }),
    again: Flags.boolean({
      description: 'make the run of the file once more however long it takes, and compare each bit',
    }),
    json: Flags.boolean({ description: 'print one JSON object instead of text' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Verify);
    if (flags.integrity) {
      const { integrityRun } = await import('../verify/integrity.ts');
      process.exitCode = await integrityRun(args.run, flags.json, (line) => this.log(line));
      return;
    }
    const { verifyMade } = await import('../verify/run-preset.ts');
    const { verifyFile } = await import('../verify/verify-file.ts');
    const { countLine, verifyLines } = await import('../verify/text.ts');
    const { styles } = await import('../terminal.ts');

    if (args.run === '') throw new UsageError('the name of the run file is empty');
    const given = Object.fromEntries(Object.entries(flags).filter(([name]) => name in parameters));
    const { results, config, lastStep } =
      args.run === undefined
        ? await verifyMade(runOptions(flags) as RunOptions)
        : await verifyFile(args.run, given, flags.again);
    const failed = results.some(({ verdict }) => verdict === 'fails');
    if (flags.json) {
      const run = args.run ?? null;
      this.log(
        JSON.stringify({ run, config, last_step: lastStep, failed, checks: results }, null, 2),
      );
    } else {
      const paint = styles(process.stdout);
      for (const line of verifyLines(results, lastStep, paint, process.stdout.columns ?? 100))
        this.log(line);
      this.log('');
      this.log(countLine(results, paint));
    }
    process.exitCode = failed ? EXIT.failure : EXIT.done;
  }
}
