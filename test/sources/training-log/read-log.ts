import { lastValueFrom, toArray } from 'rxjs';
import {
  detectMeasuredPhases,
  type MeasuredEvent,
} from '../../../src/pipeline/operators/detect-measured-phases.ts';
import { relateToThreshold } from '../../../src/pipeline/operators/relate-to-threshold.ts';
import { MEASURED_PHASES } from '../../../src/pipeline/phases/measured/columns.ts';
import type { MeasuredSummary } from '../../../src/pipeline/phases/measured/summary.ts';
import { parseEta } from '../../../src/pipeline/sources/training-log/eta-schedule.ts';
import {
  type LogOptions,
  trainingLog,
} from '../../../src/pipeline/sources/training-log/training-log.ts';

export interface Detected {
  readonly events: readonly MeasuredEvent[];
  readonly summary: MeasuredSummary;
  /** Columns over all rows; phases and regimes as words where asked for. */
  readonly rows: Readonly<Record<string, readonly number[]>>;
  readonly phases: readonly string[];
  /** Dated phases as `phase first–last`. */
  readonly spans: readonly string[];
}

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Runs a log through the whole pipeline, as `eos detect` does. */
export async function detectLog(
  content: string | Chunks,
  { eta, ...options }: Omit<LogOptions, 'eta'> & { eta?: number | string } = {},
): Promise<Detected> {
  const chunks = typeof content === 'string' ? [new TextEncoder().encode(content)] : content;
  const events: MeasuredEvent[] = [];
  const input = {
    name: 'log',
    chunks: (async function* () {
      yield* chunks;
    })(),
  };
  const batches = await lastValueFrom(
    trainingLog(input, {
      ...options,
      ...(eta === undefined ? {} : { eta: parseEta(String(eta)) }),
    }).pipe(
      relateToThreshold(),
      detectMeasuredPhases((event) => events.push(event)),
      toArray(),
    ),
  );
  const summary = batches.at(-1)!.run.summary!;
  const rows: Record<string, number[]> = {};
  for (const { columns, length } of batches) {
    for (const [name, values] of Object.entries(columns)) {
      rows[name] ??= [];
      for (let i = 0; i < length; i++) rows[name].push(values[i]!);
    }
  }
  return {
    events,
    summary,
    rows,
    phases: rows.phase!.map((code) => MEASURED_PHASES[code]!),
    spans: summary.phases.map(
      ({ phase, first_step, last_step }) => `${phase} ${first_step}–${last_step}`,
    ),
  };
}

/** NDJSON of columns; NaN is left out. */
export function ndjson(columns: Readonly<Record<string, ArrayLike<number>>>): string {
  const names = Object.keys(columns);
  const length = Math.max(...names.map((name) => columns[name]!.length));
  let text = '';
  for (let i = 0; i < length; i++) {
    const cells = names
      .filter((name) => !Number.isNaN(columns[name]![i]!))
      .map((name) => `"${name}":${columns[name]![i]}`);
    text += `{${cells.join(',')}}\n`;
  }
  return text;
}
