// Its own chunk: most pages load neither Arrow nor the larger decoders.
import AnyWorker from './worker-any.ts?worker&inline';

/** A worker that reads all table files. */
export const anyWorker = (): Worker => new AnyWorker();
