import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { eos, temporaryFolder } from '../setup/eos.ts';

/** Rows and metadata of a file. */
async function read(path: string) {
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  const pairs = parquetMetadata(file).key_value_metadata!;
  const json = (key: string) => JSON.parse(pairs.find((pair) => pair.key === key)!.value!);
  return {
    rows: await parquetReadObjects({ file }),
    config: json('eos.config'),
    summary: json('eos.summary'),
  };
}

test('the optimizer of a run is in its log, its file and its phases', async () => {
  const cwd = temporaryFolder();
  const args = ['--optimizer', 'momentum', '--momentum', '0.9', '--out', 'm.parquet'];
  const { code, stderr } = await eos(['stream', ...args], { cwd });
  expect(code).toBe(0);
  expect(stderr).toContain('(2 + 2β)/η = 76,');
  expect(stderr).not.toContain('2/η = ');
  const { rows, config, summary } = await read(join(cwd, 'm.parquet'));
  expect(config).toMatchObject({ model: 'minimal', optimizer: 'momentum', momentum: 0.9 });
  const first = rows.findIndex(({ sharpness }) => (sharpness as number) >= (2 + 2 * 0.9) / 0.05);
  expect(summary.first_crossing).toBe(first);
  expect(rows[first - 1]!.phase).toBe('progressive-sharpening');
  expect(String(rows[first]!.phase)).toMatch(/^eos-/);
  const { stdout } = await eos(['inspect', 'm.parquet'], { cwd });
  expect(stdout).toMatch(/first crossing of \(2 \+ 2β\)\/η +1,/);
  expect(stdout).toMatch(/largest sharpness +1\.0\d+ × \(2 \+ 2β\)\/η/);
});

test('a network goes the same way from flags to file, and its preset names its model', async () => {
  const cwd = temporaryFolder();
  const args = ['--preset', 'network', '--steps', '120', '--log-format', 'json'];
  const { code, stdout } = await eos(['stream', ...args, '--out', 'net.parquet'], { cwd });
  expect(code).toBe(0);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events[0]).toMatchObject({ event: 'start', threshold: 10 });
  expect(events.at(-1)).toMatchObject({ event: 'done', last_step: 120 });
  const { rows, config } = await read(join(cwd, 'net.parquet'));
  expect(config).toMatchObject({ model: 'mlp', layers: '1-50-50-1', optimizer: 'gd' });
  expect(rows).toHaveLength(121);
  const { stdout: told } = await eos(['inspect', 'net.parquet'], { cwd });
  expect(told).not.toContain('missing columns');
  const { loss, l1, l2, sharpness, sharpness_2: second } = rows[100] as Record<string, number>;
  expect(l1! + l2!).toBeCloseTo(loss!, 12);
  expect(second!).toBeLessThanOrEqual(sharpness!);
});

test.each([
  [['--model', 'mpl'], /--model: no model is called 'mpl'; did you mean mlp/],
  [['--model', 'mlp', '--also', 'central'], /--also: central is defined for the minimal model/],
  [['--model', 'mlp', '--batch', '5', '--also', 'edge'], /--batch: the edge trajectory/],
  [['--preset', 'adam', '--also', 'edge'], /--optimizer: the edge trajectory/],
  [
    ['--model', 'mlp', '--lambda1', '5'],
    /--lambda1: --model mlp has no such parameter; it goes with --model minimal/,
  ],
])('%o is refused in one line', async (args, message) => {
  const { code, stderr } = await eos(['stream', ...args, '--out', 'x.parquet'], {
    cwd: temporaryFolder(),
  });
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('inspect names the threshold of a network with weight decay', async () => {
  const out = join(temporaryFolder(), 'net.parquet');
  const flags = ['--model', 'mlp', '--layers', '1-4-1', '--weight-decay', '0.01', '--steps', '20'];
  expect((await eos(['stream', ...flags, '--out', out])).code).toBe(0);
  const { stdout } = await eos(['inspect', out]);
  expect(stdout).toMatch(/first crossing of 2\/η − λ +never/);
  expect(stdout).toMatch(/largest sharpness +[\d.]+ × \(2\/η − λ\)/);
});
