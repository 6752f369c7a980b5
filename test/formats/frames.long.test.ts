import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decoderOf } from '../../src/pipeline/formats/all-codecs.ts';
import { unpackLz4 } from '../../src/pipeline/formats/arrow/lz4-frame.ts';
import { xxhash32 } from '../../src/pipeline/formats/arrow/xxhash32.ts';
import { temporaryFolder } from '../setup/eos.ts';
import { describeWith, python } from '../setup/parts.ts';

/**
 * A frame of blocks, each stored, or one literal and copies of what stands `distance` bytes before.
 */
type Block =
  | { readonly stored: Uint8Array }
  | { readonly literal: number; readonly distance: number; readonly count: number };

const END = [0, 0, 0, 0];
const header = [0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0];
const uint32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];

function lz4Frame(blocks: readonly Block[]): Uint8Array {
  const parts = blocks.flatMap((block) => {
    if ('stored' in block) return [...uint32(2 ** 31 + block.stored.length), ...block.stored];
    const { literal, distance, count } = block;
    const copied = count - 4;
    const extra =
      copied < 15
        ? []
        : [...new Array(Math.floor((copied - 15) / 255)).fill(255), (copied - 15) % 255];
    const content = [
      0x10 | Math.min(15, copied),
      literal,
      distance & 255,
      distance >> 8,
      ...extra,
      0x10,
      literal,
    ];
    return [...uint32(content.length), ...content];
  });
  return Uint8Array.from([...header, ...parts, ...END]);
}

function plain(blocks: readonly Block[]): number[] {
  const out: number[] = [];
  for (const block of blocks) {
    if ('stored' in block) out.push(...block.stored);
    else {
      out.push(block.literal);
      for (let i = 0; i < block.count; i++) out.push(out[out.length - block.distance]!);
      out.push(block.literal);
    }
  }
  return out;
}

