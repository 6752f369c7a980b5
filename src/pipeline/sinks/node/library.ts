// The library as Node sees it: all of index.ts, with sinks that take the name of a file as well.
import type { MonoTypeOperatorFunction } from 'rxjs';
import type { ModelBatch } from '../../source/gradient-descent.ts';
import { type ArrowSinkOptions, arrowSink as arrow } from '../arrow.ts';
import type { ByteTarget } from '../byte-target.ts';
import { type ParquetSinkOptions, parquetSink as parquet } from '../parquet.ts';
import { fileTarget } from './file-target.ts';

export * from '../../index.ts';

/** `parquetSink` of the library, to a file of this name or any other target. */
export function parquetSink(
  to: string | ByteTarget,
  options?: ParquetSinkOptions,
): MonoTypeOperatorFunction<ModelBatch> {
  return parquet(targetOf(to), options);
}

/** `arrowSink` of the library, to a file of this name or any other target. */
export function arrowSink(to: string | ByteTarget, options?: ArrowSinkOptions): MonoTypeOperatorFunction<ModelBatch> {
  return arrow(targetOf(to), options);
}

function targetOf(to: string | ByteTarget): ByteTarget {
  return typeof to === 'string' ? fileTarget(to) : to;
}
