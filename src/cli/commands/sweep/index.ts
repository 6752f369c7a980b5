import { Command, Flags } from '@oclif/core';
import { UsageError } from '../../errors.ts';
import { logParameters } from '../../output-parameters.ts';
import { checkSwitches } from '../../parameter-flags.ts';
import {
  checkEngine,
  countOf,
  engineFlags,
  shareOf,
  threadsFlag,
} from '../../sweep/engine-flags.ts';
import { sweepFlags, sweepOptions } from '../../sweep/sweep-flags.ts';

export default class Sweep extends Command {
  static override summary =
    'Run gradient descent over grids of parameters and keep a table of what became of each run';

  static override description =
    `Each parameter takes a number (0.05, 1/20), a list (0.01,0.02), a range with both ends (0.01:0.5:log:60, 0:1:lin:11), or whole numbers (0..99); the sweep is the product of all of them. What is not given comes from the preset, as in eos stream.

DIR/summary becomes a Parquet dataset with one row a run: its parameters and everything in its eos.summary. The same command again does only what is missing. Ctrl-C keeps what is done, exit code 130.`;

  static override examples = [
    {
      description: 'a phase diagram',
      command:
        '<%= config.bin %> sweep --eta 0.01:0.5:log:60 --lambda2 0.001:1:log:40 --out diagram',
    },
    {
      description: 'what it would take',
      command:
        '<%= config.bin %> sweep --eta 0.01:0.5:log:60 --steps 1000000 --out diagram --dry-run',
    },
    {
      description: 'a hundred samples of the data, with trajectories',
      command:
        '<%= config.bin %> sweep --samples 200 --seeds 0..99 --trajectories every:10 --out seeds',
    },
    {
      description: 'the third of four shards, without a queue',
      command: '<%= config.bin %> sweep --spec sweep.json --out diagram --shard 2/4',
    },
    {
      description: 'by the workers of a queue',
      command:
        '<%= config.bin %> sweep --spec sweep.json --out /shared/diagram --engine redis://host',
    },
  ];

  static override flags = {
    out: Flags.string({
      description: 'folder to write (required, but for --dry-run)',
      helpValue: 'DIR',
      helpGroup: 'OUTPUT',
    }),
    ...sweepFlags,
    ...engineFlags,
    threads: threadsFlag,
    shard: Flags.string({
      description: 'do only the i-th of n shares, 0 ≤ i < n',
      helpValue: 'i/n',
      helpGroup: 'ENGINE',
    }),
    detach: Flags.boolean({
      description: 'leave the work to the queue and do not wait for it',
      helpGroup: 'ENGINE',
    }),
    extend: Flags.boolean({
      description:
        'add these runs to a folder that holds another sweep; runs that it has are not done again',
      helpGroup: 'OUTPUT',
    }),
    'dry-run': Flags.boolean({
      description: 'tell what it would take, and write nothing',
      helpGroup: 'OUTPUT',
    }),
    yes: Flags.boolean({ char: 'y', description: 'confirm a sweep of more than ten million runs' }),
    'log-format': Flags.string({
      description: 'text (default, on stderr) or json (one object a line, on stdout)',
      helpValue: 'FORMAT',
      helpGroup: 'LOG',
      env: 'EOS_LOG_FORMAT',
    }),
    quiet: Flags.boolean({
      char: 'q',
      description: 'say nothing but errors',
      helpGroup: 'LOG',
      env: 'EOS_QUIET',
    }),
  };

  async run(): Promise<void> {
    checkSwitches(logParameters);
    const { flags } = await this.parse(Sweep);
    const format = flags['log-format'] ?? 'text';
    if (format !== 'text' && format !== 'json') {
      throw new UsageError(`--log-format: '${format}' is none of text, json`);
    }
    const share = shareOf(flags.shard);
    const engine = flags.engine ?? 'embedded';
    if (engine !== 'embedded' && flags.shard !== undefined) {
      throw new UsageError(
        '--shard: a queue hands out the work itself; give --shard or --engine redis://…, not both',
      );
    }
    checkEngine(engine, flags);
    if (engine === 'embedded' && flags.detach) {
      throw new UsageError(
        '--detach: only a queue can be left to itself; give --engine redis://host too',
      );
    }
    if (flags.out === '' || (flags.out === undefined && !flags['dry-run'])) {
      throw new UsageError('--out: no folder was named; give --out DIR');
    }
    const options = await sweepOptions(flags);
    const { availableParallelism } = await import('node:os');
    const request = {
      options,
      threads: countOf('threads', flags.threads) ?? availableParallelism(),
      share,
      extend: flags.extend,
      logFormat: format,
    } as const;
    if (flags['dry-run'] || flags.out === undefined) {
      const { dryRun } = await import('../../sweep/dry-run.ts');
      process.exitCode = await dryRun({ ...request, out: flags.out });
      return;
    }
    const { sweepRun } = await import('../../sweep/sweep-run.ts');
    process.exitCode = await sweepRun({
      ...request,
      out: flags.out,
      engine,
      tls: { ca: flags['redis-ca'], cert: flags['redis-cert'], key: flags['redis-key'] },
      confirmed: flags.yes,
      detach: flags.detach,
      quiet: flags.quiet,
    });
  }
}
