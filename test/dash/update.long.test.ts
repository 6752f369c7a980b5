import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { startDashServer } from '../../src/cli/dash-server/dash-server.ts';
import { type FileState, openBytes } from '../../src/dash/load/bytes.ts';
import { openLight } from '../../src/dash/load/open-light.ts';
import { tableApi } from '../../src/dash/load/queries.ts';
import { openJournal } from '../../src/pipeline/node/journal.ts';
import { lockText } from '../safety/lock-text.ts';
import { removeFolder } from '../setup/remove-folder.ts';
import { makeRows, parquetBytes } from './make-run.ts';

const GROUP = 2000;
const COLUMNS = ['step', 'loss', 'sharpness', 'alpha', 'l_hat'];
const all = makeRows(9 * GROUP);

/** A run file of the first rows: its last row group is written over until it is full. */
function fileOf(rows: number) {
  const upTo = (count: number) =>
    parquetBytes(
      Object.fromEntries(
        Object.entries(all).map(([name, values]) => [name, values.slice(0, count)]),
      ),
      undefined,
      GROUP,
      'UNCOMPRESSED',
    );
  const whole = upTo(rows);
  const full = Math.floor((rows - 1) / GROUP) * GROUP;
  // Before its footer, a file of full groups is what a longer one begins with.
  const shorter = full === 0 ? undefined : upTo(full);
  const offset = shorter
    ? shorter.length - 8 - new DataView(shorter.buffer).getUint32(shorter.length - 8, true)
    : 4;
  return { whole, offset };
}

async function servedRun() {
  const folder = mkdtempSync(join(tmpdir(), 'eos-update-'));
  const file = join(folder, 'run.parquet');
  const journal = openJournal(`${file}.partial.journal`);
  writeFileSync(`${file}.lock`, lockText({}));
  writeFileSync(`${file}.partial`, '');
  const server = await startDashServer({ files: [folder], port: 0 });
  const url = new URL('data/run.parquet', server.url).href;
  return {
    url,
    /** The run as of so many rows; resolves when the server knows. */
    async flush(rows: number): Promise<FileState & { readonly closing: number }> {
      const { whole, offset } = fileOf(rows);
      writeFileSync(`${file}.partial`, whole.subarray(0, offset));
      await journal.flush(offset, whole.subarray(offset), Promise.resolve());
      return vi.waitUntil(async () => {
        const head = await fetch(url, { method: 'HEAD' });
        const size = Number(head.headers.get('content-length'));
        const state = { etag: head.headers.get('etag') ?? '', size, closing: size - offset };
        return size === whole.length && state;
      }, 60_000);
    },
    async close() {
      await server.close();
      await journal.close();
      removeFolder(folder);
    },
  };
}

const plainFetch = globalThis.fetch;

test('whatever a run has grown by, its page asks once, for little if it is little', async () => {
  const growth = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 60, max: 2500 })),
    {
      minLength: 2,
      maxLength: 5,
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4000 }), growth, async (first, added) => {
      const run = await servedRun();
      let bytes = 0;
      try {
        const api = tableApi(openLight, (read) => (bytes += read));
        const draw = async (rows: number) => {
          const [last] = await Promise.all([
            api.row(rows - 1, [...COLUMNS, 'phase']),
            api.lines(COLUMNS, 0, rows, 100),
            api.intervals('phase'),
            api.path('alpha', 'loss', 'phase', 0, rows),
          ]);
          expect(last?.step).toBe(rows - 1);
          for (const name of [...COLUMNS, 'phase'])
            expect(last!.values[name]).toEqual(all[name]![rows - 1]);
        };
        await run.flush(first);
        await api.open({ kind: 'url', url: run.url });
        await draw(first);
        let rows = first;
        let before = 0;
        for (const [i, more] of added.entries()) {
          rows += more;
          const { closing, ...state } = await run.flush(rows);
          const asked: unknown[] = [];
          const ask = vi.spyOn(globalThis, 'fetch').mockImplementation((...request) => {
            asked.push(request);
            return plainFetch(...request);
          });
          bytes = 0;
          try {
            await api.refresh(state);
            await draw(rows);
          } finally {
            ask.mockRestore();
          }
          expect(asked).toHaveLength(1);
          // What is new, and the end of the file, which is small.
          const isGroupOfBefore = before === Math.floor((rows - 1) / GROUP);
          if (i > 0 && isGroupOfBefore && closing > 100_000 && more <= 60)
            expect(bytes).toBeLessThan(closing / 2);
          before = Math.floor((rows - 1) / GROUP);
        }
      } finally {
        await run.close();
      }
    }),
    { numRuns: 8 },
  );
});

test('the end of one state is read from any place, and asked for once', async () => {
  const run = await servedRun();
  try {
    const { etag, size } = await run.flush(300);
    const source = await openBytes({ kind: 'url', url: run.url }, () => {}, { etag, size });
    const whole = new Uint8Array(await source.slice(0));
    expect(whole.byteLength).toBe(size);
    for (const start of [0, 4, size - 8])
      expect(new Uint8Array(await source.slice(start))).toEqual(whole.slice(start));
  } finally {
    await run.close();
  }
});
