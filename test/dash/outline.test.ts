import { beforeAll, describe, expect, test } from 'vitest';
import { openLight } from '../../src/dash/load/open-light.ts';
import type { TableApi } from '../../src/dash/load/protocol.ts';
import { tableApi } from '../../src/dash/load/queries.ts';
import type { Column } from '../../src/pipeline/core/schema.ts';
import { memoryTarget } from '../../src/pipeline/formats/byte-target.ts';
import { hyparquetFormat } from '../../src/pipeline/formats/parquet/hyparquet.ts';

const GROUP = 65_536;
const LENGTH = 2 * GROUP + 9000;
const WORDS = ['progressive-sharpening', 'eos-sharpening', 'eos-self-stabilization'];
const column = (name: string, type: Column['type'], words?: readonly string[]): Column =>
  ({ name, type, symbol: name, unit: '', meaning: '', ...(words ? { words } : {}) }) as Column;
const COLUMNS = [
  column('step', 'INT64'),
  column('loss', 'DOUBLE'),
  column('l_hat', 'DOUBLE'),
  column('phase', 'STRING', WORDS),
];
const made = (make: (t: number) => number) =>
  Float64Array.from({ length: LENGTH }, (_, t) => make(t));
const loss = made((t) => (t === 70_123 ? 99 : Math.sin(t / 40) + (t % 7) / 10));
const lHat = made((t) => Math.exp(-t / 9000));
const phase = Uint8Array.from({ length: LENGTH }, (_, t) =>
  t < 5000 ? 0 : 1 + (Math.floor(t / 300) % 2),
);

/** A file as eos writes it, and how many bytes of it have been read. */
async function opened(): Promise<{ readonly api: TableApi; read(): number }> {
  const target = memoryTarget();
  const writer = hyparquetFormat()(target, COLUMNS);
  const steps = made((t) => t);
  for (let start = 0; start < LENGTH; start += GROUP) {
    const end = Math.min(LENGTH, start + GROUP);
    const columns = [steps, loss, lHat, phase].map((values) => values.subarray(start, end));
    await writer.write({ length: end - start, columns });
  }
  await writer.finish({});
  await target.commit();
  let read = 0;
  const api = tableApi(openLight, (bytes) => {
    read += bytes;
  });
  await api.open({ kind: 'blob', blob: new Blob([target.bytes() as Uint8Array<ArrayBuffer>]) });
  return { api, read: () => read };
}

describe('a large run of eos', () => {
  let api: TableApi;
  let read: () => number;
  beforeAll(async () => {
    ({ api, read } = await opened());
  });

  test('is drawn in full from its footer, and no spike is lost', async () => {
    const before = read();
    const [points] = await api.lines(['loss'], 0, LENGTH - 1, 100);
    for (let i = 0; i < points!.x.length; i++) expect(points!.y[i]).toBe(loss[points!.x[i]!]);
    expect(points!.y).toContain(99);
    expect(points!.y).toContain(loss.reduce((a, b) => Math.min(a, b)));
    expect(read()).toBe(before);
  });

  test('tells its phases, to the step, and values near a step', async () => {
    const before = read();
    const phases = await api.intervals('phase');
    for (const [i, { word, first, last }] of phases.entries()) {
      expect([WORDS[phase[first]!], WORDS[phase[last]!]]).toEqual([word, word]);
      expect(first).toBe(i === 0 ? 0 : phases[i - 1]!.last + 1);
    }
    expect(phases.at(-1)!.last).toBe(LENGTH - 1);
    const { l_hat } = await api.near(5000, ['l_hat']);
    expect(l_hat!.step).toBeGreaterThanOrEqual(5000);
    expect(l_hat!.value).toBe(lHat[l_hat!.step]);
    expect(read()).toBe(before);
  });

  test('is read where more is asked for than the footer tells', async () => {
    const before = read();
    const [points] = await api.lines(['loss'], 70_000, 70_400, 800);
    expect(points!.x).toContain(70_001);
    expect(points!.y).toContain(99);
    expect(read()).toBeGreaterThan(before);
  });
});
