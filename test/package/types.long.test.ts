import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../setup/parts.ts';
import { folderOfFile, pack, project, readmeProgram, succeed, write } from './projects.ts';

const folder = folderOfFile();
let tarball: string;

beforeAll(async () => {
  ({ tarball } = await pack(folder));
});

/** Operators of a user's own, in rxjs alone, before and behind ours. */
const OWN_OPERATORS = `
import { filter, lastValueFrom, map, type MonoTypeOperatorFunction, take, tap } from 'rxjs';
import { classifySharpness, gradientDescent, presets, type Batch, toSteps } from 'eos-stream';

let rows = 0;
const count = <B extends Batch<unknown>>(): MonoTypeOperatorFunction<B> =>
  tap(({ length }) => {
    rows += length;
  });
const steps = gradientDescent(presets.paper).pipe(count(), classifySharpness(), count(), toSteps());
const first = steps.pipe(
  filter(({ sharpness_ratio = 0 }) => sharpness_ratio >= 1),
  map(({ step, sharpness = 0 }) => ({ step: Number(step), sharpness })),
  take(1),
);
const crossing: { step: number; sharpness: number } = await lastValueFrom(first);
console.log(crossing.step, rows > crossing.step);
`;

describe.each(['7.8.2', '7.8.1'])('with rxjs %s', (rxjs) => {
  const cwd = join(folder, rxjs);

  beforeAll(() => project(cwd, tarball, `rxjs@${rxjs}`), 180_000);

  test.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])(
    'strict TypeScript compiles with module %s, moduleResolution %s, and runs',
    async (module, moduleResolution) => {
      const compilerOptions = {
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        target: 'es2022',
        lib: ['es2023', 'dom'],
        types: [],
        module,
        moduleResolution,
        outDir: moduleResolution,
      };
      await write(cwd, {
        'tsconfig.json': JSON.stringify({ compilerOptions, include: ['*.ts'] }),
        'readme.ts': await readmeProgram(),
        'own.ts': OWN_OPERATORS,
      });
      await succeed(
        cwd,
        process.execPath,
        join(root, 'node_modules/typescript/bin/tsc'),
        '-p',
        '.',
      );
      const out = (name: string) => succeed(cwd, process.execPath, join(moduleResolution, name));
      expect(await out('own.js')).toBe('2015 true\n');
      expect(await out('readme.js')).toBe('converged\n');
    },
  );
});
