import { Command, Flags } from '@oclif/core';
import type { RunOptions } from '../../pipeline/config.ts';
import { UsageError } from '../errors.ts';
import { runFlags, runOptions } from '../run-flags.ts';

export default class Stream extends Command {
  static override summary = 'Run gradient descent and stream every step into files';

  static override description =
    `Runs gradient descent on the minimal network f(x) = α(β₁x₁ + β₂x₂), detects its phases while it runs, and writes each step with all its columns to a Parquet file (and an Arrow file).

Flags win over EOS_* environment variables, those over --config, and that over the preset. An existing file is replaced without --force only where it is a whole run of the very same parameters. Ctrl-C ends the run early: files are closed and valid, exit code 130.`;

  static override examples = [
    { description: 'the run of the first figure', command: '<%= config.bin %> stream --out data/run.parquet' },
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
      description: 'with the averaged dynamics beside it',
      command: '<%= config.bin %> stream --out run.parquet --also central,constrained,gradient-flow',
    },
    {
      description: 'events for another program',
      command: '<%= config.bin %> stream --dry-run --log-format json | jq \'select(.event=="phase")\'',
    },
  ];

  static override flags = {
    out: Flags.string({
      description: 'Parquet file to write (required unless --dry-run)',
      helpValue: 'FILE.parquet',
      helpGroup: 'OUTPUT',
      env: 'EOS_OUT',
    }),
    arrow: Flags.string({
      description: 'Arrow IPC file to write as well',
      helpValue: 'FILE.arrow',
      helpGroup: 'OUTPUT',
      env: 'EOS_ARROW',
    }),
    also: Flags.string({
      description: 'dynamics to write beside the run (FILE.central.parquet, …): gradient-flow, constrained, central',
      helpValue: 'A,B',
      helpGroup: 'OUTPUT',
      env: 'EOS_ALSO',
    }),
    ...runFlags,
    'parquet-writer': Flags.string({
      description: 'program that encodes the Parquet file: hyparquet (default) or parquetjs-lite',
      helpValue: 'NAME',
      helpGroup: 'OUTPUT',
      env: 'EOS_PARQUET_WRITER',
    }),
    force: Flags.boolean({
      description: 'replace existing files whatever they are',
      helpGroup: 'OUTPUT',
      env: 'EOS_FORCE',
    }),
    'dry-run': Flags.boolean({
      description: 'run and log, but write no file',
      helpGroup: 'OUTPUT',
      env: 'EOS_DRY_RUN',
    }),
    config: Flags.string({
      description: 'take values from a JSON file with the names of the flags, or from the file of an old run',
      helpValue: 'FILE',
      env: 'EOS_CONFIG',
    }),
    pace: Flags.string({
      description: 'steps per second, to watch it happen',
      helpValue: 'N',
      helpGroup: 'LOG',
      env: 'EOS_PACE',
    }),
    'log-format': Flags.string({
      description: 'text (default, on stderr) or json (one object a line, on stdout)',
      helpValue: 'FORMAT',
      helpGroup: 'LOG',
      env: 'EOS_LOG_FORMAT',
    }),
    quiet: Flags.boolean({ char: 'q', description: 'say nothing but errors', helpGroup: 'LOG', env: 'EOS_QUIET' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Stream);
    const { readConfigFile } = await import('../config-file.ts');
    const file = flags.config === undefined ? {} : await readConfigFile(flags.config, Object.keys(Stream.flags));
    const { streamRun } = await import('../stream-run.ts');
    process.exitCode = await streamRun({
      options: runOptions(flags, file as RunOptions),
      out: text('out', flags.out ?? file.out),
      arrow: text('arrow', flags.arrow ?? file.arrow),
      also: list(flags.also ?? file.also),
      writer: oneOf('parquet-writer', flags['parquet-writer'] ?? file['parquet-writer'], [
        'hyparquet',
        'parquetjs-lite',
      ]),
      logFormat: oneOf('log-format', flags['log-format'] ?? file['log-format'], ['text', 'json']),
      pace: await paceOf(flags.pace ?? file.pace),
      quiet: flags.quiet ?? file.quiet === true,
      force: flags.force ?? file.force === true,
      dryRun: flags['dry-run'] ?? file['dry-run'] === true,
    });
  }
}

function text(flag: string, value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new UsageError(`--${flag}: '${String(value)}' is not the name of a file`);
}

function list(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value.map(String) : String(value).split(',')).map((name) => name.trim());
}

function oneOf<T extends string>(flag: string, value: unknown, allowed: readonly T[]): T {
  if (value === undefined) return allowed[0]!;
  const match = allowed.find((word) => word === value);
  if (match) return match;
  throw new UsageError(`--${flag}: '${String(value)}' is none of ${allowed.join(', ')}`);
}

async function paceOf(value: unknown): Promise<number | undefined> {
  if (value === undefined) return undefined;
  const { parseNumber } = await import('../../pipeline/config.ts');
  const pace = parseNumber(String(value));
  if (Number.isFinite(pace) && pace > 0) return pace;
  throw new UsageError(`--pace: '${String(value)}' is not a positive number of steps per second`);
}
