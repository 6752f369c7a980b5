import {
  BinaryView,
  Bool,
  type DataType,
  Dictionary,
  Field,
  FixedSizeList,
  Float64,
  Int32,
  List,
  MessageHeader,
  MetadataVersion,
  Null,
  Schema,
  Struct,
  Utf8,
  Utf8View,
} from 'apache-arrow';
import {
  BodyCompression,
  BufferRegion,
  DictionaryBatchCoder as DictionaryBatch,
  FieldNode,
  FileBlock,
  MessageCoder as Message,
  RecordBatchCoder as RecordBatch,
} from '../../src/pipeline/formats/arrow/apache-arrow-parts.ts';
import { arrowFooter } from '../../src/pipeline/formats/arrow/arrow-footer.ts';

const LZ4 = 0;
const ZSTD = 1;
const NONE = new Uint8Array(0);
const HEADER = Buffer.from('ARROW1\0\0');

interface Batch {
  readonly rows: number;
  /** Values and nulls of each column, and of those inside it. */
  readonly nodes: readonly (readonly [number, number])[];
  readonly buffers: readonly Uint8Array[];
  readonly codec?: number;
  readonly variadic?: readonly number[];
  readonly dictionary?: number;
}

function message({ rows, nodes, buffers, codec, variadic = [], dictionary }: Batch): Buffer {
  let at = 0;
  const regions = buffers.map(({ length }) => {
    const region = new BufferRegion(at, length);
    at += length + (-length & 7);
    return region;
  });
  const batch = new RecordBatch(
    rows,
    nodes.map(([length, nulls]) => new FieldNode(length, nulls)),
    regions,
    codec === undefined ? null : new BodyCompression(codec),
    [...variadic],
  );
  const header = dictionary === undefined ? batch : new DictionaryBatch(batch, dictionary);
  const type = dictionary === undefined ? MessageHeader.RecordBatch : MessageHeader.DictionaryBatch;
  const metadata = Message.encode(new Message(at, MetadataVersion.V5, type, header));
  const length = metadata.length + (-metadata.length & 7);
  const prefix = Buffer.alloc(8);
  prefix.writeInt32LE(-1);
  prefix.writeInt32LE(length, 4);
  const bytes = Buffer.alloc(8 + length + at);
  prefix.copy(bytes);
  bytes.set(metadata, 8);
  regions.forEach(({ offset }, i) => {
    bytes.set(buffers[i]!, 8 + length + offset);
  });
  return bytes;
}

/** An Arrow file of these batches, or of the only one told of many times. */
function arrowFile(
  columns: Readonly<Record<string, DataType>>,
  batches: readonly Batch[],
  times = 1,
): Uint8Array {
  const schema = new Schema(
    Object.entries(columns).map(([name, type]) => new Field(name, type, true)),
  );
  let at = HEADER.length;
  const parts = batches.map((batch) => {
    const bytes = message(batch);
    const block = new FileBlock(
      8 + bytes.readInt32LE(4),
      bytes.length - 8 - bytes.readInt32LE(4),
      at,
    );
    at += bytes.length;
    return { bytes, block, dictionary: batch.dictionary !== undefined };
  });
  const blocks = (dictionary: boolean) =>
    parts.filter((part) => part.dictionary === dictionary).map(({ block }) => block);
  const told = Array.from({ length: times }, () => blocks(false)).flat();
  const footer = arrowFooter(schema, { batches: told, dictionaries: blocks(true) }, {});
  return Buffer.concat([HEADER, ...parts.map(({ bytes }) => bytes), footer]);
}

/** A buffer that claims to unpack to so many bytes. */
function packed(length: number | bigint, frame: Uint8Array): Uint8Array {
  const prefix = Buffer.alloc(8);
  prefix.writeBigInt64LE(BigInt(length));
  return Buffer.concat([prefix, frame]);
}

function uint32(...values: number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

/** An LZ4 frame of `length` zeros: one literal, and one copy of it over and over. */
function lz4Zeros(length: number): Buffer {
  const copied = length - 1 - 5 - 4 - 15;
  const block = Buffer.concat([
    Buffer.from([0x1f, 0, 1, 0]),
    Buffer.alloc(Math.floor(copied / 255), 255),
    Buffer.from([copied % 255, 0x50, 0, 0, 0, 0, 0]),
  ]);
  const header = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73]);
  return Buffer.concat([header, uint32(block.length), block, uint32(0)]);
}

/** The head of a Zstandard frame of so many bytes. */
const zstdHead = (length: number) =>
  Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0]), uint32(length)]);

function zstdBlock(kind: number, size: number, last: boolean, content: Uint8Array): Buffer {
  const header = (size << 3) | (kind << 1) | Number(last);
  return Buffer.concat([Buffer.from([header & 255, (header >> 8) & 255, header >> 16]), content]);
}

