// All that needs a Redis: loaded with --engine alone, since its packages are optional.

export { connectRedis } from './connection.ts';
export { runDistributed } from './engine.ts';
export { dropQueues, queueStates } from './queues.ts';
export { workerRun } from './worker.ts';
