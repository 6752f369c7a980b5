import { wordsOf } from '../../pipeline/sweep/map-parameters.ts';
import { openBytes } from '../load/bytes.ts';
import { openLight } from '../load/open-light.ts';
import { MAX_ROWS, RunFileError, type TableSource } from '../load/table.ts';
import type { SweepCall, SweepReply } from './protocol.ts';

const scope = self as unknown as {
  postMessage(message: SweepReply, transfer?: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<SweepCall>) => void): void;
};

scope.addEventListener('message', ({ data }) => {
  read(data).catch((error: unknown) => {
    scope.postMessage({ error: error instanceof Error ? error.message : String(error) });
  });
});

/** The column that every sweep has. */
const NEEDED = 'eta';

const has = (table: TableSource, name: string): boolean =>
  table.columns.some((column) => column.name === name);

async function read({ parts, numbers, texts, word, words }: SweepCall): Promise<void> {
  const tables: TableSource[] = [];
  let rows = 0;
  for (const origin of parts) {
    const table = await openLight(await openBytes(origin));
    const lacking = [NEEDED, word].find((name) => !has(table, name));
    if (lacking !== undefined)
      throw new RunFileError(`this is no part of a sweep: it has no column ${lacking}`);
    rows += table.rows;
    if (rows > MAX_ROWS)
      throw new RunFileError(`a sweep of more than ${MAX_ROWS} runs is too large for a page`);
    tables.push(table);
    scope.postMessage({ read: tables.length });
  }
  const columns = numbers.map(() => new Float64Array(rows).fill(Number.NaN));
  const codes = new Uint8Array(rows);
  const there = texts.filter((name) => tables.some((table) => has(table, name)));
  const told = there.map(() => Array.from({ length: rows }, () => ''));
  let at = 0;
  for (const table of tables) {
    for (let group = 0; group < table.groups.length; group++) {
      // A parameter that is newer than the sweep was the same in all its runs.
      for (const [c, name] of numbers.entries())
        if (has(table, name)) columns[c]!.set(await table.read(name, group), at);
      for (const [c, name] of there.entries()) {
        if (!has(table, name)) continue;
        const values = await table.read(name, group);
        const spelt = table.words(name);
        for (let i = 0; i < values.length; i++) told[c]![at + i] = spelt[values[i]!] ?? '';
      }
      const found = await table.read(word, group);
      const spelt = table.words(word);
      for (let i = 0; i < found.length; i++)
        codes[at + i] = Math.max(0, words.indexOf(spelt[found[i]!] ?? ''));
      at += table.groups[group]!.rows;
    }
    scope.postMessage({ read: at });
  }
  const all = new Map(there.map((name, c) => [name, wordsOf(told[c]!)]));
  scope.postMessage({ numbers: columns, codes, words: all }, [
    ...columns.map(({ buffer }) => buffer as ArrayBuffer),
    codes.buffer,
  ]);
}
