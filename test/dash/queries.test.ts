import { beforeAll, describe, expect, test } from 'vitest';
import type { ByteSource } from '../../src/dash/load/bytes.ts';
import { openBytes } from '../../src/dash/load/bytes.ts';
import { openLight } from '../../src/dash/load/open-light.ts';
import type { TableApi } from '../../src/dash/load/protocol.ts';
import { tableApi } from '../../src/dash/load/queries.ts';
import { growingFile, makeRows, parquetBytes } from './make-run.ts';

const LENGTH = 12_345;
const rows = makeRows(LENGTH);
const numbers = (name: string) => rows[name] as number[];

async function opened(bytes: Uint8Array): Promise<TableApi> {
  const api = tableApi(openLight, () => {});
  await api.open({ kind: 'blob', blob: new Blob([bytes as Uint8Array<ArrayBuffer>]) });
  return api;
}

describe('a run file', () => {
  let api: TableApi;
  beforeAll(async () => {
    api = await opened(parquetBytes(rows));
  });

  test('tells its rows, columns and steps', async () => {
    const fresh = tableApi(openLight, () => {});
    const info = await fresh.open({
      kind: 'blob',
      blob: new Blob([parquetBytes(rows) as Uint8Array<ArrayBuffer>]),
    });
    expect(info).toMatchObject({ rows: LENGTH, groups: 7, firstStep: 0, lastStep: LENGTH - 1 });
    expect(info.columns.map(({ name }) => name)).toEqual(Object.keys(rows));
    expect(info.columns.find(({ name }) => name === 'phase')?.kind).toBe('string');
  });

  test.each([
    [0, LENGTH - 1, 40],
    [0, LENGTH - 1, 900],
    [3100, 3170, 900],
    [1999, 2001, 300],
    [5000.4, 9000.6, 500],
  ])('draws steps %d to %d at %d pixels with all extremes', async (from, to, width) => {
    const [points] = await api.lines(['loss'], from, to, width);
    const loss = numbers('loss');
    for (let i = 0; i < points!.x.length; i++) expect(points!.y[i]).toBe(loss[points!.x[i]!]);
    const inView = loss.filter((_, t) => t >= from && t <= to);
    expect(points!.y).toContain(Math.min(...inView));
    expect(points!.y).toContain(Math.max(...inView));
    if (to - from < width / 2)
      expect([...points!.x].filter((x) => x >= from && x <= to)).toHaveLength(inView.length);
  });

  test('tells means and slopes of a selection', async () => {
    const [from, to] = [1999.5, 6100];
    const made = Array.from({ length: LENGTH }, (_, t) => 3 * Math.exp(-0.001 * t));
    const other = await opened(parquetBytes({ ...rows, loss: made }));
    const { rows: count, columns } = (await other.statistics(['loss', 'none'], from, to))!;
    expect(count).toBe(4101);
    const inside = made.slice(2000, 6101);
    const mean = inside.reduce((sum, value) => sum + value, 0) / inside.length;
    expect(Object.keys(columns)).toEqual(['loss']);
    expect(columns.loss!.mean).toBeCloseTo(mean, 12);
    expect(columns.loss!.logSlope).toBeCloseTo(-0.001, 12);
    const squares = inside.reduce((sum, value) => sum + value * value, 0) / inside.length;
    expect(columns.loss!.meanSquare).toBeCloseTo(squares, 12);
    expect((await other.statistics(['loss'], -5, -1))!.rows).toBe(0);
  });

  test('a thinned run that keeps its peaks has the means of the whole one', async () => {
    const all = Array.from(
      { length: LENGTH },
      (_, t) => 1 + 9 * Math.exp(-(((t % 500) - 250) ** 2) / 200),
    );
    const kept = all.flatMap((value, t) => (t % 10 === 0 || value > 1.01 ? [t] : []));
    const table = { step: kept, loss: kept.map((t) => all[t]!) };
    const thinned = await opened(parquetBytes(table));
    const { columns } = (await thinned.statistics(['loss'], 0, LENGTH - 1))!;
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    const naive = table.loss.reduce((sum, value) => sum + value, 0) / kept.length;
    expect(columns.loss!.mean / mean).toBeCloseTo(1, 2);
    expect(naive / mean).toBeGreaterThan(1.5);
  });

  test('keeps a spike of one row at any zoom', async () => {
    const spiked = { ...rows, loss: numbers('loss').map((v, t) => (t === 7777 ? 1e5 : v)) };
    const other = await opened(parquetBytes(spiked));
    for (const [from, to] of [
      [0, LENGTH],
      [7000, 8000],
      [7770, 7780],
    ] as const) {
      const [points] = await other.lines(['loss'], from, to, 100);
      expect(points!.x[points!.y.indexOf(1e5)]).toBe(7777);
    }
  });

  test('gives the row at a step, or the nearest', async () => {
    const row = await api.row(4321, ['loss', 'phase', 'cycle', 'nothing']);
    expect(row).toEqual({
      step: 4321,
      values: { loss: numbers('loss')[4321], phase: rows.phase![4321], cycle: rows.cycle![4321] },
    });
    expect((await api.row(-50, ['loss']))?.step).toBe(0);
    expect((await api.row(1e9, ['loss']))?.step).toBe(LENGTH - 1);
  });

  test('lists phases and cycles as they stand in the columns, across row groups', async () => {
    const intervals = await api.intervals('phase');
    for (const { word, first, last } of intervals) {
      expect(rows.phase!.slice(first, last + 1)).toEqual(Array(last - first + 1).fill(word));
      if (last < LENGTH - 1) expect(rows.phase![last + 1]).not.toBe(word);
    }
    expect(intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0)).toBe(LENGTH);
    const cycles = await api.cycles();
    expect(cycles).toHaveLength(numbers('cycle').at(-1)!);
    for (const { cycle, first, last, peakL1, peakRatio } of cycles) {
      const [start, end] = [numbers('cycle').indexOf(cycle), numbers('cycle').lastIndexOf(cycle)];
      expect([first, last]).toEqual([start, end]);
      expect(peakL1).toBe(Math.max(...numbers('l1').slice(start, end + 1)));
      expect(peakRatio).toBe(Math.max(...numbers('sharpness_ratio').slice(start, end + 1)));
    }
  });

  test('tells values where the edge of stability begins, wherever that is', async () => {
    const first = rows.phase!.findIndex((word) => String(word).startsWith('eos-'));
    expect(first).toBeGreaterThan(0);
    const { l_hat, alpha } = await api.near('edge', ['l_hat', 'alpha']);
    expect(l_hat).toEqual({ step: first, value: numbers('l_hat')[first] });
    expect(alpha).toEqual({ step: first, value: numbers('alpha')[first] });
  });

  test('thins a path to points of the file, with its ends and every change of phase', async () => {
    const path = await api.path('alpha', 'beta2', 'phase', 1000, 9000);
    for (let i = 0; i < path.x.length; i++) {
      const t = path.step[i]!;
      expect([path.x[i], path.y[i], path.words[path.code[i]!]]).toEqual([
        rows.alpha![t],
        rows.beta2![t],
        rows.phase![t],
      ]);
    }
    expect([path.step[0], path.step.at(-1)]).toEqual([1000, 9000]);
    for (let t = 1001; t <= 9000; t++)
      if (rows.phase![t] !== rows.phase![t - 1]) expect(path.step).toContain(t);
  });

  test('writes CSV with the values of the file', async () => {
    const lines = (await (await api.csv(['loss', 'phase'], 3998, 4003)).text()).trim().split('\n');
    expect(lines[0]).toBe('step,loss,phase');
    expect(lines.slice(1)).toEqual(
      [3998, 3999, 4000, 4001, 4002, 4003].map(
        (t) => `${t},${numbers('loss')[t]},${rows.phase![t]}`,
      ),
    );
  });

  test('tells the largest and the last value', async () => {
    expect(await api.extremes('sharpness_ratio')).toEqual({
      max: Math.max(...numbers('sharpness_ratio')),
      last: numbers('sharpness_ratio').at(-1),
    });
  });
});

