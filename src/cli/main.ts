import { Errors, flush, run as oclif } from '@oclif/core';
import { describeError, EXIT, oneLine } from './errors.ts';
import { didYouMean } from './suggest.ts';

/** Runs the command line; every error ends here as one line on stderr and an exit code. */
export async function run(url: string): Promise<void> {
  process.stdout.on('error', exitOnBrokenPipe);
  try {
    await oclif(process.argv.slice(2), url);
    await flush();
  } catch (error) {
    report(error);
  }
}

/** Without a listener Node would print a stack trace; commands that must clean up first add their own. */
function exitOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  if (process.stdout.listenerCount('error') > 1) return;
  process.exit(EXIT.failure);
}

function report(error: unknown): void {
  if (error instanceof Errors.ExitError) {
    process.exitCode = error.oclif.exit ?? EXIT.failure;
    return;
  }
  const { line, code } = describeUsage(error) ?? describeError(error);
  process.stderr.write(`eos: ${line}\n`);
  if (process.env.EOS_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = code;
}

interface ParseError extends Error {
  readonly oclif?: { readonly exit?: number };
  readonly flags?: readonly string[];
  readonly args?: readonly unknown[];
  readonly parse?: { readonly input?: { readonly flags?: Readonly<Record<string, unknown>> } };
}

/** Errors of oclif's parser, said in one line; undefined for any other. */
function describeUsage(error: unknown): { line: string; code: number } | undefined {
  if (!(error instanceof Errors.CLIError)) return undefined;
  const { parse, flags, message } = error as ParseError;
  if (parse && flags && flags.length > 0) {
    const [flag] = flags;
    const known = Object.keys(parse.input?.flags ?? {}).map((name) => `--${name}`);
    return { line: `there is no flag ${flag}${didYouMean(flag!, known)} (see --help)`, code: EXIT.usage };
  }
  return { line: `${oneLine(message)}${parse ? ' (see --help)' : ''}`, code: EXIT.usage };
}
