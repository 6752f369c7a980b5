import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { root } from '../setup/parts.ts';

const folder = join(root, 'dist/page/assets');
const html = readFileSync(join(root, 'dist/page/index.html'), 'utf8');
const named = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, name]) => name!);
/** The script that the page names, and those that it cannot do without. */
const first = named(html, /assets\/([\w.-]+\.js)/g).flatMap((script) => [
  script,
  ...named(readFileSync(join(folder, script), 'utf8'), /(?:from|import)"\.\/([\w.-]+\.js)"/g),
]);
const scripts = readdirSync(folder).filter((name) => name.endsWith('.js'));
const sizeOf = (...names: readonly string[]): number =>
  scripts
    .filter((script) => names.some((name) => script === name || script.startsWith(`${name}-`)))
    .reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);

test('the scripts of the page are at most 180 kB gzipped, with the lab 350 kB', () => {
  expect(sizeOf(...first)).toBeGreaterThan(0);
  expect(sizeOf(...first)).toBeLessThan(180_000);
  expect(sizeOf('lab')).toBeGreaterThan(0);
  expect(sizeOf(...first, 'lab', 'descent')).toBeLessThan(350_000);
});

test('the page names every script that it begins with, so that all are fetched at once', () => {
  const preloaded = new Set(named(html, /assets\/([\w.-]+\.js)/g));
  expect([...preloaded].some((script) => script.startsWith('main-'))).toBe(true);
  expect(first.filter((script) => !preloaded.has(script))).toEqual([]);
});

test('what the page loads for foreign files and sweeps is at most 280 kB gzipped more', () => {
  const all = sizeOf(...scripts.map((name) => name.split('-')[0]!));
  expect(all - sizeOf(...first, 'lab', 'log', 'saving', 'start', 'network')).toBeLessThan(280_000);
});

test('what it loads for runs of networks is at most 90 kB gzipped', () => {
  expect(sizeOf('network')).toBeGreaterThan(0);
  expect(sizeOf('network')).toBeLessThan(90_000);
});

test('what it loads to check a run is at most 54 kB gzipped', () => {
  expect(sizeOf('start')).toBeGreaterThan(0);
  expect(sizeOf('start')).toBeLessThan(54_000);
});

test('what it loads for a training log is at most 90 kB gzipped', () => {
  expect(sizeOf('log')).toBeGreaterThan(0);
  expect(sizeOf('log')).toBeLessThan(90_000);
});

test('what it loads to save a run of the lab is at most 212 kB gzipped', () => {
  expect(sizeOf('saving')).toBeGreaterThan(0);
  expect(sizeOf('saving')).toBeLessThan(212_000);
});
