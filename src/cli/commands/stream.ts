import { Command, Flags } from '@oclif/core';
import type { RunOptions } from '../../pipeline/models/minimal/config.ts';
import { UsageError } from '../errors.ts';
import { type Origin, originOf } from '../origin.ts';
import { runFlags, runOptions } from '../run-flags.ts';
import { checkSwitches } from '../switches.ts';

export default class Stream extends Command {
  static override summary = 'Run gradient descent and stream every step into files';

  static override description =
    `Runs gradient descent on the minimal network f(x) = α(β₁x₁ + β₂x₂), detects its phases while it runs, and writes each step with all its columns to a Parquet file (and an Arrow file).

Flags win over EOS_* environment variables, those over --config, and that over the preset. An existing file is replaced without --force only where it is a whole run of the very same parameters. Ctrl-C ends the run early: files are closed and valid, exit code 130. --resume continues it to the very digits of a run that was never stopped. If the program dies instead, eos recover makes a whole file of what it left.`;

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
      description:
        'dynamics to write beside the run (FILE.central.parquet, …): gradient-flow, constrained, central',
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
    'flush-every': Flags.string({
      description:
        'seconds after which rows are safe from a crash [5]; 0 for as soon as they are there',
      helpValue: 'SECONDS',
      helpGroup: 'OUTPUT',
      env: 'EOS_FLUSH_EVERY',
    }),
    resume: Flags.string({
      description:
        'continue the run in this file (interrupted, recovered, or its .partial), up to --steps if given',
      helpValue: 'FILE',
      helpGroup: 'OUTPUT',
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
      description:
        'take values from a JSON file with the names of the flags, or from the file of an old run',
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
    dash: Flags.boolean({
      description: 'show the run in the dashboard while it grows, and until Ctrl-C',
      helpGroup: 'LOG',
      env: 'EOS_DASH',
    }),
    quiet: Flags.boolean({
      char: 'q',
      description: 'say nothing but errors',
      helpGroup: 'LOG',
      env: 'EOS_QUIET',
    }),
  };

  async run(): Promise<void> {
    checkSwitches(Stream.flags);
    const { flags } = await this.parse(Stream);
    const { readConfigFile } = await import('../config-file.ts');
    if (flags.resume !== undefined) refuseWithResume(flags);
    const settable = Object.keys(Stream.flags).filter(
      (name) => name !== 'config' && name !== 'resume',
    );
    const file = flags.config === undefined ? {} : await readConfigFile(flags.config, settable);
    const origin: Origin = (name) =>
      originOf(name, Object.hasOwn(file, name) ? flags.config : undefined);
    const { ConfigError } = await import('../../pipeline/models/minimal/config.ts');
    const dash = flags.dash ?? yesOrNo(origin('dash'), file.dash);
    const stream = dash
      ? (await import('../stream-with-dash.ts')).streamWithDash
      : (await import('../stream-run.ts')).streamRun;
    process.exitCode = await stream({
      options: runOptions(flags, file as RunOptions),
      out: text(origin('out'), flags.out ?? file.out),
      arrow: text(origin('arrow'), flags.arrow ?? file.arrow),
      also: list(flags.also ?? file.also),
      writer: oneOf(origin('parquet-writer'), flags['parquet-writer'] ?? file['parquet-writer'], [
        'hyparquet',
        'parquetjs-lite',
      ]),
      logFormat: oneOf(origin('log-format'), flags['log-format'] ?? file['log-format'], [
        'text',
        'json',
      ]),
      pace: await paceOf(origin('pace'), flags.pace ?? file.pace),
      flushEvery: await flushEveryOf(
        origin('flush-every'),
        flags['flush-every'] ?? file['flush-every'],
      ),
      resume: flags.resume,
      quiet: flags.quiet ?? yesOrNo(origin('quiet'), file.quiet),
      force: flags.force ?? yesOrNo(origin('force'), file.force),
      dryRun: flags['dry-run'] ?? yesOrNo(origin('dry-run'), file['dry-run']),
    }).catch((error: unknown) => {
      if (!(error instanceof ConfigError)) throw error;
      throw new UsageError(`${origin(error.parameter)}: ${error.problem}`);
    });
  }
}

function text(where: string, value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new UsageError(`${where}: '${String(value)}' is not the name of a file`);
}

function list(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value.map(String) : String(value).split(',')).map((name) =>
    name.trim(),
  );
}

function oneOf<T extends string>(where: string, value: unknown, allowed: readonly T[]): T {
  if (value === undefined) return allowed[0]!;
  const match = allowed.find((word) => word === value);
  if (match) return match;
  throw new UsageError(`${where}: '${String(value)}' is none of ${allowed.join(', ')}`);
}

function yesOrNo(where: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw new UsageError(`${where}: '${String(value)}' is neither true nor false`);
}

/** What a resumed run takes from its file, and what goes on in it, cannot be said again. */
function refuseWithResume(flags: Readonly<Record<string, unknown>>): void {
  const others = [
    ...Object.keys(runFlags),
    'out',
    'also',
    'config',
    'parquet-writer',
    'force',
    'dry-run',
  ];
  for (const flag of others) {
    if (flag === 'steps' || flags[flag] === undefined || flags[flag] === false) continue;
    throw new UsageError(`--${flag}: --resume takes this from the file of the run; leave it out`);
  }
}

async function flushEveryOf(where: string, value: unknown): Promise<number> {
  if (value === undefined) return 5000;
  const { parseNumber } = await import('../../pipeline/models/minimal/config.ts');
  const seconds = parseNumber(String(value));
  if (seconds >= 0 && seconds <= 1e6) return seconds * 1000;
  throw new UsageError(`${where}: '${String(value)}' is not a number of seconds from 0 up`);
}

async function paceOf(where: string, value: unknown): Promise<number | undefined> {
  if (value === undefined) return undefined;
  const { parseNumber } = await import('../../pipeline/models/minimal/config.ts');
  const pace = parseNumber(String(value));
  if (Number.isFinite(pace) && pace > 0) return pace;
  throw new UsageError(`${where}: '${String(value)}' is not a positive number of steps per second`);
}