/** A Zstandard frame of `length` zeros, four bytes for each 128 kB. */
function zstdZeros(length: number, claimed = length): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 131_072) }, (_, i) => {
    const size = Math.min(131_072, length - i * 131_072);
    return zstdBlock(1, size, (i + 1) * 131_072 >= length, Buffer.alloc(1));
  });
  return Buffer.concat([zstdHead(claimed), ...blocks]);
}

/** A frame of one block that copies 65,539 bytes with each two of its own: 2.6 GB, in 80 kB. */
export function zstdCopies(length: number): Buffer {
  const count = 40_000;
  const bits = Buffer.alloc(2 * count + 1);
  bits[2 * count] = 1;
  const sequences = Buffer.from([
    255,
    (count - 0x7f00) & 255,
    (count - 0x7f00) >> 8,
    0b01010100,
    0,
    0,
    52,
  ]);
  const content = Buffer.concat([Buffer.from([8, 0x41]), sequences, bits]);
  return Buffer.concat([zstdHead(length), zstdBlock(2, content.length, true, content)]);
}

function offsets(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

function viewOf(size: number, buffer: number, offset: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(size);
  bytes.writeInt32LE(buffer, 8);
  bytes.writeInt32LE(offset, 12);
  return bytes;
}

/** Lists in lists, so many. */
function nested(depth: number): DataType {
  return depth === 0 ? new Float64() : new List(new Field('item', nested(depth - 1), true));
}

/**
 * Arrow files of the kinds that other programs write, and that mean harm; refused unless they are
 * called `whole`.
 */
export function hostileForeignArrow(): { readonly name: string; readonly bytes: Uint8Array }[] {
  const file = (name: string, bytes: Uint8Array) => ({ name: `${name}.arrow`, bytes });
  const one = { sharpness: new Float64() };
  const text = { sharpness: new Float64(), phase: new Utf8() };
  const views = { sharpness: new Float64(), phase: new Utf8View(), raw: new BinaryView() };
  /** A batch of one column of eight doubles, whose values are this. */
  const values = (codec: number, buffer: Uint8Array, rows = 8): Batch => ({
    rows,
    nodes: [[rows, 0]],
    buffers: [NONE, buffer],
    codec,
  });
  /** A batch of one row without a number, whose text is so many zeros. */
  const longText = (
    codec: number,
    frame: (length: number) => Uint8Array,
    length: number,
  ): Batch => ({
    rows: 1,
    nodes: [
      [1, 1],
      [1, 0],
    ],
    buffers: [
      packed(-1, Buffer.alloc(1)),
      packed(-1, Buffer.alloc(8)),
      NONE,
      packed(-1, offsets(0, length)),
      packed(length, frame(length)),
    ],
    codec,
  });
  const viewed = (
    entries: readonly Uint8Array[],
    buffer: Uint8Array,
    variadic: readonly number[] = [1, 0],
  ): Batch => ({
    rows: entries.length,
    nodes: [
      [entries.length, 0],
      [entries.length, 0],
      [entries.length, 0],
    ],
    buffers: [
      NONE,
      Buffer.alloc(8 * entries.length),
      NONE,
      Buffer.concat(entries),
      buffer,
      NONE,
      Buffer.alloc(16 * entries.length),
    ],
    variadic,
  });
  const list = (item: DataType) => ({ sharpness: new List(new Field('item', item, true)) });
  const million = 1_000_000;
  const fields = Array.from({ length: 9000 }, (_, i) => new Field(`f${i}`, new Null(), true));
  return [
    file('lz4 bomb', arrowFile(one, [values(LZ4, packed(2 ** 31, lz4Zeros(200 * million)))])),
    file('zstd bomb', arrowFile(one, [values(ZSTD, packed(2 ** 31, zstdZeros(200 * million)))])),
    file(
      'zstd bomb of little',
      arrowFile(one, [values(ZSTD, packed(64, zstdZeros(200 * million, 64)))]),
    ),
    file('lz4 bomb of little', arrowFile(one, [values(LZ4, packed(64, lz4Zeros(200 * million)))])),
    file(
      'zstd copies',
      arrowFile(one, [values(ZSTD, packed(million, zstdCopies(million)), 125_000)]),
    ),
    file('whole lz4 bomb', arrowFile(text, [longText(LZ4, lz4Zeros, 60 * million)])),
    file('whole zstd bomb', arrowFile(text, [longText(ZSTD, zstdZeros, 60 * million)])),
    file('bombs', arrowFile(text, Array<Batch>(100).fill(longText(ZSTD, zstdZeros, 60 * million)))),
    file(
      'bomb of columns',
      arrowFile(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`c${i}`, new Bool()])), [
        {
          rows: 1 << 17,
          nodes: Array.from({ length: 3000 }, () => [1 << 17, 0] as const),
          buffers: Array.from({ length: 3000 }, () => [
            NONE,
            packed(million, zstdZeros(million)),
          ]).flat(),
          codec: ZSTD,
        },
      ]),
    ),
    file('length below zero', arrowFile(one, [values(LZ4, packed(-5, lz4Zeros(64)))])),
    file('length without end', arrowFile(one, [values(ZSTD, packed(2n ** 62n, zstdZeros(64)))])),
    file('length too large', arrowFile(one, [values(ZSTD, packed(72, zstdZeros(64)))])),
    file('length too small', arrowFile(one, [values(LZ4, packed(63, lz4Zeros(64)))])),
    file('length cut off', arrowFile(one, [values(LZ4, Buffer.alloc(4))])),
    file('stored and too short', arrowFile(one, [values(LZ4, packed(-1, Buffer.alloc(63)))])),
    file('unknown codec', arrowFile(one, [values(7, packed(64, zstdZeros(64)))])),
    file(
      'frame cut off',
      arrowFile(one, [values(ZSTD, packed(64, zstdZeros(64).subarray(0, -3)))]),
    ),
    file('frame of another kind', arrowFile(one, [values(LZ4, packed(64, zstdZeros(64)))])),
    file('views outside', arrowFile(views, [viewed([viewOf(20, 0, 90)], Buffer.alloc(100))])),
    file('views before', arrowFile(views, [viewed([viewOf(20, 0, -5)], Buffer.alloc(100))])),
    file('views of no buffer', arrowFile(views, [viewed([viewOf(20, 3, 0)], Buffer.alloc(100))])),
    file('views of no length', arrowFile(views, [viewed([viewOf(-1, 0, 0)], Buffer.alloc(100))])),
    file(
      'views of billions of buffers',
      arrowFile(views, [viewed([viewOf(1, 0, 0)], Buffer.alloc(100), [2 ** 40, 0])]),
    ),
    file(
      'views of the same',
      arrowFile(views, [
        viewed(Array<Buffer>(100_000).fill(viewOf(million, 0, 0)), Buffer.alloc(million)),
      ]),
    ),
    file('nested 40 deep', arrowFile({ sharpness: nested(40) }, [])),
    file('nested 1000 deep', arrowFile({ sharpness: nested(1000) }, [])),
    file(
      'lists that overlap',
      arrowFile(list(new Float64()), [
        {
          rows: 3,
          nodes: [
            [3, 0],
            [8, 0],
          ],
          buffers: [NONE, offsets(0, 8, 0, 8), NONE, Buffer.alloc(64)],
        },
      ]),
    ),
    file(
      'lists outside',
      arrowFile(list(new Float64()), [
        {
          rows: 1,
          nodes: [
            [1, 0],
            [8, 0],
          ],
          buffers: [NONE, offsets(0, 9), NONE, Buffer.alloc(64)],
        },
      ]),
    ),
    file(
      'billions of nothing',
      arrowFile(list(new Null()), [
        {
          rows: 1,
          nodes: [
            [1, 0],
            [2 ** 31 - 1, 0],
          ],
          buffers: [NONE, offsets(0, 2 ** 31 - 1)],
        },
      ]),
    ),
    file(
      'billions of bits',
      arrowFile(list(new Bool()), [
        {
          rows: 1,
          nodes: [
            [1, 0],
            [400 * million, 0],
          ],
          buffers: [
            NONE,
            packed(-1, offsets(0, 400 * million)),
            NONE,
            packed(50 * million, zstdZeros(50 * million)),
          ],
          codec: ZSTD,
        },
      ]),
    ),
    file(
      'lists of billions',
      arrowFile(
        { sharpness: new FixedSizeList(2 ** 31 - 1, new Field('item', new Null(), true)) },
        [
          {
            rows: 4,
            nodes: [
              [4, 0],
              [8, 0],
            ],
            buffers: [NONE],
          },
        ],
      ),
    ),
    file(
      'whole lists of wide structs',
      arrowFile(list(new Struct(fields)), [
        {
          rows: 100_000,
          nodes: [[100_000, 0], [1, 0], ...fields.map(() => [1, 0] as const)],
          buffers: [
            NONE,
            new Uint8Array(Int32Array.from({ length: 100_001 }, (_, i) => Math.min(i, 1)).buffer),
            NONE,
          ],
        },
      ]),
    ),
    file(
      'a dictionary read again and again',
      arrowFile({ sharpness: new Dictionary(new Utf8(), new Int32(), 0) }, [
        {
          rows: 1,
          nodes: [[1, 0]],
          buffers: [
            NONE,
            packed(-1, offsets(0, 60 * million)),
            packed(60 * million, zstdZeros(60 * million)),
          ],
          codec: ZSTD,
          dictionary: 0,
        },
        ...Array<Batch>(1000).fill({ rows: 1, nodes: [[1, 0]], buffers: [NONE, Buffer.alloc(4)] }),
      ]),
    ),
    file(
      'the same batch again and again',
      arrowFile(
        one,
        [{ rows: 1, nodes: [[1, 0]], buffers: [NONE, Buffer.alloc(million)] }],
        20_000,
      ),
    ),
  ];
}
