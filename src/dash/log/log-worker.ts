import { lastValueFrom, tap } from 'rxjs';
import { ConfigError } from '../../pipeline/core/parameters.ts';
import { formatNumber } from '../../pipeline/format.ts';
import { memoryTarget } from '../../pipeline/formats/byte-target.ts';
import { parquetSink } from '../../pipeline/formats/parquet/parquet-sink.ts';
import { parseNumber } from '../../pipeline/models/minimal/config.ts';
import { detectMeasuredPhases } from '../../pipeline/operators/detect-measured-phases.ts';
import { relateToThreshold } from '../../pipeline/operators/relate-to-threshold.ts';
import { parseEta } from '../../pipeline/sources/training-log/eta-schedule.ts';
import { LogError } from '../../pipeline/sources/training-log/log-error.ts';
import {
  type LogOptions,
  type LogRun,
  trainingLog,
} from '../../pipeline/sources/training-log/training-log.ts';
import { serve, type WorkerScope } from '../load/serve-table.ts';
import { RunFileError } from '../load/table.ts';
import type { LogApi, LogSaid } from './log-protocol.ts';

const GZIP = [0x1f, 0x8b] as const;

const api: LogApi = {
  async detect(log, said) {
    const target = memoryTarget();
    let run: LogRun | undefined;
    try {
      const rows = trainingLog({ name: log.name, chunks: bytesOf(log) }, optionsOf(said)).pipe(
        relateToThreshold(),
        detectMeasuredPhases(),
        tap((batch) => {
          run = batch.run;
        }),
        parquetSink(target),
      );
      await lastValueFrom(rows, { defaultValue: undefined });
    } catch (error) {
      throw readable(error);
    }
    const { config, tally } = run!;
    return {
      bytes: target.bytes().slice().buffer,
      format: config.format ?? '',
      optimizer: config.optimizer,
      eta: config.eta,
      taken: tally.columns,
      skipped: tally.entries.map(
        ({ what, reason, count, first_line }) =>
          `${formatNumber(count)} × ${what}: ${reason} (first in line ${formatNumber(first_line)})`,
      ),
    };
  },
};

/** The bytes of a file, unpacked where it is a gzip file. */
async function* bytesOf(file: Blob): AsyncGenerator<Uint8Array> {
  const head = new Uint8Array(await file.slice(0, GZIP.length).arrayBuffer());
  const packed = GZIP.every((byte, i) => head[i] === byte);
  const stream = packed
    ? file.stream().pipeThrough(new DecompressionStream('gzip'))
    : file.stream();
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function optionsOf(said: LogSaid): LogOptions {
  const { eta, optimizer, momentum, step, loss, sharpness } = said;
  const columns = { step, loss, sharpness };
  return {
    ...(eta !== '' && { eta: parseEta(eta) }),
    ...(optimizer !== '' && { optimizer }),
    ...(momentum !== '' && { beta: betaOf(momentum) }),
    columns: Object.fromEntries(Object.entries(columns).filter(([, name]) => name !== '')),
    secondRun: 'end',
  };
}

function betaOf(text: string): number {
  const beta = parseNumber(text);
  if (!Number.isNaN(beta)) return beta;
  throw new ConfigError('momentum', `'${text}' is not a number, such as 0.9`);
}

/** Advice on flags of the command line: behind the last semicolon, or in parentheses at the end. */
const FLAGS = /(; [^;]*--[^;]*| \([^()]*--[^()]*\))$/;

/** What is wrong with a log, and which field of the page puts it right. */
function readable(error: unknown): unknown {
  if (!(error instanceof LogError || error instanceof ConfigError)) return error;
  const field = /learning rate/.test(error.message) ? 'type it in as η' : 'name its columns above';
  return new RunFileError(error.message.replace(FLAGS, `; ${field}`));
}

serve(self as unknown as WorkerScope, api);