test('CSV cells from a file are quoted and never formulas', async () => {
  const phase = ['=HYPERLINK("x")', 'a,b', 'say "hi"', '@sum', 'plain'];
  const api = await opened(parquetBytes({ step: [0, 1, 2, 3, 4], phase }));
  const lines = (await (await api.csv(['phase'], 0, 4)).text()).trim().split('\n').slice(1);
  expect(lines).toEqual([
    '0,"\'=HYPERLINK(""x"")"',
    '1,"a,b"',
    '2,"say ""hi"""',
    "3,'@sum",
    '4,plain',
  ]);
});

test('a file without steps, or with steps out of order, is refused in plain words', async () => {
  await expect(opened(parquetBytes({ loss: [1, 2, 3] }))).rejects.toThrow('no column step');
  const api = await opened(parquetBytes({ step: [0, 5, 4], loss: [1, 2, 3] }));
  await expect(api.lines(['loss'], 0, 5, 10)).rejects.toThrow('not in ascending order');
  const apart = parquetBytes({ step: [0, 1, 5, 6, 3, 4], loss: [1, 2, 3, 4, 5, 6] }, {}, 2);
  await expect(opened(apart)).rejects.toThrow('block 2 begins at 3, after 6');
});

test('rows of a thinned run keep their steps', async () => {
  const step = Array.from({ length: 3000 }, (_, i) => i * i);
  const api = await opened(parquetBytes({ step, loss: step.map((t) => 1 / (t + 1)) }));
  const [points] = await api.lines(['loss'], 0, 9e6, 200);
  for (let i = 0; i < points!.x.length; i++) expect(points!.y[i]).toBe(1 / (points!.x[i]! + 1));
  expect((await api.row(10, ['loss']))?.step).toBe(9);
});

