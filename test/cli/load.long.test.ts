import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { cleanEnvironment } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'eos-load-'));
afterAll(() => removeFolder(folder));

/** Tells of each module that is compiled whether the bytecode that was kept of it served. */
const COUNT = `
const vm = require('node:vm');
const { appendFileSync } = require('node:fs');
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    const kept = options.cachedData !== undefined && !this.cachedDataRejected;
    appendFileSync(process.env.EOS_COUNT, \`\${kept} \${options.filename}\\n\`);
  }
};`;

/** Runs a command and returns the modules that it has loaded, by whether their bytecode served. */
function modulesOf(name: string, ...args: readonly string[]) {
  const preload = join(folder, 'count.cjs');
  const list = join(folder, `${name}.txt`);
  writeFileSync(preload, COUNT);
  writeFileSync(list, '');
  const env = { ...cleanEnvironment(), EOS_COUNT: list, NODE_OPTIONS: `--require ${preload}` };
  execFileSync(process.execPath, [join(root, 'bin/run.js'), ...args], { env, stdio: 'ignore' });
  const lines = readFileSync(list, 'utf8').trim().split('\n');
  const those = (kept: string) => lines.filter((line) => line.startsWith(kept));
  return { kept: those('true'), compiled: those('false') };
}

test.each([
  ['help', '--help'],
  ['stream', 'stream', '--quiet', '--out', join(folder, 'run.parquet')],
  [
    'sweep',
    ...['sweep', '--eta', '0.1,0.2', '--steps', '100', '--threads', '1', '--quiet'],
    ...['--out', join(folder, 'sweep')],
  ],
])('eos %s compiles nothing that the build has compiled already', (name, ...args) => {
  const { kept, compiled } = modulesOf(name, ...args);
  expect(compiled).toEqual([]);
  expect(kept.length).toBeGreaterThan(5);
  // The thread of a sweep as well.
  if (name === 'sweep')
    expect(kept.filter((line) => line.endsWith('part-thread.cjs'))).toHaveLength(1);
});

test('eos works where bytecode is absent, of another V8, or harmed', () => {
  const copy = join(folder, 'copy');
  for (const part of ['bin', 'dist/eos', 'package.json', 'oclif.manifest.json'])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  const code = join(copy, 'dist/eos/code.bin');
  const whole = readFileSync(code);
  const head = whole.readUInt32LE();
  const works = () => {
    const args = [join(copy, 'bin/run.js'), '--help'];
    const text = execFileSync(process.execPath, args, {
      env: cleanEnvironment(),
      encoding: 'utf8',
    });
    expect(text).toContain('eos [COMMAND]');
  };
  works();
  const other = Buffer.from(whole);
  other.write(JSON.stringify({ engine: '1.2.3' }).padEnd(head), 4);
  writeFileSync(code, other);
  works();
  // Its own version, but bytes that V8 does not take.
  writeFileSync(code, Buffer.from(whole).fill(7, 4 + head));
  works();
  writeFileSync(code, 'no JSON');
  works();
  truncateSync(code, 2);
  works();
  rmSync(code);
  works();
});
