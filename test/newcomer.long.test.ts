import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { succeed } from './package/projects.ts';
import { cleanEnvironment, type Outcome, type Running, watch } from './setup/eos.ts';
import { findPart, root } from './setup/parts.ts';
import { removeFolder } from './setup/remove-folder.ts';

/** In the order in which a newcomer comes to them: each may use what the ones before have made. */
const DOCUMENTS = [
  'README.md',
  'docs/columns.md',
  'docs/detect.md',
  'docs/networks.md',
  'docs/lab.md',
  'docs/dashboard.md',
  'docs/watch.md',
  'docs/sweeps.md',
  'docs/durability.md',
  'docs/theory.md',
  'docs/library.md',
  'docs/catalogue.md',
  'docs/glossary.md',
];

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocksOf = (markdown: string): Block[] =>
  [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
    language: language!,
    text: text!,
  }));

interface Command {
  readonly line: string;
  /** What the document shows of its output. */
  readonly shown: readonly string[];
}

function commandsOf({ language, text }: Block): Command[] {
  const lines = text.replaceAll('\\\n', '').trimEnd().split('\n');
  if (language === 'sh')
    return lines
      .map((line) => line.replace(/\s+# .*$/, ''))
      .filter((line) => line.trim() !== '' && !line.startsWith('#'))
      .map((line) => ({ line, shown: [] }));
  const commands: { line: string; shown: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith('$ ')) commands.push({ line: line.slice(2), shown: [] });
    else commands.at(-1)?.shown.push(line);
  }
  return commands;
}

/** Output without what depends on the machine. */
const timeless = (text: string): string =>
  text
    .replace(/\bin [\d.,]+ m?s\b[^\n]*/g, 'in …')
    .replace(/[\d.,]+ [kM]B\b/g, '… bytes')
    .trimEnd();

/** Whether the shown lines stand in the output, one behind the other where no … is between them. */
function firstMissing(shown: readonly string[], output: string): string | undefined {
  const lines = timeless(output)
    .split('\n')
    .map((line) => line.trimEnd());
  let at = 0;
  let gap = true;
  for (const line of shown.map((text) => timeless(text))) {
    if (line === '…') {
      gap = true;
      continue;
    }
    const found = lines.indexOf(line, at);
    if (found < 0 || (!gap && found !== at)) return line;
    at = found + 1;
    gap = false;
  }
  return undefined;
}

const temporary = await mkdtemp(join(tmpdir(), 'eos-newcomer-'));
const folder = join(temporary, 'eos');
const python = findPart('python');
// What a newcomer installs goes into a folder of its own, not into the Python that all tests share.
const packages = join(temporary, 'packages');
const programs = join(temporary, 'bin');
const environment: NodeJS.ProcessEnv = {
  ...cleanEnvironment(),
  HOME: process.env.HOME,
  PYTHONPATH: packages,
  PATH: [programs, ...(python ? [dirname(python)] : []), process.env.PATH].join(':'),
};

/** Milliseconds after which a command hangs: what is left of a test's patience tells which. */
const DEADLINE = 240_000;

/** Starts a line of a document; where it hangs, it is ended with all that it has started. */
function bash(line: string): Running & { readonly pid: number } {
  const child = spawn('bash', ['-o', 'pipefail', '-c', line], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const { done, says } = watch(child);
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    process.kill(-child.pid!, 'SIGKILL');
  }, DEADLINE);
  const ended = done.then((outcome) => {
    clearTimeout(timer);
    if (hung) throw new Error(`${line}\nhung; it said:\n${outcome.stdout}${outcome.stderr}`);
    return outcome;
  });
  // Whoever waits for words is told of the end otherwise.
  ended.catch(() => {});
  const saying = (text: string) =>
    says(text).catch(async () => {
      const { stdout, stderr } = await ended;
      throw new Error(`${line}\nended without saying '${text}':\n${stdout}${stderr}`);
    });
  return { done: ended, says: saying, pid: child.pid! };
}

