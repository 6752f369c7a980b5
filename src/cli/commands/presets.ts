import { Command, Flags } from '../oclif.ts';

export default class Presets extends Command {
  static override summary = 'List the presets, each with what its run shows';

  static override examples = [
    { description: 'all of them', command: '<%= config.bin %> presets' },
    {
      description: 'the parameters of one, to change and run',
      command: '<%= config.bin %> presets --json | jq .plain > mine.json',
    },
    { description: 'a run of one', command: '<%= config.bin %> stream --preset plain --dry-run' },
  ];

  static override flags = {
    json: Flags.boolean({ description: 'print one JSON object with the parameters of each' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Presets);
    const { trainings } = await import('../../pipeline/sources/trainings/index.ts');
    const all = trainings.flatMap(({ presets }) => presets);
    if (flags.json) {
      const parameters = Object.fromEntries(all.map(({ name, parameters: each }) => [name, each]));
      this.log(JSON.stringify(parameters, null, 2));
    } else for (const { name, shows } of all) this.log(`${name.padEnd(14)} ${shows}`);
  }
}
