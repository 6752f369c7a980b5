import { UsageError } from '../errors.ts';
import { Command } from '../oclif.ts';
import { checkSwitches, flagsOf, settledOf } from '../parameter-flags.ts';
import { logParameters } from '../stream-parameters.ts';
import { folderOf, workerParameters } from '../sweep/parameters.ts';

const parameters = { ...workerParameters, quiet: logParameters.quiet };

/** Milliseconds that are left to what is still being said. */
const FAREWELL = 200;

export default class WorkerCommand extends Command {
  static override summary = 'Work for a sweep that another machine has handed to a queue';

  static override description =
    'Takes parts of the sweep in DIR from the queue until the sweep is whole, and writes them ' +
    'there: DIR is a folder that all machines share. Any number of workers may come, go and ' +
    'die meanwhile.';

  static override examples = [
    {
      description: 'on each machine',
      command: '<%= config.bin %> worker --engine redis://host --out /shared/diagram',
    },
    {
      description: 'with a password that stays out of the list of processes',
      command:
        'EOS_REDIS_PASSWORD=… <%= config.bin %> worker --engine rediss://host --out ' +
        '/shared/diagram',
    },
  ];

  static override flags = flagsOf(parameters);

  async run(): Promise<void> {
    checkSwitches(parameters);
    const { flags } = await this.parse(WorkerCommand);
    const settled = settledOf(parameters, flags);
    const out = folderOf(settled.out);
    const { openEngine } = await import('../sweep/engine.ts');
    const queueing = await openEngine(settled);
    if (!queueing) throw new UsageError('--engine: no queue was named; give --engine redis://host');
    const { availableParallelism } = await import('node:os');
    process.exitCode = await queueing.redis.workerRun({
      out,
      connection: queueing.connection,
      threads: settled.threads ?? availableParallelism(),
      takeover: settled.takeover,
      quiet: settled.quiet,
    });
    // BullMQ tries for ever to give back a part to a Redis that is away, on connections that have
    // long been closed.
    setTimeout(() => process.exit(), FAREWELL).unref();
  }
}
