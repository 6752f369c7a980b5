import { didYouMean } from '../pipeline/core/suggest.ts';
import { describeError, EXIT, forTerminal, oneLine } from './errors.ts';
import { Errors, flush, run as oclif } from './oclif.ts';
import { packageRoot } from './package-root.ts';
import { readBy } from './reader/reading.ts';

/** Runs the command line; every error ends here as one line on stderr and an exit code. */
export async function run(): Promise<void> {
  // oclif's own listener turns a full disk into a stack trace, and waits for ever on a closed pipe.
  process.stdout.removeAllListeners('error');
  process.stdout.on('error', lostOutput);
  readBy({
    openTable: async (...call) => (await inReader()).openTable(...call),
    checkIntegrity: async (...call) => (await inReader()).checkIntegrity(...call),
    openLog: async (...call) => (await inReader()).openLog(...call),
    job: async (...call) => (await inReader()).job(...call),
    prepareLog: (paths) => void inReader().then((reader) => reader.prepareLog?.(paths)),
  });
  try {
    await oclif(wanted(process.argv.slice(2)), { root: packageRoot });
    await flush();
  } catch (error) {
    report(error);
    leave();
  }
}

/** Loaded where a file is read: most commands read none. */
const inReader = async () => (await import('./reader/reader.ts')).inReader;

/**
 * The words of the command line; those that ask for the version ask for nothing else, wherever they
 * stand.
 */
function wanted(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  const own = end < 0 ? words : words.slice(0, end);
  return own.some((word) => word === '-v' || word === '--version') ? ['--version'] : [...words];
}

/** Milliseconds that what a failed command has left open may keep the process. */
const FAREWELL = 500;

/**
 * Ends the process once all is said, whatever connection, thread or timer of a failed command is
 * still there.
 */
function leave(): void {
  const timer = setTimeout(() => {
    if (process.stdout.writableLength + process.stderr.writableLength > 0) leave();
    else process.exit();
  }, FAREWELL);
  timer.unref();
}

/**
 * The output cannot be written any more. Commands that must clean up first add a listener of their
 * own.
 */
function lostOutput(error: NodeJS.ErrnoException): void {
  if (process.stdout.listenerCount('error') > 1) return;
  // A reader that has seen enough, such as `head`, is no news to anybody.
  if (error.code === 'EPIPE') process.exit(EXIT.done);
  report(error);
  process.exit(EXIT.failure);
}

function report(error: unknown): void {
  if (error instanceof Errors.ExitError) {
    process.exitCode = error.oclif.exit ?? EXIT.failure;
    return;
  }
  const { line, code } = describeUsage(error) ?? describeError(error);
  process.stderr.write(`eos: ${forTerminal(line)}\n`);
  if (process.env.EOS_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = code;
}

interface ParseError extends Error {
  readonly oclif?: { readonly exit?: number };
  readonly flags?: readonly string[];
  /** Arguments that are missing, where some are. */
  readonly args?: readonly Described[];
  readonly parse?: {
    readonly input?: { readonly flags?: Readonly<Record<string, Described | undefined>> };
  };
}

interface Described {
  readonly name?: string;
  readonly description?: string;
}

/** Errors of oclif's parser, said in one line; undefined for any other. */
function describeUsage(error: unknown): { line: string; code: number } | undefined {
  if (!(error instanceof Errors.CLIError)) return undefined;
  const { parse, flags, message } = error as ParseError;
  if (parse && flags && flags.length > 0) {
    const [flag] = flags;
    const known = Object.keys(parse.input?.flags ?? {}).map((name) => `--${name}`);
    return {
      line: `there is no flag ${flag}${didYouMean(flag!, known)} (see --help)`,
      code: EXIT.usage,
    };
  }
  const missing = whatIsMissing(error as ParseError);
  const line = missing.length > 0 ? missing.join('; ') : oneLine(message);
  return { line: `${line}${parse ? ' (see --help)' : ''}`, code: EXIT.usage };
}

/** Each argument and flag that a command cannot do without, and was not given. */
function whatIsMissing({ message, args = [], parse }: ParseError): string[] {
  if (!/^Missing \d+ required arg|Missing required flag/.test(message)) return [];
  const flags = [...message.matchAll(/Missing required flag (\S+)/g)].map(([, name]) => ({
    name: `--${name}`,
    description: parse?.input?.flags?.[name!]?.description,
  }));
  const missing = [
    ...args.map(({ name = '', description }) => ({ name: name.toUpperCase(), description })),
    ...flags,
  ];
  return missing.map(
    ({ name, description }) => `${name} is missing: ${description ?? 'it is required'}`,
  );
}
