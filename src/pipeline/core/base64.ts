/** The bytes that a text in base64 stands for. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** The bytes of numbers, in base64. */
export function base64Of({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  // A checkpoint of a network holds megabytes: Node has a faster way.
  if (typeof Buffer === 'function')
    return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let letters = '';
  for (let i = 0; i < bytes.length; i += 8192)
    letters += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(letters);
}
