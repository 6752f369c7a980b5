import { QUANTITIES, type SweepTable } from '../../pipeline/sweep/heat-map.ts';
import { SWEEP_PARAMETER_NAMES } from '../../pipeline/sweep/parameters.ts';
import { columnName, OUTCOMES } from '../../pipeline/sweep/sweep-columns.ts';
import { RunFileError } from '../load/table.ts';
import type { ListedSweep } from '../runs/run-list.ts';
import type { SweepCall, SweepReply } from './protocol.ts';
import SweepWorker from './sweep-worker.ts?worker&inline';

/** A reader that says nothing for this long is stuck on a hostile file. */
const SILENCE_MS = 20_000;

const NUMBERS = [
  ...SWEEP_PARAMETER_NAMES.map(columnName),
  'start_gfs_ratio',
  ...QUANTITIES.map(({ name }) => name).filter((name) => name !== 'outcome'),
];

/**
 * Reads what maps need of a sweep, in a worker of its own. @throws RunFileError where a part cannot
 * be read
 */
export async function loadSweep({ parts }: ListedSweep): Promise<SweepTable> {
  const worker = new SweepWorker();
  try {
    const { numbers, codes } = await answer(worker, {
      parts,
      numbers: NUMBERS,
      word: 'outcome',
      words: OUTCOMES,
    });
    const columns = new Map(NUMBERS.map((name, i) => [name, numbers[i]!]));
    const outcomes = Array.from(codes, (code) => OUTCOMES[code] as string);
    return {
      length: codes.length,
      numbers: (name) => columns.get(name)!,
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
