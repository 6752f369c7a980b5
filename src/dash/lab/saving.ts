// Its own chunk: who saves nothing does not load Arrow.
import SaveWorker from './save-worker.ts?worker&inline';

/** A worker that writes files of runs. */
export const saveWorker = (): Worker => new SaveWorker();
