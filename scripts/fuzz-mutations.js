// Ways to damage a file: its bytes anywhere, most often near its end where the footer is, or one
// number of a footer.
import fc from 'fast-check';

const place = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0.6, max: 1, noNaN: true }),
);
const length = fc.oneof(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 400 }));
const number = fc.constantFrom(
  0,
  1,
  -1,
  255,
  65_536,
  2 ** 20,
  2 ** 24,
  2 ** 28,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 32,
  2 ** 48,
);

export const mutation = fc.record({
  footer: fc.option(fc.record({ leaf: fc.nat(), value: number }), { freq: 3, nil: null }),
  bytes: fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('flip'), at: place, bit: fc.nat(7) }),
      fc.record({ kind: fc.constant('set'), at: place, byte: fc.nat(255) }),
      fc.record({ kind: fc.constant('number'), at: place, value: number }),
      fc.record({
        kind: fc.constant('varint'),
        at: place,
        length: fc.integer({ min: 1, max: 12 }),
      }),
      fc.record({ kind: fc.constant('cut'), at: place }),
      fc.record({ kind: fc.constant('drop'), at: place, length }),
      fc.record({ kind: fc.constant('copy'), at: place, from: place, length }),
      fc.record({
        kind: fc.constant('repeat'),
        at: place,
        length,
        times: fc.integer({ min: 1, max: 500 }),
      }),
      fc.record({
        kind: fc.constant('fill'),
        at: place,
        length,
        byte: fc.constantFrom(0, 0x7f, 0x80, 0xff),
      }),
    ),
    { maxLength: 4 },
  ),
});

export function mutant({ seed, changeFooter }, { footer, bytes }) {
  let file = footer && changeFooter ? changeFooter(footer) : Buffer.from(seed);
  for (const change of bytes) file = changed(file, change);
  return new Uint8Array(file);
}

function changed(file, { kind, at, bit, byte, value, length, from, times }) {
  const i = Math.min(Math.max(0, file.length - 1), Math.floor(at * file.length));
  const end = Math.min(file.length, i + (length ?? 0));
  switch (kind) {
    case 'cut':
      return file.subarray(0, i);
    case 'drop':
      return Buffer.concat([file.subarray(0, i), file.subarray(end)]);
    case 'repeat':
      return Buffer.concat([
        file.subarray(0, end),
        ...Array(times).fill(file.subarray(i, end)),
        file.subarray(end),
      ]);
    case 'copy': {
      const source = Math.floor(from * file.length);
      return Buffer.concat([
        file.subarray(0, i),
        file.subarray(source, source + length),
        file.subarray(i),
      ]);
    }
  }
  const copy = Buffer.from(file);
  if (kind === 'flip' && copy.length > 0) copy[i] ^= 1 << bit;
  if (kind === 'set' && copy.length > 0) copy[i] = byte;
  if (kind === 'fill') copy.fill(byte, i, end);
  if (kind === 'varint') copy.fill(0xff, i, Math.min(file.length, i + length));
  if (kind === 'number' && i + 8 <= copy.length) copy.writeBigInt64LE(BigInt(value), i);
  return copy;
}
