import { type EngineFlags, openEngine } from './engine.ts';
import { findSweeps, markCancelled } from './folder.ts';

/**
 * Marks the folder as cancelled, then empties the queues of its sweeps.
 * @returns the number of parts that were in the queues; undefined without a queue
 */
export async function cancelSweep(out: string, flags: EngineFlags): Promise<number | undefined> {
  const { folder, places } = await findSweeps(out);
  const queueing = await openEngine(flags);
  await markCancelled(folder);
  return queueing?.redis.dropQueues(places, queueing.connection);
}
