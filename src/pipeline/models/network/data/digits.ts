import { bytesOf } from '../../../core/base64.ts';
import { ConfigError } from '../../../core/parameters.ts';
import type { NamedData } from './data-set.ts';
import { DIGITS_BYTES } from './digits-bytes.ts';

const COUNT = 1797;
const PIXELS = 64;
const BYTES = 41;

/**
 * The first N of 1797 handwritten digits of 8 × 8 pixels, scaled to [−1, 1] (UCI, CC BY 4.0; see
 * data/digits.md).
 */
export const digits: NamedData = {
  name: 'digits',
  usage: 'digits[:N]',
  meaning: 'the first N of 1797 handwritten digits of 8 × 8 pixels',
  make([count = COUNT, ...more]) {
    if (count > COUNT || more.length > 0) {
      throw new ConfigError('data', `digits takes a number of images up to ${COUNT}: digits:200`);
    }
    const packed = bytesOf(DIGITS_BYTES);
    const inputs = new Float64Array(count * PIXELS);
    const targets = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      for (let p = 0; p < PIXELS; p++) {
        const bit = 5 * p;
        const at = i * BYTES + (bit >> 3);
        const pixel = ((packed[at]! | (packed[at + 1]! << 8)) >> (bit & 7)) & 31;
        inputs[i * PIXELS + p] = pixel / 8 - 1;
      }
      targets[i] = packed[i * BYTES + BYTES - 1]!;
    }
    return {
      count,
      inputs,
      targets,
      inputWidth: PIXELS,
      outputWidth: 10,
      classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    };
  },
};
