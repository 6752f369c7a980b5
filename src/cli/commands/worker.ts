import { Command, Flags } from '@oclif/core';
import { UsageError } from '../errors.ts';
import { logParameters } from '../output-parameters.ts';
import { checkSwitches } from '../parameter-flags.ts';
import { countOf, engineFlags, threadsFlag } from '../sweep/engine-flags.ts';

/** Milliseconds that are left to what is still being said. */
const FAREWELL = 200;

export default class WorkerCommand extends Command {
  static override summary = 'Work for a sweep that another machine has handed to a queue';

  static override description =
    'Takes parts of the sweep in DIR from the queue until the sweep is whole, and writes them there: DIR is a folder that all machines share. Any number of workers may come, go and die meanwhile.';

  static override examples = [
    {
      description: 'on each machine',
      command: '<%= config.bin %> worker --engine redis://host --out /shared/diagram',
    },
    {
      description: 'with a password that stays out of the list of processes',
      command:
        'EOS_REDIS_PASSWORD=… <%= config.bin %> worker --engine rediss://host --out /shared/diagram',
    },
  ];

  static override flags = {
    out: Flags.string({ description: 'folder of the sweep (required)', helpValue: 'DIR' }),
    ...engineFlags,
    threads: threadsFlag,
    takeover: Flags.string({
      description:
        'seconds without a sign of life after which the parts of a worker go to others [15]',
      helpValue: 'SECONDS',
      helpGroup: 'ENGINE',
    }),
    quiet: Flags.boolean({ char: 'q', description: 'say nothing but errors', env: 'EOS_QUIET' }),
  };

  async run(): Promise<void> {
    checkSwitches(logParameters);
    const { flags } = await this.parse(WorkerCommand);
    if (!flags.out)
      throw new UsageError('--out: no folder was named; give --out DIR, the folder of the sweep');
    if (flags.engine === undefined || flags.engine === 'embedded') {
      throw new UsageError('--engine: no queue was named; give --engine redis://host');
    }
    const { availableParallelism } = await import('node:os');
    const { workerRun } = await import('../sweep/worker-run.ts');
    process.exitCode = await workerRun({
      out: flags.out,
      engine: flags.engine,
      tls: { ca: flags['redis-ca'], cert: flags['redis-cert'], key: flags['redis-key'] },
      threads: countOf('threads', flags.threads) ?? availableParallelism(),
      takeover: countOf('takeover', flags.takeover) ?? 15,
      quiet: flags.quiet,
    });
    // BullMQ tries for ever to give back a part to a Redis that is away, on connections that have long been closed.
    setTimeout(() => process.exit(), FAREWELL).unref();
  }
}
