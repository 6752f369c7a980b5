import { UsageError } from '../errors.ts';
import { Args, Command } from '../oclif.ts';

const KINDS = ['config', 'spec'] as const;

export default class Schema extends Command {
  static override summary = 'Print the JSON Schema of config or spec files';

  static override description =
    'An editor that knows the schema completes the names and marks what cannot be: put ' +
    '"$schema": "eos.schema.json" into the file.';

  static override examples = [
    {
      description: 'of the files that stream --config takes',
      command: '<%= config.bin %> schema > eos.schema.json',
    },
    {
      description: 'of those that sweep --spec takes',
      command: '<%= config.bin %> schema spec > spec.schema.json',
    },
  ];

  static override args = {
    kind: Args.string({ description: 'config (of eos stream) or spec (of eos sweep)' }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(Schema);
    const kind = KINDS.find((each) => each === (args.kind ?? 'config'));
    if (kind === undefined) {
      const { didYouMean } = await import('../../pipeline/core/suggest.ts');
      throw new UsageError(
        `there is no schema of '${args.kind}'${didYouMean(args.kind!, KINDS)}; there are ` +
          `${KINDS.join(', ')}`,
      );
    }
    const { jsonSchema } = await import('../../pipeline/core/json-schema.ts');
    const schema =
      kind === 'config'
        ? jsonSchema(
            'Config of eos stream',
            (await import('../stream-parameters.ts')).streamParameters,
          )
        : jsonSchema('Spec of eos sweep', (await import('../sweep/grid.ts')).gridParameters);
    this.log(JSON.stringify(schema, null, 2));
  }
}
