// Packs data/digits.csv.gz into a module: five bits a pixel, then the digit, an image after the
// other.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const text = gunzipSync(readFileSync(join(root, 'data/digits.csv.gz'))).toString();
const images = text
  .trim()
  .split('\n')
  .map((line) => line.split(',').map(Number));

const BYTES = 41;
const packed = Buffer.alloc(images.length * BYTES);
images.forEach((image, i) => {
  image.slice(0, 64).forEach((pixel, p) => {
    for (let bit = 0; bit < 5; bit++) {
      const at = 5 * p + bit;
      packed[i * BYTES + (at >> 3)] |= ((pixel >> bit) & 1) << (at & 7);
    }
  });
  packed[i * BYTES + 40] = image[64];
});
writeFileSync(
  join(root, 'src/pipeline/models/network/data/digits-bytes.ts'),
  `// Made from data/digits.csv.gz by scripts/digits.js.\nexport const DIGITS_BYTES: string =\n  ` +
    `'${packed.toString('base64')}';\n`,
);
