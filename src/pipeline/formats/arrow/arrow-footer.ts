import { concatBytes } from '../concat-bytes.ts';
import { SEAL_KEY, seal, UNSEALED } from '../seal.ts';
import type { Metadata } from '../table-format.ts';
import { MetadataVersion, Schema } from './apache-arrow.ts';
import { type ArrowBlocks, FooterCoder as Footer } from './apache-arrow-parts.ts';

const ARROW_MAGIC = new TextEncoder().encode('ARROW1');

/**
 * What stands behind the record batches of an Arrow file: the end-of-stream mark, the footer, its
 * length, the magic.
 */
export function arrowFooter(
  schema: Schema,
  { batches, dictionaries }: ArrowBlocks,
  metadata: Metadata,
): Uint8Array {
  const notes = new Map(Object.entries(metadata));
  if (notes.has(SEAL_KEY)) notes.set(SEAL_KEY, UNSEALED);
  const described = new Schema(schema.fields, notes, schema.dictionaries);
  const footer = Footer.encode(
    new Footer(described, MetadataVersion.V5, [...batches], [...dictionaries]),
  );
  const numbers = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);
  const end = concatBytes([numbers(-1, 0), footer, numbers(footer.byteLength), ARROW_MAGIC]);
  seal(end);
  return end;
}
