/**
 * A decimal number n / 10^scale as the double nearest to it.
 *
 * @param unscaled n
 */
export function decimalNumber(unscaled: bigint, scale: number): number {
  const number = Number(unscaled);
  // Both are exact, so their quotient is rounded once.
  if (Number.isSafeInteger(number) && scale >= 0 && scale <= 22)
    return number / Number(`1e${scale}`);
  return Number(`${unscaled}e${-scale}`);
}

/** A two's complement number of these bytes, the lowest first. */
export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return BigInt.asIntN(8 * bytes.length, value);
}
