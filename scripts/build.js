// Builds dist/ where it is older than what it is made of; npm runs this on every `npx`, so it must
// cost nothing then.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const force = process.argv.includes('--force');

/**
 * Newest modification time of a file or of anything in a folder, in milliseconds; 0 where there is
 * none.
 */
function newest(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, script), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** Makes a part of dist unless its stamp is newer than all of its sources. */
function part(name, sources, make) {
  const stamp = join(root, 'dist', `.${name}`);
  const changed = Math.max(...sources.map((source) => newest(join(root, source))));
  if (!force && existsSync(stamp) && statSync(stamp).mtimeMs >= changed) return;
  make();
  writeFileSync(stamp, '');
  const now = new Date();
  utimesSync(stamp, now, now);
}

mkdirSync(join(root, 'dist'), { recursive: true });
run('scripts/registries.js');
const KERNELS = [
  'src/pipeline/models/minimal',
  'src/pipeline/models/network',
  'src/pipeline/formats/parquet',
  'src/pipeline/sweep',
];
part(
  'kernel',
  [...KERNELS.map((folder) => `${folder}/kernel`), 'scripts/kernel.js', 'package.json'],
  () => run('scripts/kernel.js', ...KERNELS),
);
part('digits', ['data/digits.csv.gz', 'scripts/digits.js'], () => run('scripts/digits.js'));
part(
  'lib',
  [
    'src/pipeline',
    'src/cli',
    'src/dash/plots',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts/bundles.js',
    'scripts/code.js',
    'scripts/third-party.js',
  ],
  () => {
    for (const folder of ['pipeline', 'cli', 'dash'])
      rmSync(join(root, 'dist', folder), { recursive: true, force: true });
    run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
    run('scripts/bundles.js');
    run('scripts/manifest.js');
    run('scripts/code.js');
  },
);
part(
  'dash',
  ['src/dash', 'src/pipeline', 'vite.config.ts', 'scripts/third-party.js', 'package.json'],
  () => {
    run('node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn');
    run('node_modules/vite/bin/vite.js', 'build', '--mode', 'single', '--logLevel', 'warn');
  },
);
part('licences', ['dist/.lib', 'dist/.dash', 'package-lock.json'], () =>
  run('scripts/third-party.js'),
);
part('sbom', ['dist/.lib', 'dist/.dash', 'package-lock.json', 'scripts/sbom.js'], () =>
  run('scripts/sbom.js'),
);
