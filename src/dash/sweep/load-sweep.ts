import { QUANTITIES, type SweepTable } from '../../pipeline/sweep/heat-map.ts';
import { MAP_PARAMETERS, sweptModelOf, WORD_COLUMNS } from '../../pipeline/sweep/map-parameters.ts';
import { OUTCOMES } from '../../pipeline/sweep/sweep-columns.ts';
import { RunFileError } from '../load/table.ts';
import type { ListedSweep } from '../runs/run-list.ts';
import type { SweepCall, SweepReply } from './protocol.ts';
import SweepWorker from './sweep-worker.ts?worker&inline';

/** A reader that says nothing for this long is stuck on a hostile file. */
const SILENCE_MS = 20_000;

/** Columns of any sweep whose values are numbers. */
const NUMBERS = [
  ...new Set([
    ...Object.values(MAP_PARAMETERS).flatMap((all) => all.map(({ column }) => column)),
    'start_gfs_ratio',
    ...Object.values(QUANTITIES).flatMap((all) => all.map(({ name }) => name)),
  ]),
].filter((name) => name !== 'outcome' && !WORD_COLUMNS.includes(name));

/**
 * Reads what maps need of a sweep, in a worker of its own. @throws RunFileError where a part cannot
 * be read
 */
export async function loadSweep({ parts }: ListedSweep): Promise<SweepTable> {
  const worker = new SweepWorker();
  try {
    const { numbers, codes, words } = await answer(worker, {
      parts,
      numbers: NUMBERS,
      texts: WORD_COLUMNS,
      word: 'outcome',
      words: OUTCOMES,
    });
    const columns = new Map(NUMBERS.map((name, i) => [name, numbers[i]!]));
    for (const [name, values] of words) columns.set(name, values.codes);
    const outcomes = Array.from(codes, (code) => OUTCOMES[code] as string);
    return {
      length: codes.length,
      model: sweptModelOf((name) => words.has(name)),
      numbers: (name) => columns.get(name)!,
      words: (name) => words.get(name)?.words,
      texts: () => outcomes,
    };
  } finally {
    worker.terminate();
  }
}

function answer(
  worker: Worker,
  call: SweepCall,
): Promise<Extract<SweepReply, { codes: Uint8Array }>> {
  return new Promise((resolve, reject) => {
    const giveUp = () =>
      reject(new RunFileError('reading the sweep took too long, so it was given up'));
    let timer = setTimeout(giveUp, SILENCE_MS);
    worker.addEventListener('message', ({ data: reply }: MessageEvent<SweepReply>) => {
      clearTimeout(timer);
      if ('error' in reply) reject(new RunFileError(reply.error));
      else if ('codes' in reply) resolve(reply);
      else timer = setTimeout(giveUp, SILENCE_MS);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      clearTimeout(timer);
      reject(
        new RunFileError(`the sweep cannot be read (${event.message || 'its reader stopped'})`),
      );
    });
    worker.postMessage(call);
  });
}
