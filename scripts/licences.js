// Writes the table of run-time dependencies into the README: every package that npm installs with this one, its version
// and its licence, and whether it is ours or another's. `--check` only tells whether the table is as it should be.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const BEGIN = '<!-- dependencies: written by scripts/licences.js -->';
const END = '<!-- end of dependencies -->';

/** Every package of the lock file that is not for development alone; builds for one platform count with their package. */
export function runtimePackages() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const direct = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies;
  return Object.entries(packages)
    .filter(
      ([path, entry]) => path !== '' && !entry.dev && !entry.devOptional && !entry.os && !entry.cpu,
    )
    .map(([path, entry]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return {
        name,
        version: entry.version,
        licence: entry.license ?? licenceOf(path),
        direct: path === `node_modules/${name}` && name in direct,
        optional: entry.optional === true,
        script: entry.hasInstallScript === true,
      };
    })
    .sort((a, b) => Number(b.direct) - Number(a.direct) || (a.name < b.name ? -1 : 1));
}

/** Old packages say it in their own package.json only. */
function licenceOf(path) {
  const file = join(root, path, 'package.json');
  if (!existsSync(file)) return 'unknown';
  const { license, licenses } = JSON.parse(readFileSync(file, 'utf8'));
  return license?.type ?? license ?? licenses?.map(({ type }) => type).join(' OR ') ?? 'unknown';
}

export function dependencyTable() {
  const packages = runtimePackages();
  const row = ({ name, version, licence, optional }) =>
    `| ${name}${optional ? ' (optional)' : ''} | ${version} | ${licence} |`;
  const section = (title, list) => [
    `| ${title} | version | licence |`,
    '|---|---|---|',
    ...list.map(row),
  ];
  const direct = packages.filter((entry) => entry.direct);
  const others = packages.filter((entry) => !entry.direct);
  return [
    BEGIN,
    ...section('package', direct),
    '',
    `<details><summary>${others.length} packages that these bring along</summary>`,
    '',
    ...section('package', others),
    '',
    '</details>',
    END,
  ].join('\n');
}

/** The README with the table in it. */
export function withTable(readme) {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < 0) throw new Error(`README.md has no ${BEGIN} … ${END}`);
  return readme.slice(0, begin) + dependencyTable() + readme.slice(end + END.length);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(root, 'README.md');
  const readme = readFileSync(path, 'utf8');
  const written = withTable(readme);
  if (process.argv.includes('--check')) {
    if (written !== readme) {
      console.error(
        'the table of dependencies in README.md is not up to date: node scripts/licences.js',
      );
      process.exit(1);
    }
  } else writeFileSync(path, written);
}
