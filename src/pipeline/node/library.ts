// The library as Node sees it: all of index.ts, with sinks that take the name of a file as well.
import type { MonoTypeOperatorFunction } from 'rxjs';
import { type ArrowSinkOptions, arrowSink as arrow } from '../formats/arrow/arrow-sink.ts';
import type { ByteTarget } from '../formats/byte-target.ts';
import {
  type ParquetSinkOptions,
  parquetSink as parquet,
} from '../formats/parquet/parquet-sink.ts';
import type { ModelBatch } from '../sources/descent/gradient-descent.ts';
import { fileTarget } from './file-target.ts';

export * from '../index.ts';

/** `parquetSink` of the library, to a file of this name or any other target. */
export function parquetSink(
  to: string | ByteTarget,
  options?: ParquetSinkOptions,
): MonoTypeOperatorFunction<ModelBatch> {
  return parquet(targetOf(to), options);
}

/** `arrowSink` of the library, to a file of this name or any other target. */
export function arrowSink(
  to: string | ByteTarget,
  options?: ArrowSinkOptions,
): MonoTypeOperatorFunction<ModelBatch> {
  return arrow(targetOf(to), options);
}

function targetOf(to: string | ByteTarget): ByteTarget {
  return typeof to === 'string' ? fileTarget(to) : to;
}
