import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { launch } from '../dash/browser.ts';
import { temporaryFolder } from '../setup/eos.ts';
import { describeWith, part, root } from '../setup/parts.ts';
import { hashes } from './hash-runs.ts';

/** What shells lack of browsers and Node: base64, and one way to print. */
const PREPARED = `
  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  globalThis.atob ??= (text) => {
    let [bytes, held, bits] = ['', 0, 0];
    for (const letter of text.replace(/=+$/, '')) {
      held = (held << 6) | LETTERS.indexOf(letter);
      bits += 6;
      if (bits < 8) continue;
      bits -= 8;
      bytes += String.fromCharCode((held >> bits) & 255);
    }
    return bytes;
  };
`;

/** The runs as one script for any engine, which leaves their hashes in a global. */
async function script(): Promise<string> {
  const contents = `import { hashes } from './hash-runs.ts'; globalThis.found = JSON.stringify(hashes());`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: join(root, 'test/engines'), loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    platform: 'browser',
  });
  return PREPARED + outputFiles[0]!.text;
}

const bundled = script();
const expected = hashes();

describe.each(['node22', 'node24', 'spidermonkey', 'javascriptcore'] as const)('%s', (engine) => {
  describeWith([engine], engine, () => {
    test('computes the bits of this Node', async () => {
      const file = join(temporaryFolder(), 'runs.js');
      const print = '(typeof console === "object" ? console.log : globalThis.print)';
      writeFileSync(file, `${await bundled}\n${print}(globalThis.found);\n`);
      const { stdout } = await promisify(execFile)(part(engine), [file]);
      expect(JSON.parse(stdout)).toEqual(expected);
    });
  });
});

describe.each(['node22', 'node24'] as const)('%s', (engine) => {
  describeWith([engine], engine, () => {
    test('runs a command, and complains of nothing', async () => {
      const args = [join(root, 'bin/run.js'), '--version'];
      const { stdout, stderr } = await promisify(execFile)(part(engine), args);
      expect(stdout).toMatch(/^eos-stream\/\S+ .* node-v2\d/);
      expect(stderr).toBe('');
    });
  });
});

describeWith(['chromium'], 'Chromium', () => {
  test('computes the bits of this Node', async () => {
    const browser = await launch(part('chromium'));
    try {
      const page = await browser.newPage();
      const found: unknown = await page.evaluate(`${await bundled}; globalThis.found`);
      expect(JSON.parse(found as string)).toEqual(expected);
    } finally {
      await browser.close();
    }
  });
});
