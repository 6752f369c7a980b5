import type { RunOptions } from '../../pipeline/models/minimal/config.ts';
import { runParameters } from '../../pipeline/models/minimal/run-parameters.ts';
import { UsageError } from '../errors.ts';
import { Args, Command, Flags } from '../oclif.ts';
import { flagsOf } from '../parameter-flags.ts';
import { runOptions } from '../run-options.ts';

const { every: _every, columns: _columns, ...parameters } = runParameters;

export default class Predict extends Command {
  static override summary = 'Say what a run will do, before it is made';

  static override description =
    'Predicts the first crossing of 2/η, the length of the edge of stability, T(δ, ε), and ' +
    'the period and overshoot of its cycles, from gradient flow in closed form and the ' +
    'balance at the edge. Beside a run file each prediction stands with its error.';

  static override examples = [
    { description: 'the default run', command: '<%= config.bin %> predict' },
    {
      description: 'other parameters',
      command: '<%= config.bin %> predict --eta 1/12 --lambda2 0.1',
    },
    { description: 'against a run', command: '<%= config.bin %> predict data/run.parquet' },
  ];

  static override args = {
    run: Args.string({ description: 'run file (Parquet or Arrow) to compare with' }),
  };

  static override flags = {
    ...flagsOf(parameters),
    json: Flags.boolean({ description: 'print one JSON object instead of text' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Predict);
    const { resolveConfig } = await import('../../pipeline/models/minimal/config.ts');
    const { measured } = await import('../../pipeline/theory/measured-run.ts');
    const { predict } = await import('../../pipeline/theory/predict.ts');
    const { predictionLines } = await import('../predict/text.ts');
    const { readRun } = await import('../verify/read-run.ts');

    if (args.run === '') throw new UsageError('the name of the run file is empty');
    const given = Object.fromEntries(Object.entries(flags).filter(([name]) => name in parameters));
    const table = args.run === undefined ? undefined : (await readRun(args.run, given)).table;
    const config = table?.config ?? resolveConfig(runOptions(flags) as RunOptions);
    const predicted = predict(config);
    const found = table && measured(table);
    if (flags.json) {
      this.log(
        JSON.stringify({ config, predicted, ...(found ? { measured: found } : {}) }, null, 2),
      );
      return;
    }
    for (const line of predictionLines(predicted, found)) this.log(line);
  }
}
