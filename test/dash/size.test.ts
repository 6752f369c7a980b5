import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { root } from '../setup/parts.ts';

test('the scripts of the page are at most 200 kB gzipped, with all that few need 400 kB', () => {
  const folder = join(root, 'dist/page/assets');
  const scripts = readdirSync(folder).filter((name) => name.endsWith('.js'));
  expect(scripts.length).toBeGreaterThan(1);
  const bytes = scripts.map((name) => gzipSync(readFileSync(join(folder, name))).length);
  const first = scripts.findIndex((name) => name.startsWith('index-'));
  expect(bytes[first]).toBeLessThan(200_000);
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(400_000);
});
