import { Command, Flags } from '@oclif/core';
import { plural } from '../../../pipeline/format.ts';
import { UsageError } from '../../errors.ts';
import { checkEngine, engineFlags } from '../../sweep/engine-flags.ts';

export default class SweepCancel extends Command {
  static override summary = 'Stop a sweep wherever it runs, and keep what is done';

  static override description =
    'All processes that work for the folder end within a second or two; with --engine the queue is emptied as well. The command that started the sweep goes on from there.';

  static override examples = [
    {
      description: 'a sweep on this machine',
      command: '<%= config.bin %> sweep cancel --out diagram',
    },
    {
      description: 'a sweep of many',
      command: '<%= config.bin %> sweep cancel --out /shared/diagram --engine redis://host',
    },
  ];

  static override flags = {
    out: Flags.string({ description: 'folder of the sweep (required)', helpValue: 'DIR' }),
    ...engineFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SweepCancel);
    if (!flags.out)
      throw new UsageError('--out: no folder was named; give --out DIR, the folder of the sweep');
    checkEngine(flags.engine, flags);
    const { cancelSweep } = await import('../../sweep/cancel.ts');
    const { dropped } = await cancelSweep(flags.out, flags.engine, {
      ca: flags['redis-ca'],
      cert: flags['redis-cert'],
      key: flags['redis-key'],
    });
    this.log(
      `cancelled${dropped === undefined ? '' : `, ${plural(dropped, 'part')} taken out of the queue`}`,
    );
  }
}