test('a growing run shows new rows, and reads only what is new', async () => {
  const file = growingFile();
  let bytes = file.add(makeRows(3000));
  let read = 0;
  const origin = { kind: 'url', url: 'http://localhost/run.parquet' } as const;
  const real = globalThis.fetch;
  globalThis.fetch = (async (_url: string, init?: RequestInit) => {
    const range = /bytes=(\d+)-(\d+)/.exec(new Headers(init?.headers).get('range') ?? '');
    if (init?.method === 'HEAD')
      return new Response(null, {
        headers: { 'content-length': String(bytes.length), etag: `"${bytes.length}"` },
      });
    const part = bytes.slice(Number(range?.[1]), Number(range?.[2]) + 1);
    read += part.length;
    return new Response(part as Uint8Array<ArrayBuffer>, { status: 206 });
  }) as typeof fetch;
  try {
    const api = tableApi(openLight, () => {});
    expect(await api.open(origin)).toMatchObject({ rows: 3000, lastStep: 2999 });
    await api.lines(['loss'], 0, 2999, 500);
    expect(await api.refresh()).toBeUndefined();
    bytes = file.add(makeRows(1500, 3000));
    expect(await api.refresh()).toMatchObject({ rows: 4500, lastStep: 4499, groups: 2 });
    const [points] = await api.lines(['loss'], 0, 4499, 9000);
    expect(points!.x).toHaveLength(4500);
    expect((await api.cycles()).at(-1)?.last).toBe(4499);
    // Cut off in the middle of the next row group: refused, and what was there still answers.
    const whole = bytes;
    bytes = bytes.slice(0, -100);
    await expect(api.refresh()).rejects.toThrow('cut off');
    expect((await api.row(4000, ['loss']))?.step).toBe(4000);
    bytes = whole;
    // Numbers of unchanged row groups are not read again, only what is new and the footer.
    const before = read;
    expect(await api.refresh()).toBeUndefined();
    await api.lines(['loss'], 0, 4499, 9000);
    expect(read).toBe(before);
  } finally {
    globalThis.fetch = real;
  }
});

test('of a large file only the columns and row groups in view are read', async () => {
  const length = 200_000;
  const noise = (seed: number) =>
    Float64Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + seed) * 43758.5453);
  const columns: Record<string, ArrayLike<number>> = { step: Array.from({ length }, (_, i) => i) };
  for (let c = 0; c < 10; c++) columns[`c${c}`] = noise(c);
  const bytes = parquetBytes(columns, {}, 50_000);
  let read = 0;
  const counted: ByteSource = {
    byteLength: bytes.length,
    version: '1',
    slice: async (start, end = bytes.length) => {
      read += end - start;
      return bytes.slice(start, end).buffer as ArrayBuffer;
    },
  };
  const source = await openLight(counted);
  const footer = read;
  await source.read('c3', 2);
  expect(read - footer).toBeLessThan(50_000 * 8 * 1.2);
  expect(bytes.length).toBeGreaterThan(10 * length * 7);
});

test('the origin of bytes inside the page is read like a file', async () => {
  const bytes = parquetBytes(makeRows(10));
  const source = await openBytes({ kind: 'bytes', bytes: bytes.slice().buffer });
  expect((await openLight(source)).rows).toBe(10);
});
