import { Command, Flags } from '../../oclif.ts';
import { flagsOf, settledOf } from '../../parameter-flags.ts';
import { engineParameters, folderOf, folderParameters } from '../../sweep/parameters.ts';

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
    ...flagsOf({ ...folderParameters, ...engineParameters }),
    json: Flags.boolean({ description: 'print one JSON object instead of text' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SweepStatus);
    const { sweepStatus, statusLines } = await import('../../sweep/status.ts');
    const status = await sweepStatus(folderOf(flags.out), settledOf(engineParameters, flags));
    if (flags.json) this.log(JSON.stringify(status, null, 2));
    else for (const line of statusLines(status)) this.log(line);
  }
}
