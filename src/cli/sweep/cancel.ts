import { UsageError } from '../errors.ts';
import { setMarker } from './cancel-marker.ts';
import { readManifest, sweepFolder } from './folder.ts';
import { connectRedis, type RedisTls } from './redis-connection.ts';

/** Marks the folder as cancelled and empties the queues of its sweeps. */
export async function cancelSweep(
  out: string,
  engine: string | undefined,
  tls: RedisTls,
): Promise<{ readonly dropped: number | undefined }> {
  const folder = sweepFolder(out);
  const places = await readManifest(folder);
  if (places.length === 0) throw new UsageError(`--out: ${out} holds no sweep`);
  const connection = engine === undefined || engine === 'embedded' ? undefined : await connectRedis(engine, tls);
  await setMarker(folder);
  if (!connection) return { dropped: undefined };
  const { openQueue, queueCounts } = await import('./queue.ts');
  let dropped = 0;
  for (const { sweep } of places) {
    const queue = openQueue(sweep.id, connection);
    const { waiting, active } = await queueCounts(queue);
    dropped += waiting + active;
    await queue.obliterate({ force: true });
    await queue.close();
  }
  return { dropped };
}
