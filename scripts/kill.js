// Kills runs with SIGKILL at random times, recovers and resumes them: 300 times unless another
// number is given.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [kills = '300'] = process.argv.slice(2);
const { status } = spawnSync(
  'npx',
  [
    'vitest',
    'run',
    'test/safety/kill.long',
    'test/safety/library-kill.long',
    '--disable-console-intercept',
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, EOS_KILLS: kills },
  },
);
process.exit(status ?? 1);
