import { Command, Flags } from '@oclif/core';
import { UsageError } from '../../errors.ts';
import { checkEngine, engineFlags } from '../../sweep/engine-flags.ts';

export default class SweepStatus extends Command {
  static override summary = 'Tell how far a sweep has come';

  static override examples = [
    { description: 'the folder', command: '<%= config.bin %> sweep status --out diagram' },
    {
      description: 'and the queue',
      command: '<%= config.bin %> sweep status --out /shared/diagram --engine redis://host',
    },
  ];

  static override flags = {
    out: Flags.string({ description: 'folder of the sweep (required)', helpValue: 'DIR' }),
    ...engineFlags,
    json: Flags.boolean({ description: 'print one JSON object instead of text' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SweepStatus);
    if (!flags.out)
      throw new UsageError('--out: no folder was named; give --out DIR, the folder of the sweep');
    checkEngine(flags.engine, flags);
    const { sweepStatus, statusLines } = await import('../../sweep/status.ts');
    const status = await sweepStatus(flags.out, flags.engine, {
      ca: flags['redis-ca'],
      cert: flags['redis-cert'],
      key: flags['redis-key'],
    });
    if (flags.json) this.log(JSON.stringify(status, null, 2));
    else for (const line of statusLines(status)) this.log(line);
  }
}
