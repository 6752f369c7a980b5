const ROUND_CONSTANTS = fractionalBits(64, 1 / 3);
const INITIAL_HASH = fractionalBits(8, 1 / 2);

/** First 32 fractional bits of the `power`-th power of the first primes, as the standard defines its constants. */
function fractionalBits(count: number, power: number): Int32Array {
  const result = new Int32Array(count);
  let found = 0;
  for (let n = 2; found < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    const value = n ** power;
    result[found++] = ((value - Math.floor(value)) * 2 ** 32) | 0;
  }
  return result;
}

const encoder = new TextEncoder();
const schedule = new Int32Array(64);
const hash = new Int32Array(8);

/** SHA-256 of a text in UTF-8, in hexadecimal: the same in Node and in browsers, and without a promise. */
export function sha256(text: string): string {
  const message = encoder.encode(text);
  const padded = new Uint8Array(((message.length + 72) >> 6) << 6);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(message.length / 2 ** 29));
  view.setUint32(padded.length - 4, message.length << 3);

  const w = schedule;
  hash.set(INITIAL_HASH);
  for (let block = 0; block < padded.length; block += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(block + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15]!;
      const y = w[i - 2]!;
      const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
      const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
      w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
    }
    mix(w);
  }
  let digits = '';
  for (let i = 0; i < 8; i++) digits += (hash[i]! >>> 0).toString(16).padStart(8, '0');
  return digits;
}

function mix(w: Int32Array): void {
  let a = hash[0]!;
  let b = hash[1]!;
  let c = hash[2]!;
  let d = hash[3]!;
  let e = hash[4]!;
  let f = hash[5]!;
  let g = hash[6]!;
  let h = hash[7]!;
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[i]! + w[i]!) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  hash[0]! += a;
  hash[1]! += b;
  hash[2]! += c;
  hash[3]! += d;
  hash[4]! += e;
  hash[5]! += f;
  hash[6]! += g;
  hash[7]! += h;
}

function rotate(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by));
}