const frames = fc
  .array(
    fc.record({
      stored: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      literal: fc.nat(255),
      back: fc.double({ min: 0, max: 1, noNaN: true }),
      count: fc.integer({ min: 4, max: 700 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((items) => {
    const blocks: Block[] = [];
    items.forEach(({ stored, literal, back, count }, i) => {
      const before = plain(blocks).length + 1;
      blocks.push(
        i % 3 === 0
          ? { stored }
          : { literal, distance: 1 + Math.floor(back * (before - 1)), count },
      );
    });
    return blocks;
  });

describe('XXH32', () => {
  test.each([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ])('of %j is what its authors say', (text, expected) => {
    expect(xxhash32(new TextEncoder().encode(text))).toBe(expected);
  });
});

test('an LZ4 frame with checksums is refused with any of its bits flipped', () => {
  const stored = Uint8Array.from({ length: 40 }, (_, i) => (i * 37) & 255);
  const head = [0x54, 0x40];
  const frame = Uint8Array.from([
    ...[...header.slice(0, 4), ...head, (xxhash32(Uint8Array.from(head)) >> 8) & 255],
    ...[...uint32(2 ** 31 + stored.length), ...stored, ...uint32(xxhash32(stored))],
    ...[...END, ...uint32(xxhash32(stored))],
  ]);
  expect(unpackLz4(frame, stored.length)).toEqual(stored);
  for (let bit = 0; bit < 8 * frame.length; bit++) {
    const spoiled = frame.slice();
    spoiled[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => unpackLz4(spoiled, stored.length), `bit ${bit}`).toThrow('LZ4');
  }
});

describe('an LZ4 frame', () => {
  test('of blocks that copy from the ones before unpacks to the same bytes', () => {
    fc.assert(
      fc.property(frames, (blocks) => {
        const expected = plain(blocks);
        expect([...unpackLz4(lz4Frame(blocks), expected.length)]).toEqual(expected);
      }),
    );
  });

  test('is refused where it is cut off, or of another length', () => {
    fc.assert(
      fc.property(frames, fc.nat(), fc.constantFrom(-1, 1, 100), (blocks, cut, more) => {
        const frame = lz4Frame(blocks);
        const { length } = plain(blocks);
        expect(() => unpackLz4(frame.slice(0, cut % frame.length), length)).toThrow('LZ4');
        expect(() => unpackLz4(frame, Math.max(0, length + more))).toThrow('LZ4');
      }),
    );
  });

  test('copies from nothing that stands before it', () => {
    const frame = lz4Frame([{ literal: 1, distance: 2, count: 4 }]);
    expect(() => unpackLz4(frame, 6)).toThrow('copy from nowhere');
  });
});

const WRITE = `
import sys, json, numpy as np, pyarrow as pa
folder = sys.argv[1]
rng = np.random.default_rng(5)
pieces = [b"", b"a", bytes(1000), bytes(300000), np.arange(40000).tobytes(), (1 / (1 + np.arange(50000))).tobytes(),
          rng.bytes(200000), rng.integers(0, 4, 100000, dtype=np.uint8).tobytes(),
          " ".join("run %d of %d" % (i % 7, i) for i in range(60000)).encode()]
for k in range(36):
    m = int(rng.integers(1, 60000))
    x = rng.integers(0, int(rng.integers(1, 257)), m).astype(np.uint8)
    pieces.append([x, np.minimum(rng.geometric(0.1, m), 255).astype(np.uint8), np.sort(x), np.tile(x[:97], m // 97 + 1),
                   np.cumsum(rng.normal(size=m)).astype(np.float32).view(np.uint8), np.repeat(x[:500], rng.integers(1, 900))][k % 6].tobytes())
for i, piece in enumerate(pieces):
    open("%s/%d.plain" % (folder, i), "wb").write(piece)
    codecs = {"lz4": pa.Codec("lz4"), **{"zstd%d" % level: pa.Codec("zstd", compression_level=level) for level in (-5, 1, 3, 9, 19)}}
    for name, codec in codecs.items():
        open("%s/%d.%s" % (folder, i, name), "wb").write(codec.compress(piece).to_pybytes())
print(len(pieces))
`;

describeWith(['python'], 'frames of the reference programs', () => {
  test('unpack to the same bytes at every level, and damaged ones are refused', async () => {
    const folder = temporaryFolder();
    expect(await python(WRITE, [folder])).toBe(45);
    const names = readdirSync(folder).filter((name) => !name.endsWith('plain'));
    expect(names).toHaveLength(45 * 6);
    const unpackZstd = await decoderOf('ZSTD');
    let refused = 0;
    for (const [n, name] of names.entries()) {
      const [piece, codec] = name.split('.') as [string, string];
      const unpack = codec === 'lz4' ? unpackLz4 : unpackZstd;
      const frame = new Uint8Array(readFileSync(join(folder, name)));
      const expected = readFileSync(join(folder, `${piece}.plain`));
      expect(Buffer.compare(unpack(frame, expected.length), expected), name).toBe(0);
      expect(() => unpack(frame, expected.length + 1), name).toThrow(/LZ4|do not unpack/);
      for (let i = 0; i < 8; i++) {
        const damaged = frame.slice();
        // Most often near the beginning, where the tables are.
        const at = Math.floor(frame.length * (((i * 37 + n) % 100) / 100) ** 3);
        damaged[at]! ^= 1 << (i % 8);
        try {
          unpack(damaged, expected.length);
        } catch (error) {
          expect((error as Error).message, name).toMatch(/LZ4|unpack/);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(400);
  });
});

describe('a Zstandard frame', () => {
  const unpack = decoderOf('ZSTD');

  test('that copies without end is refused at once', async () => {
    // 40,000 copies of 65,539 bytes, in two bytes each.
    const count = 40_000;
    const bits = new Uint8Array(2 * count + 1);
    bits[2 * count] = 1;
    const content = [
      8,
      0x41,
      255,
      (count - 0x7f00) & 255,
      (count - 0x7f00) >> 8,
      0b01010100,
      0,
      0,
      52,
      ...bits,
    ];
    const head = [0x28, 0xb5, 0x2f, 0xfd, 0xa0, ...uint32(1 << 20)];
    const size = (content.length << 3) | 5;
    const frame = Uint8Array.from([...head, size & 255, (size >> 8) & 255, size >> 16, ...content]);
    const zstd = await unpack;
    expect(() => zstd(frame, 1 << 20)).toThrow('do not unpack');
  });

  test.each([
    ['nothing of the kind', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ['cut off', [0x28, 0xb5, 0x2f, 0xfd]],
    ['a dictionary', [0x28, 0xb5, 0x2f, 0xfd, 0x21, 1, 8, 1, 0, 0]],
    ['a block without end', [0x28, 0xb5, 0x2f, 0xfd, 0x20, 8, 0xfd, 0xff, 0xff, 0]],
  ])('of %s is refused', async (_, bytes) => {
    const zstd = await unpack;
    expect(() => zstd(Uint8Array.from(bytes), 8)).toThrow('do not unpack');
  });

  test('may stand among others, and among those that are skipped', async () => {
    const one = (value: number) => [0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, (4 << 3) | 3, 0, 0, value];
    const frames = [...one(7), 0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9, ...one(8)];
    const out = (await unpack)(Uint8Array.from(frames), 8);
    expect([...out]).toEqual([7, 7, 7, 7, 8, 8, 8, 8]);
  });
});
