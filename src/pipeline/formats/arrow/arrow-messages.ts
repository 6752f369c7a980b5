import type { DecoderOf } from '../codecs.ts';
import { decoded, LIMITS, unsupported } from '../limits.ts';
import { type Schema, type Table, tableFromIPC } from './apache-arrow.ts';
import { checkArrowBatch } from './arrow-guard.ts';
import { MESSAGE_PREFIX } from './arrow-parts.ts';
import type { CheckedSchema } from './arrow-schema.ts';
import { type ArrowMessage, schemaMessage, unpackArrow } from './arrow-unpack.ts';

/** Turns the messages of one file or stream into tables. */
export interface MessageDecoder {
  /** Rows of a record batch, or words of a dictionary, by its metadata alone. */
  rows(metadata: Uint8Array, bodyLength: number): number;
  /** Keeps a dictionary for the batches to come. @param most bytes that all of them may take */
  keep(message: ArrowMessage, most: number): Promise<ArrowMessage>;
  /** A record batch as a table. @param again whether it has been counted already */
  table(
    message: ArrowMessage,
    dictionaries: readonly ArrowMessage[],
    again?: boolean,
  ): Promise<Table>;
}

export function messageDecoder(
  schema: Schema,
  checked: CheckedSchema,
  decoderOf: DecoderOf,
): MessageDecoder {
  const columns = schemaMessage(schema);
  let kept = 0;
  // What the record batches of the file take, and what they unpack to.
  let seen = 0;
  let spent = 0;
  const spend = (stored: number, unpacked: number) => {
    seen += stored;
    spent += unpacked;
    if (spent > LIMITS.unpacked + seen * LIMITS.unpackedPerByte) {
      unsupported(
        `its record batches unpack to more than ${LIMITS.unpackedPerByte} times what they take`,
      );
    }
  };

  const plain = async (stored: ArrowMessage, again = false): Promise<ArrowMessage> => {
    const bodyLength = stored.bytes.length - stored.metaDataLength;
    const check = ({ bytes, metaDataLength }: ArrowMessage) =>
      decoded(() => {
        const body = bytes.subarray(metaDataLength);
        const metadata = bytes.slice(MESSAGE_PREFIX, metaDataLength);
        checkArrowBatch(metadata, body, checked, body.length, bodyLength);
      });
    check(stored);
    // The dictionaries are read anew with each batch, which itself may be read several times.
    if (!again) spend(bodyLength, kept);
    const unpacked = await unpackArrow(stored, decoderOf, (bytes) => {
      if (!again) spend(0, bytes);
    });
    if (unpacked !== stored) check(unpacked);
    return unpacked;
  };

  return {
    rows: (metadata, bodyLength) =>
      decoded(() => checkArrowBatch(metadata, undefined, checked, bodyLength)),
    async keep(message, most) {
      const dictionary = await plain(message);
      kept += dictionary.bytes.length;
      if (kept > most) unsupported(`its dictionaries take more than ${most} bytes`);
      return dictionary;
    },
    async table(message, dictionaries, again) {
      const batch = await plain(message, again);
      // A stream of this batch alone; its pieces are not put together, so that they are not copied.
      const pieces = [...dictionaries, batch].map(({ bytes }) => bytes);
      return decoded(() => tableFromIPC([columns, ...pieces]));
    },
  };
}
