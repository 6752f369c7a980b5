// Writes the table of docs/detect.md that says how often a verdict of a confidence is right.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { status } = spawnSync(
  'npx',
  ['vitest', 'run', 'test/sources/training-log/calibration.long.test.ts'],
  {
    cwd: join(dirname(fileURLToPath(import.meta.url)), '..'),
    stdio: 'inherit',
    env: { ...process.env, EOS_CALIBRATE: '1' },
  },
);
process.exit(status ?? 1);
