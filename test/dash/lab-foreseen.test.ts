import { describe, expect, test, vi } from 'vitest';
import { answersTo, foreseeing } from '../../src/dash/lab/foreseen.ts';
import type { LabStatus, LabWorkerApi, Question } from '../../src/dash/lab/lab-protocol.ts';
import type { TableApi } from '../../src/dash/load/protocol.ts';

const RECIPE = { options: {}, changes: [] };

/** A worker that answers with the number of changes so far, and tells what it was sent. */
function fakeWorker() {
  let changes = 0;
  let told = -1;
  const table = {
    refresh: async () => {
      const news = told === changes ? undefined : { changes };
      told = changes;
      return news;
    },
    // Of the rows that were there when it was refreshed.
    lines: async (...args: unknown[]) => ({ changes: told, args }),
    row: async () => ({ changes }),
  } as unknown as TableApi;
  const renewed = async (questions: readonly Question[]) => {
    changes++;
    return { status: {} as LabStatus, answers: await answersTo(table, questions) };
  };
  const sent = {
    ...table,
    refresh: vi.fn(table.refresh),
    lines: vi.fn(table.lines),
    row: vi.fn(table.row),
    start: vi.fn(renewed),
    change: vi.fn(renewed),
    play: async () => ({}) as LabStatus,
    undo: async () => ({}) as LabStatus,
  };
  let time = 0;
  let leisure = false;
  const api = foreseeing(
    sent as unknown as LabWorkerApi & TableApi,
    () => leisure,
    () => time,
  );
  const wait = (milliseconds: number) => {
    time += milliseconds;
  };
  const rest = (now: boolean) => {
    leisure = now;
  };
  return { api, sent, wait, rest };
}

describe('what is asked behind each change', () => {
  test('comes with the next one, for each question once', async () => {
    const { api, sent } = fakeWorker();
    await api.start(RECIPE, 0);
    expect(await api.refresh()).toEqual({ changes: 1 });
    const asked = await api.lines(['loss'], 0, 9, 100);
    expect(asked).toEqual({ changes: 1, args: [['loss'], 0, 9, 100] });
    await api.change({ eta: '0.1' });
    expect(sent.change.mock.calls[0]![0]).toEqual([
      { method: 'refresh', args: [] },
      { method: 'lines', args: [['loss'], 0, 9, 100] },
    ]);
    // A file would have a state; a run has none.
    expect(await api.refresh({ etag: '', size: 0 })).toEqual({ changes: 2 });
    expect(await api.lines(['loss'], 0, 9, 100)).toMatchObject({ changes: 2 });
    expect([sent.refresh, sent.lines].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    await api.lines(['loss'], 0, 9, 100);
    expect(sent.lines).toHaveBeenCalledTimes(2);
    // Another question is asked.
    await api.lines(['loss'], 0, 8, 100);
    expect(sent.lines).toHaveBeenCalledTimes(3);
  });

  test('is no longer true where the run goes on or back, nor of the change before', async () => {
    const { api, sent } = fakeWorker();
    await api.start(RECIPE, 0);
    await api.lines(['loss'], 0, 9, 100);
    await api.refresh();
    for (const change of [() => api.play(1, 'stopped'), () => api.undo()]) {
      await api.start(RECIPE, 0);
      await change();
      sent.lines.mockClear();
      await api.lines(['loss'], 0, 9, 100);
      await api.refresh();
      expect(sent.lines).toHaveBeenCalledTimes(1);
    }
    await api.start(RECIPE, 0);
    await api.start(RECIPE, 0);
    await api.refresh();
    sent.lines.mockClear();
    expect(await api.lines(['loss'], 0, 9, 100)).toMatchObject({ changes: 5 });
    expect(sent.lines).toHaveBeenCalledTimes(1);
  });

  test('is answered of the new rows, in whatever order it was asked', async () => {
    const { api, sent } = fakeWorker();
    await api.start(RECIPE, 0);
    await api.lines(['loss'], 0, 9, 100);
    await api.refresh();
    await api.start(RECIPE, 0);
    expect(await api.lines(['loss'], 0, 9, 100)).toMatchObject({ changes: 2 });
    expect(sent.lines).toHaveBeenCalledTimes(1);
    // Where nobody asks for the new rows, nothing is known of them.
    await api.start(RECIPE, 0);
    await api.refresh();
    expect(await api.lines(['loss'], 0, 9, 100)).toMatchObject({ changes: 3 });
    expect(sent.lines).toHaveBeenCalledTimes(2);
  });

  test('what the worker has told is heard, also where nobody asked for it in time', async () => {
    const { api } = fakeWorker();
    await api.start(RECIPE, 0);
    expect(await api.refresh()).toEqual({ changes: 1 });
    await api.start(RECIPE, 0);
    await api.play(0, 'stopped');
    expect(await api.refresh()).toEqual({ changes: 2 });
    expect(await api.refresh()).toBe(undefined);
  });

  test('leaves out what follows at leisure, what is pointed at, and what cannot be', async () => {
    const { api, sent, wait, rest } = fakeWorker();
    await api.start(RECIPE, 0);
    await api.row(3, ['loss']);
    rest(true);
    await api.lines(['l1'], 0, 9, 100);
    rest(false);
    wait(1000);
    await api.lines(['loss'], 0, 9, 100);
    await api.start(RECIPE, 0);
    expect(sent.start.mock.calls[1]![0]).toEqual([]);
    const table = {
      lines: () => Promise.reject(new Error('no such column')),
    } as unknown as TableApi;
    const lines = { method: 'lines', args: [['gone'], 0, 9, 100] } as const;
    const refresh = { method: 'refresh', args: [] } as const;
    expect(await answersTo(table, [lines])).toEqual([undefined]);
    const both = { ...table, refresh: async () => undefined };
    expect(await answersTo(both, [lines, refresh])).toEqual([undefined, { value: undefined }]);
    await api.lines(['gone'], 0, 9, 100);
    await api.refresh();
    sent.start.mockResolvedValueOnce({ status: {} as LabStatus, answers: [] });
    await api.start(RECIPE, 0);
    sent.lines.mockClear();
    await api.lines(['gone'], 0, 9, 100);
    expect(sent.lines).toHaveBeenCalledTimes(1);
  });
});
