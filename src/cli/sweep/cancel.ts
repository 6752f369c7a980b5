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
  const connection =
    engine === undefined || engine === 'embedded' ? undefined : await connectRedis(engine, tls);
  await setMarker(folder);
  if (!connection) return { dropped: undefined };
  const { openQueue, queueCounts, removeQueue } = await import('./queue.ts');
  const { watchRedis } = await import('./redis-clients.ts');
  const clients = watchRedis(connection, (line) => process.stderr.write(`${line}\n`));
  let dropped = 0;
  try {
    for (const place of places) {
      const queue = openQueue(place, connection);
      const { waiting, active } = await queueCounts(queue);
      dropped += waiting + active;
      await removeQueue(queue);
      await queue.close();
    }
  } finally {
    clients.close();
  }
  return { dropped };
}
