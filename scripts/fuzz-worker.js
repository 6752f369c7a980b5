// The side of scripts/fuzz.js that reads; it may be brought down by what it reads.
import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { mutant, mutation } from './fuzz-mutations.js';
import { readers } from './fuzz-readers.js';

/** Errors that are meant for people. */
const MEANT = new Set([
  'DamagedFileError',
  'UnsupportedFileError',
  'LogError',
  'ConfigError',
  'UsageError',
  'CheckpointError',
]);

const { files, seed } = workerData;
const result = { read: 0, refused: 0, slowest: 0 };
const all = await readers();
const batch = 1000;
for (let first = 0; first < files; first += batch) {
  const count = Math.min(batch, files - first);
  const mutations = fc.sample(mutation, { numRuns: count, seed: seed + first });
  for (let i = 0; i < count; i++) {
    const reader = all[(first + i) % all.length];
    const bytes = mutant(reader, mutations[i]);
    parentPort.postMessage({
      begun: `file ${first + i} (${reader.name}) ${JSON.stringify(mutations[i])}`,
    });
    const begun = performance.now();
    try {
      await reader.read(bytes);
      result.read++;
    } catch (error) {
      if (!MEANT.has(error?.name)) {
        parentPort.postMessage({ failure: `${error?.stack ?? error}` });
        break;
      }
      result.refused++;
    }
    result.slowest = Math.max(result.slowest, performance.now() - begun);
  }
}
parentPort.postMessage(result);
