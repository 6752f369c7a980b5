import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eos } from '../setup/eos.ts';
import { describeWith, python, root } from '../setup/parts.ts';

const folder = mkdtempSync(join(tmpdir(), 'eos-strangers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const STEPS = 400;

/** A training log with further columns of all kinds, and in all codecs, that pyarrow writes. */
const PROGRAM = `
import sys, json, decimal
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
N = ${STEPS}
step = np.arange(N)
loss = 1 / (1 + step)
def log(name, more={}, **options):
    table = pa.table({"step": pa.array(step), "loss": pa.array(loss), "sharpness": pa.array(10 + step / 8), **more})
    pq.write_table(table, sys.argv[1] + "/" + name + ".parquet", **options)
texts = pa.array(["row %d" % i for i in range(N)])
log("booleans", {"x": pa.array([i % 3 == 0 for i in range(N)])}, data_page_version="2.0", use_dictionary=False, column_encoding={"x": "RLE"})
log("no-values", {"x": pa.array([None] * N, pa.float64())}, data_page_version="2.0", compression="snappy")
for codec in ["none", "gzip", "brotli", "zstd", "lz4"]: log(codec, {"x": texts}, compression=codec)
for encoding in ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"]: log(encoding.lower(), {"x": texts}, use_dictionary=False, column_encoding={"x": encoding})
log("delta_binary_packed", {"x": pa.array([i * 7919 % 1000 for i in range(N)], pa.int32())}, use_dictionary=False, column_encoding={"x": "DELTA_BINARY_PACKED"})
log("times", {"x": pa.array([1500000000123456789 + i for i in range(N)], pa.timestamp("ns"))})
log("bytes", {"x": pa.array([i % 256 - 128 for i in range(N)], pa.int8())})
log("decimals", {"x": pa.array([decimal.Decimal(i) / 8 for i in range(N)], pa.decimal128(20, 5))})
log("lists", {"x": pa.array([[i, i + 1.5] if i % 3 else None for i in range(N)], pa.list_(pa.float64()))})
log("structs", {"x": pa.array([{"lr": 0.1, "tag": "a"}] * N)})
pq.write_table(pa.table([pa.array(step), pa.array(loss), pa.array(10 + step / 8), pa.array(loss * 2)], names=["step", "loss", "sharpness", "loss"]), sys.argv[1] + "/doubled.parquet")
print(json.dumps(None))
`;

/**
 * What stands in the further column of the last row, as CSV; undefined where it is not exported.
 */
const LAST: Readonly<Record<string, string | undefined>> = {
  booleans: 'true',
  'no-values': '',
  none: 'row 399',
  gzip: 'row 399',
  brotli: 'row 399',
  zstd: 'row 399',
  lz4: 'row 399',
  delta_byte_array: 'row 399',
  delta_length_byte_array: 'row 399',
  delta_binary_packed: '681',
  times: '1500000000123.457',
  bytes: '15',
  decimals: '49.875',
  lists: undefined,
  structs: undefined,
  doubled: undefined,
};

describeWith(['python'], 'sound files of pyarrow', () => {
  beforeAll(async () => {
    await python(PROGRAM, [folder]);
  });

  test.each(Object.keys(LAST))(
    '%s: inspect, detect, export and verify say what it is',
    async (name) => {
      const file = `${name}.parquet`;
      const run = (...args: string[]) => eos(args, { cwd: folder });
      const [inspected, detected, exported, verified] = await Promise.all([
        run('inspect', file),
        run('detect', file, '--eta', '0.05', '--out', `${name}.detected`, '-q'),
        run('export', file, '--csv'),
        run('verify', file),
      ]);
      expect([inspected.code, inspected.stdout]).toEqual([0, expect.stringContaining('400 rows')]);
      expect([detected.code, detected.stderr]).toEqual([0, '']);
      const rows = exported.stdout.trimEnd().split('\n');
      expect([exported.code, rows.length]).toEqual([0, STEPS + 1]);
      const [step, loss, sharpness, ...more] = rows.at(-1)!.split(',');
      expect([step, loss, sharpness]).toEqual(['399', '0.0025', '59.875']);
      const last = LAST[name];
      if (last !== undefined) expect(more.join()).toContain(last);
      else {
        expect(more).toEqual([]);
        expect(exported.stderr).toMatch(/^left out: (x|loss); [^\n]*\n$/);
      }
      expect([verified.code, verified.stderr]).toEqual([
        2,
        expect.stringMatching(/^eos: [^\n]*there is no eos\.config in its metadata[^\n]*\n$/),
      ]);
    },
  );
});

test.each(['column', 'footer'])('an encrypted %s is called that by every command', async (part) => {
  const file = `encrypted-${part}.parquet`;
  copyFileSync(join(root, 'test/formats/foreign', file), join(folder, file));
  for (const command of ['inspect', 'detect', 'export --csv', 'verify']) {
    const { code, stderr } = await eos([...command.split(' '), file], { cwd: folder });
    expect([command, code, stderr]).toEqual([
      command,
      2,
      expect.stringMatching(/^eos: [^\n]*encrypted[^\n]*not read\n$/),
    ]);
    expect(stderr).not.toMatch(/damaged/);
  }
});

test('a number that its type cannot hold is damage', async () => {
  const name = 'int8.parquet';
  const column = { type: 'INT32', repetition_type: 'REQUIRED' } as const;
  const bytes = parquetWriteBuffer({
    schema: [
      { name: 'root', num_children: 2 },
      { name: 'step', ...column },
      { name: 'x', converted_type: 'INT_8', ...column },
    ],
    columnData: [
      { name: 'step', data: [0, 1, 2] },
      { name: 'x', data: [1, 85012, 3] },
    ],
  });
  writeFileSync(join(folder, name), new Uint8Array(bytes));
  const { code, stderr } = await eos(['export', name, '--csv'], { cwd: folder });
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/^eos: int8\.parquet: [^\n]*damaged[^\n]*85,?012[^\n]*\n$/),
  ]);
});
