import { plural } from '../../../pipeline/format.ts';
import { Command } from '../../oclif.ts';
import { flagsOf, settledOf } from '../../parameter-flags.ts';
import { engineParameters, folderOf, folderParameters } from '../../sweep/parameters.ts';

export default class SweepCancel extends Command {
  static override summary = 'Stop a sweep wherever it runs, and keep what is done';

  static override description =
    'All processes that work for the folder end within a second or two; with --engine the ' +
    'queue is emptied as well. The command that started the sweep goes on from there.';

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
    ...flagsOf({ ...folderParameters, ...engineParameters }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SweepCancel);
    const { cancelSweep } = await import('../../sweep/cancel.ts');
    const dropped = await cancelSweep(folderOf(flags.out), settledOf(engineParameters, flags));
    const queued =
      dropped === undefined ? '' : `, ${plural(dropped, 'part')} taken out of the queue`;
    this.log(`cancelled${queued}`);
  }
}
