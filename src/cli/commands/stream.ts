import type { ValuesOf } from '../../pipeline/core/parameters.ts';
import { runParameters } from '../../pipeline/models/minimal/run-parameters.ts';
import { UsageError } from '../errors.ts';
import { Command, Flags } from '../oclif.ts';
import { checkSwitches, flagsOf, originOf, settledOf } from '../parameter-flags.ts';
import { runOptions } from '../run-options.ts';
import {
  logParameters,
  outputParameters,
  streamParameters,
  watchParameters,
} from '../stream-parameters.ts';

export default class Stream extends Command {
  static override summary = 'Run gradient descent and stream every step into files';

  static override description =
    `Runs gradient descent on the minimal network f(x) = α(β₁x₁ + β₂x₂), detects its phases while \
it runs, and writes each step with all its columns to a Parquet file (and an Arrow file).

Flags win over EOS_* environment variables, those over --config, and that over the preset. An \
existing file is replaced without --force only where it is a whole run of the very same \
parameters. Ctrl-C ends the run early: files are closed and valid, exit code 130. --resume \
continues it to the very digits of a run that was never stopped. If the program dies instead, eos \
recover makes a whole file of what it left.`;

  static override examples = [
    {
      description: 'the run of the first figure',
      command: '<%= config.bin %> stream --out data/run.parquet',
    },
    {
      description: 'three phases in one run, as Arrow too',
      command: '<%= config.bin %> stream --preset three-phases --out run.parquet --arrow run.arrow',
    },
    {
      description: 'a larger learning rate, watched live',
      command: '<%= config.bin %> stream --eta 1/12 --pace 2000 --dry-run',
    },
    {
      description: 'a long run, thinned',
      command: '<%= config.bin %> stream --steps 50000000 --every 1000 --out long.parquet',
    },
    {
      description: 'the same run again, from its file',
      command: '<%= config.bin %> stream --config run.parquet --out again.parquet',
    },
    {
      description: 'a run to watch in the browser',
      command: '<%= config.bin %> stream --pace 500 --dash --out run.parquet',
    },
    {
      description: 'the rest of a run that was stopped',
      command: '<%= config.bin %> stream --resume long.parquet',
    },
    {
      description: 'with the averaged dynamics beside it',
      command:
        '<%= config.bin %> stream --out run.parquet --also central,constrained,gradient-flow',
    },
    {
      description: 'events for another program',
      command:
        '<%= config.bin %> stream --dry-run --log-format json | jq \'select(.event=="phase")\'',
    },
  ];

  static override flags = {
    ...flagsOf(streamParameters),
    resume: Flags.string({
      description:
        'continue the run in this file (interrupted, recovered, or its .partial) or, with a ' +
        'later --steps, lengthen it',
      helpValue: 'FILE',
      helpGroup: 'OUTPUT',
    }),
    config: Flags.string({
      description:
        'take values from a JSON file with the names of the flags, or from the file of an old run',
      helpValue: 'FILE',
      env: 'EOS_CONFIG',
    }),
  };

  async run(): Promise<void> {
    checkSwitches(streamParameters);
    const { flags } = await this.parse(Stream);
    const { readConfigFile } = await import('../config-file.ts');
    if (flags.resume !== undefined) refuseWithResume(flags);
    const file: Partial<ValuesOf<typeof streamParameters>> =
      flags.config === undefined
        ? {}
        : await readConfigFile('config', flags.config, streamParameters);
    const { ConfigError } = await import('../../pipeline/core/parameters.ts');
    const said = settledOf(
      { ...outputParameters, ...watchParameters, ...logParameters },
      flags,
      file,
    );
    const { streamRun } = said.dash
      ? await import('../stream-with-dash.ts')
      : await import('../stream-run.ts');
    process.exitCode = await streamRun({
      options: runOptions(flags, file),
      out: said.out,
      arrow: said.arrow,
      also: said.also ?? [],
      weights: said.weights,
      weightsEvery: said['weights-every'],
      writer: said['parquet-writer'],
      compression: said.compression,
      logFormat: said['log-format'],
      pace: said.pace,
      flushEvery: 1000 * said['flush-every'],
      resume: flags.resume,
      quiet: said.quiet,
      force: said.force,
      dryRun: said['dry-run'],
    }).catch((error: unknown) => {
      if (!(error instanceof ConfigError)) throw error;
      const { parameter, problem } = error;
      const from = Object.hasOwn(file, parameter) ? flags.config : undefined;
      throw new UsageError(`${originOf(parameter, from)}: ${problem}`);
    });
  }
}

/** What a resumed run takes from its file, and what goes on in it, cannot be said again. */
function refuseWithResume(flags: Readonly<Record<string, unknown>>): void {
  const { steps: _, ...parameters } = runParameters;
  const others = [
    ...Object.keys(parameters),
    'out',
    'config',
    'parquet-writer',
    'compression',
    'force',
    'dry-run',
  ];
  const other = others.find((flag) => flags[flag] !== undefined && flags[flag] !== false);
  if (other !== undefined)
    throw new UsageError(`--${other}: --resume takes this from the file of the run; leave it out`);
}
