import { Flags, type Interfaces } from '@oclif/core';
import {
  SWEEP_PARAMETER_NAMES,
  SWEEP_PARAMETERS,
  type SweepParameterName,
} from '../../pipeline/sweep/parameters.ts';
import type { SweepOptions } from '../../pipeline/sweep/sweep.ts';
import { UsageError } from '../errors.ts';

/** A flag for each parameter that a sweep can vary; the seeds go by `--seeds` as well. */
export const parameterFlags = Object.fromEntries(
  SWEEP_PARAMETER_NAMES.map((name) => [
    name,
    Flags.string({
      description: `${SWEEP_PARAMETERS[name].symbol}, ${SWEEP_PARAMETERS[name].meaning}`,
      helpValue: 'GRID',
      helpGroup: 'GRID',
      ...(name === 'seed' ? { aliases: ['seeds'] } : {}),
    }),
  ]),
) as Record<SweepParameterName, Interfaces.OptionFlag<string | undefined>>;

export const sweepFlags = {
  ...parameterFlags,
  preset: Flags.string({
    description: 'parameters to start from',
    helpValue: 'NAME',
    helpGroup: 'GRID',
  }),
  init: Flags.string({
    description: 'starts θ₀, several separated by semicolons: 0.3,0.1,0.3;0.6,0.01,0.6',
    helpValue: 'α,β₁,β₂;…',
    helpGroup: 'GRID',
  }),
  spec: Flags.string({
    description: 'JSON file with the names of these flags',
    helpValue: 'FILE',
    helpGroup: 'GRID',
  }),
  trajectories: Flags.string({
    description: 'keep the trajectories as well, each K-th row of them and all near an event',
    helpValue: 'every:K',
    helpGroup: 'OUTPUT',
  }),
} as const;

const SPEC_KEYS = [...SWEEP_PARAMETER_NAMES, 'seeds', 'preset', 'init', 'trajectories'];

/** What the user said of the sweep: flags first, then the spec file. */
export async function sweepOptions(
  flags: { readonly [K in keyof typeof sweepFlags]?: string | undefined },
): Promise<SweepOptions> {
  const file = flags.spec === undefined ? {} : await readSpecFile(flags.spec);
  const given = (name: Exclude<keyof typeof sweepFlags, 'spec'>) => flags[name] ?? file[name];
  const axes = Object.fromEntries(SWEEP_PARAMETER_NAMES.map((name) => [name, given(name)]));
  // Parts of a start on the command line stand against a whole one in the file, and the other way round.
  const parts = ['alpha', 'beta1', 'beta2'] as const;
  if (flags.init !== undefined) for (const part of parts) axes[part] = flags[part];
  return {
    ...axes,
    preset: given('preset') as SweepOptions['preset'],
    init: given('init'),
    trajectories: everyOf(given('trajectories')),
  };
}

function everyOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(?:every:)?(\d+)$/.exec(text.trim());
  if (match && Number(match[1]) >= 1) return Number(match[1]);
  throw new UsageError(
    `--trajectories: '${text}' is not every:K with a whole number K from 1 up, such as every:10`,
  );
}

/** Spec files are written by hand; anything larger is something else. */
const LARGEST = 1 << 20;

/** The text of a file without its byte order mark. What never ends, such as a device, is read no further than it may be. */
async function specText(path: string): Promise<string> {
  const { open } = await import('node:fs/promises');
  const problem = ({ code, message }: NodeJS.ErrnoException) =>
    new UsageError(
      `--spec: ${path}: ${code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'this is a folder' : message}`,
    );
  const file = await open(path).catch((error) => {
    throw problem(error);
  });
  try {
    const bytes = Buffer.alloc(LARGEST + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length).catch((error) => {
        throw problem(error);
      });
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > LARGEST)
      throw new UsageError(`--spec: ${path} is larger than a spec file can be (1 MiB)`);
    return bytes.toString('utf8', 0, length).replace(/^\ufeff/, '');
  } finally {
    await file.close();
  }
}

async function readSpecFile(path: string): Promise<Record<string, string>> {
  const text = await specText(path);
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--spec: ${path} is not JSON: ${(error as Error).message}`);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new UsageError(
      `--spec: ${path} does not hold a JSON object such as {"eta": "0.01:0.5:log:60"}`,
    );
  }
  const { didYouMean } = await import('../../pipeline/core/suggest.ts');
  const entries = Object.entries(values).map(([key, value]) => {
    if (!SPEC_KEYS.includes(key)) {
      throw new UsageError(
        `--spec: ${path} names '${key}', which is no parameter${didYouMean(key, SPEC_KEYS)}`,
      );
    }
    return [key === 'seeds' ? 'seed' : key, valueText(path, key, value)] as const;
  });
  return Object.fromEntries(entries);
}

/** Values as the flags take them: 0.05, "0.01:0.5:log:60", [0.01, 0.02], and for starts [[0.3, 0.1, 0.3], …]. */
function valueText(path: string, key: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (Array.isArray(value) && value.length > 0) {
    const nested = value.every((item) => Array.isArray(item));
    return nested
      ? value.map((item) => valueText(path, key, item)).join(';')
      : value.map(String).join(',');
  }
  throw new UsageError(
    `--spec: ${path}: ${key} is ${JSON.stringify(value)}; give a number, a text or a list of them`,
  );
}
