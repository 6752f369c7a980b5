// Its own chunk: most pages never load Arrow.
import ArrowWorker from './worker-arrow.ts?worker&inline';

/** A worker that reads Arrow files. */
export const arrowWorker = (): Worker => new ArrowWorker();
