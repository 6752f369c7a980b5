import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeWith, part, root } from '../setup/parts.ts';
import { readBack } from '../sinks/read-back.ts';
import {
  folderOfFile,
  install,
  installed,
  type Packed,
  pack,
  project,
  readmeProgram,
  run,
  succeed,
} from './projects.ts';

const folder = folderOfFile();
const cwd = join(folder, 'project');
let packed: Packed;

beforeAll(async () => {
  packed = await pack(folder);
  await project(cwd, packed.tarball);
});

test('the package holds no sources, tests or scripts that build it', () => {
  for (const path of ['package.json', 'README.md', 'LICENSE', 'CITATION.cff', 'THIRD_PARTY.md'])
    expect(packed.paths).toContain(path);
  expect(packed.paths.filter((path) => /^(src|test|bench|scripts|\.ci)\//.test(path))).toEqual([]);
});

test('fewer than ten packages are installed, this one and RxJS among them', async () => {
  const packages = await installed(cwd);
  expect(packages).toEqual(expect.arrayContaining(['eos-stream', 'rxjs']));
  expect(packages.length, packages.join(' ')).toBeLessThan(10);
});

test('what is built in has its licence beside it', async () => {
  const inPackage = (path: string) => readFile(join(cwd, 'node_modules/eos-stream', path), 'utf8');
  const licences = await inPackage('dist/pipeline/assets/third-party-licences.txt');
  const heading = /^([\w-]+) [\d.]+ \(.+\)\n\n(?=[\s\S]{100})/gm;
  const names = [...licences.matchAll(heading)].map(([, name]) => name);
  expect(names).toEqual(expect.arrayContaining(['apache-arrow', 'flatbuffers', 'hyparquet']));
  expect(await inPackage('THIRD_PARTY.md')).toContain(licences);
});

test("the README's program runs", async () => {
  await writeFile(join(cwd, 'program.js'), await readmeProgram());
  expect(await succeed(cwd, process.execPath, 'program.js')).toBe('converged\n');
  expect((await readBack(join(cwd, 'run.parquet'))).rows).toBeGreaterThan(10_000);
});

describe.each(['node22', 'node24'] as const)('%s', (engine) => {
  describeWith([engine], engine, () => {
    test('runs the program and eos, which loads what locks files', async () => {
      const succeeds = (...args: string[]) => succeed(cwd, part(engine), ...args);
      await writeFile(join(cwd, 'program.js'), await readmeProgram());
      expect(await succeeds('program.js')).toBe('converged\n');
      const eos = join(cwd, 'node_modules/eos-stream/bin/run.js');
      await succeeds(eos, 'stream', '--force', '--out', `${engine}.parquet`);
      expect(await succeeds(eos, 'inspect', `${engine}.parquet`)).toContain('10,001 rows');
      const locks = "console.log(typeof require('fs-native-extensions').tryLock)";
      expect(await succeeds('--eval', locks)).toBe('function\n');
    });
  });
});

test('eos works, and says in one line what to install for what needs more', async () => {
  await succeed(cwd, 'npx', 'eos', 'stream', '--out', 'cli.parquet');
  expect((await readBack(join(cwd, 'cli.parquet'))).rows).toBe(10_001);
  expect(await succeed(cwd, 'npx', 'eos', 'inspect', 'cli.parquet')).toContain('10,001 rows');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect(await succeed(cwd, 'npx', 'eos', '--version')).toContain(`eos-stream/${version} `);
  expect(await succeed(cwd, 'npx', 'eos', 'help', 'dash')).toContain('eos dash COMMAND');
  const drawing = ['npx', 'eos', 'figures', '--only', '1', '--out', 'figures'] as const;
  const { code, stdout, stderr } = await run(cwd, ...drawing);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  const [, list] = /^eos: \S+ is not installed; .* with: npm install (.*)\n$/.exec(stderr)!;
  await install(cwd, ...list!.split(' '));
  await succeed(cwd, ...drawing);
  expect(existsSync(join(cwd, 'figures/figure-1.svg'))).toBe(true);

  const redis = [
    'sweep',
    '--engine',
    'redis://127.0.0.1:1',
    '--eta',
    '0.01:0.02:lin:2',
    '--out',
    'diagram',
  ];
  const without = await run(cwd, 'npx', 'eos', ...redis);
  expect(without).toMatchObject({ code: 2, stdout: '' });
  expect(without.stderr).toMatch(
    /^eos: (bullmq|ioredis) is not installed; .*bullmq@\S+ ioredis@\S+\n$/,
  );
});