/** Commands that go on until they are told to stop: they are, once they are at work. */
const ENDLESS = /dash serve|--dash\b|eos lab|eos watch|--follow\b/;

/** What such a command says then, where that is not the address of a page. */
const AT_WORK = [
  ['--follow', 'start'],
  ['eos watch', 'wrote '],
] as const;

async function runCommand(line: string): Promise<Outcome> {
  const running = bash(line);
  if (!ENDLESS.test(line)) return running.done;
  await running.says(AT_WORK.find(([words]) => line.includes(words))?.[1] ?? 'http://');
  process.kill(-running.pid, 'SIGINT');
  const outcome = await running.done;
  return { ...outcome, code: outcome.code === 130 || outcome.code === null ? 0 : outcome.code };
}

beforeAll(async () => {
  const files = (await succeed(root, 'git', 'ls-files', '-z')).split('\0').filter(Boolean);
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(join(root, file), join(folder, file));
  }
});

afterAll(() => removeFolder(temporary));

/** Whether the commands of a document can be run here. */
const canRun = (document: string): boolean =>
  document !== 'docs/watch.md' || findPart('jax') !== undefined;

/** Does what a document asks for in words. */
async function prepare(document: string): Promise<void> {
  if (document !== 'docs/watch.md') return;
  await mkdir(programs);
  const pip = `exec "${python}" -m pip "$@" --quiet --no-deps --target "${packages}"`;
  await writeFile(join(programs, 'pip'), `#!/bin/sh\n${pip}\n`, { mode: 0o755 });
  const [script] = blocksOf(await readFile(join(root, 'docs/watch/jax.md'), 'utf8'));
  await writeFile(join(folder, 'train.py'), script!.text);
}

test('no command stands in a block that is not run', async () => {
  for (const document of [...DOCUMENTS, 'CONTRIBUTING.md']) {
    for (const { language, text } of blocksOf(await readFile(join(root, document), 'utf8'))) {
      if (!['sh', 'console', 'text'].includes(language))
        expect(text, `${document}: ${language}`).not.toMatch(/^(\$ )?(npx )?eos /m);
    }
  }
});

describe.each(DOCUMENTS)('%s', (document) => {
  test('every command runs, in order, and prints what is shown', async () => {
    if (!canRun(document)) return;
    await prepare(document);
    const blocks = blocksOf(await readFile(join(root, document), 'utf8'));
    for (const { line, shown } of blocks
      .filter(({ language }) => language === 'sh' || language === 'console')
      .flatMap(commandsOf)) {
      // The tests would run themselves.
      const { code, stdout, stderr } = await runCommand(
        line === 'npm ci && npm test' ? 'npm ci' : line,
      );
      const output = stdout + stderr;
      expect(code, `${line}\n${output}`).toBe(0);
      expect(firstMissing(shown, stderr) && firstMissing(shown, output), output).toBeUndefined();
    }
  });

  test('every program in TypeScript runs', async () => {
    const blocks = blocksOf(await readFile(join(root, document), 'utf8'));
    for (const { text } of blocks.filter(({ language }) => language === 'ts')) {
      const { code } = await transform(text, { loader: 'ts' });
      await writeFile(join(folder, 'program.mjs'), code);
      await succeed(folder, process.execPath, 'program.mjs');
    }
    await rm(join(folder, 'program.mjs'), { force: true });
  });

  test('every session in Python gives what is shown', async () => {
    const text = await readFile(join(root, document), 'utf8');
    if (python === undefined || !text.includes('>>> ')) return;
    const options = ['-o', 'NORMALIZE_WHITESPACE', '-o', 'ELLIPSIS'];
    await succeed(folder, python, '-m', 'doctest', ...options, join(root, document));
  });
});

test('nothing but what git ignores or a document has named is left in the folder', async () => {
  const names = await readdir(folder);
  expect(names.filter((name) => /partial|\.lock|\.site-/.test(name))).toEqual([]);
});
