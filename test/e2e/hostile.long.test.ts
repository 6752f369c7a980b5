import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hostileForeignArrow } from '../safety/hostile-arrow.ts';
import {
  type HostileFile,
  hostileArrow,
  hostileLogs,
  hostileParquet,
} from '../safety/hostile-files.ts';
import { eos, temporaryFolder } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';

const MEGABYTES = 512;
/** Of the processor: the machine may be busy with other things. */
const SECONDS = 2;

/** What a process has used. */
interface Usage {
  readonly megabytes: number;
  readonly seconds: number;
}

interface Answer extends Usage {
  readonly code: number | null;
  readonly stderr: string;
}

async function ask(cwd: string, args: readonly string[]): Promise<Answer> {
  const folder = temporaryFolder();
  const report = join(folder, 'usage');
  const { code, stderr } = await eos(args, {
    cwd,
    // The clean environment of the tests drops variables called EOS_…; these are added to it.
    env: {
      NODE_OPTIONS: `--require ${join(root, 'test/safety/report-usage.cjs')}`,
      EOS_USAGE_REPORT: report,
    },
  });
  const reports = readdirSync(folder)
    .filter((name) => !name.endsWith('.new'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Usage);
  expect(reports.length).toBeGreaterThan(0);
  return {
    code,
    stderr,
    megabytes: Math.max(...reports.map(({ megabytes }) => megabytes)),
    seconds: reports.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}

/** The file was read, or refused in one line that tells where; nothing else may have happened. */
function expectGrace(answer: Answer, file: string): void {
  expect([0, 1, 2]).toContain(answer.code);
  if (answer.code === 2) {
    expect(answer.stderr).toMatch(/^eos: [^\n]{1,600}\n$/);
    expect(answer.stderr).toContain(basename(file).slice(0, 20));
  }
  expect(answer.stderr).not.toMatch(/\n {4}at |node:internal|FATAL ERROR|RangeError|TypeError/);
  expect(answer.stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
  expect(answer.megabytes).toBeLessThan(MEGABYTES);
  expect(answer.seconds).toBeLessThan(SECONDS);
}

async function withEach(
  files: readonly HostileFile[],
  args: (file: string) => readonly string[],
): Promise<Map<string, Answer>> {
  const cwd = temporaryFolder();
  const answers = new Map<string, Answer>();
  for (const { name, bytes } of files) {
    writeFileSync(join(cwd, name), bytes);
    const answer = await ask(cwd, args(name));
    try {
      expectGrace(answer, name);
    } catch (error) {
      throw new Error(
        `${args(name).join(' ')}: ${(error as Error).message}\n${JSON.stringify(answer)}`,
        {
          cause: error,
        },
      );
    }
    answers.set(name, answer);
  }
  return answers;
}

/** What `inspect` looks at is sound in these. */
const READABLE = /wrong types|of another kind|absurd names|delta/;

/** Wrong in the ratio of sharpness to threshold alone, which no check reads. */
const UNREAD =
  /^(values|no values|run of billions|bits of nothing|bomb|copies|smaller bomb)\.parquet$/;

describe('a hostile Parquet file', () => {
  test('eos inspect refuses it, or shows what can be shown', async () => {
    const answers = await withEach(await hostileParquet(), (file) => ['inspect', file]);
    for (const [name, { code }] of answers)
      if (!READABLE.test(name)) expect([name, code]).toEqual([name, 2]);
  });

  test('eos verify refuses it, or reads nothing of what is wrong', async () => {
    const answers = await withEach(await hostileParquet(), (file) => ['verify', file]);
    for (const [name, { code }] of answers)
      if (!UNREAD.test(name)) expect([name, code]).not.toEqual([name, 0]);
  });

  test('eos detect refuses it, or finds what there is', async () => {
    await withEach(await hostileParquet(), (file) => ['detect', file, '--eta', '0.05']);
  });

  test('eos recover and eos stream --resume refuse it', async () => {
    const files = (await hostileParquet()).map(({ name, bytes }) => ({
      name: `${name}.partial`,
      bytes,
    }));
    await withEach(files, (file) => ['recover', file, '--force', '--out', 'recovered.parquet']);
    const resumed = await withEach(files, (file) => ['stream', '--resume', file]);
    for (const [name, { code }] of resumed) expect([name, code]).toEqual([name, 2]);
  });
});

describe('a hostile Arrow file', () => {
  test.each([
    ['inspect', (file: string) => ['inspect', file]],
    ['detect', (file: string) => ['detect', file, '--eta', '0.05']],
    ['stream --config', (file: string) => ['stream', '--dry-run', '--config', file]],
  ])('eos %s refuses it, or shows what can be shown', async (command, args) => {
    const answers = await withEach(await hostileArrow(), args);
    expect(answers.size).toBeGreaterThan(10);
    for (const { name } of hostileForeignArrow()) {
      const { code } = answers.get(name)!;
      // Where no column is of a kind that it shows, `inspect` reads no batch.
      if (command === 'detect' && !name.startsWith('whole'))
        expect([name, code]).toEqual([name, 2]);
      // A single row of a bomb is longer than what is handed over at once.
      if (command === 'inspect' && name.startsWith('whole'))
        expect([name, code]).toEqual([name, name.endsWith('bomb.arrow') ? 2 : 0]);
    }
  });
});

describe('a hostile log', () => {
  test('eos detect refuses it, or finds what there is', async () => {
    const answers = await withEach(hostileLogs(), (file) => ['detect', file, '--eta', '0.05']);
    expect(answers.get('empty.csv')!.code).toBe(2);
  });
});

describe('a hostile configuration', () => {
  test.each([
    ['huge.json', `{"eta": ${' '.repeat(3 << 20)}1}`],
    ['deep.json', '['.repeat(500_000)],
    ['deeper.json', `${'{"eta":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['types.json', '{"eta": {"toString": 1}, "steps": [1]}'],
    ['steps.json', '{"steps": 1e308}'],
    ['prototype.json', '{"__proto__": {"eta": 1}, "constructor": 1}'],
    ['name.json', `{"${'\u001b[31m'.repeat(1000)}": 1}`],
    ['null.json', 'null'],
    ['bytes.json', '\u0000\u0001\u0002'],
  ])('%s is refused in one line', async (name, content) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, name), content);
    const answer = await ask(cwd, ['stream', '--dry-run', '--config', name]);
    expect(answer.code).toBe(2);
    expect(answer.stderr).toMatch(/^eos: [^\n]+\n$/);
    expect(answer.megabytes).toBeLessThan(MEGABYTES);
    expect(answer.seconds).toBeLessThan(SECONDS);
  });

  test('a folder, a device and a pipe are no files of a run', async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, 'folder.parquet'));
    for (const path of ['folder.parquet', '/dev/zero', '/dev/null']) {
      for (const args of [
        ['inspect', path],
        ['recover', path],
        ['stream', '--resume', path],
      ]) {
        const answer = await ask(cwd, args);
        expect([args.join(' '), answer.code]).toEqual([args.join(' '), 2]);
        expect(answer.stderr).toMatch(/^eos: [^\n]+\n$/);
      }
    }
  });
});
