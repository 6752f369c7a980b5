// The licences of the programs that we pass on: those bundled into the page, into one-file pages,
// into the command line and into the thread of sweeps, with their texts, and a table of those that
// npm installs beside us.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Name of the file that each bundle carries. */
export const LICENCE_FILE = 'assets/third-party-licences.txt';

/** Name of the file in the package. */
const PACKAGE_FILE = 'THIRD_PARTY.md';

/**
 * Folders of the package that hold bundles; `dist/page-single` is the page of `dist/page` once
 * more.
 */
const BUNDLES = ['dist/page', 'dist/eos', 'dist/pipeline'];

/**
 * The package that a module of a bundle belongs to, or undefined for our own and for the bundler's.
 */
function packageOf(module) {
  const path = module.replace(/^\0/, '').split('?')[0].replaceAll('\\', '/');
  const at = path.lastIndexOf('/node_modules/');
  if (at < 0) return undefined;
  const [scope, name] = path.slice(at + '/node_modules/'.length).split('/');
  const folder = scope.startsWith('@') ? `${scope}/${name}` : scope;
  return join(path.slice(0, at), 'node_modules', folder);
}

/** What a package says of itself, and the text of its licence. */
function describe(folder) {
  const { name, version, license, licenses } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return {
    name,
    version,
    licence: license?.type ?? license ?? licenses?.map(({ type }) => type).join(' OR '),
    text: texts.join('\n\n'),
  };
}

/** These packages with all that they depend on: some come with their dependencies built in. */
function withDependencies(folders) {
  const all = new Set();
  const visit = (folder) => {
    if (all.has(folder)) return;
    all.add(folder);
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    for (const name of Object.keys(dependencies)) {
      const places = [join(folder, 'node_modules', name), join(root, 'node_modules', name)];
      const place = places.find((path) => existsSync(path));
      if (place !== undefined && !name.startsWith('@types/')) visit(place);
    }
  };
  folders.forEach(visit);
  return [...all];
}

const LINE = '-'.repeat(78);

function licenceText(folders) {
  const packages = withDependencies(folders)
    .map(describe)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const silent = packages.filter(({ licence }) => licence === undefined);
  if (silent.length > 0) throw new Error(`no licence in ${silent.map(({ name }) => name)}`);
  const sections = packages.map(({ name, version, licence, text }) =>
    [LINE, `${name} ${version} (${licence})`, text].filter(Boolean).join('\n\n'),
  );
  const head =
    'The files beside this folder contain the following programs of others, or parts of them.';
  return `${[head, ...sections].join('\n\n')}\n`;
}

/**
 * Plugins for Vite that write the licences of all that a page and its workers bundle beside the
 * page.
 *
 * @returns {{ page: import('vite').Plugin[], worker: import('vite').Plugin[] }}
 */
export function thirdPartyLicences() {
  const folders = new Set();
  const collect = {
    name: 'eos:collect-licences',
    generateBundle(_, bundle) {
      for (const output of Object.values(bundle)) {
        for (const module of output.moduleIds ?? []) {
          const folder = packageOf(module);
          if (folder !== undefined) folders.add(folder);
        }
      }
    },
  };
  const write = {
    name: 'eos:write-licences',
    generateBundle: {
      order: 'post',
      handler() {
        this.emitFile({ type: 'asset', fileName: LICENCE_FILE, source: licenceText(folders) });
      },
    },
  };
  return { page: [collect, write], worker: [collect] };
}

/** Writes the licences of all that these modules are of beside the folder that bundles them. */
export function writeLicences(folder, modules) {
  const packages = new Set(modules.map((path) => packageOf(join(root, path))));
  packages.delete(undefined);
  mkdirSync(join(root, folder, dirname(LICENCE_FILE)), { recursive: true });
  writeFileSync(join(root, folder, LICENCE_FILE), licenceText([...packages]));
}

/** The packages whose licences the bundles carry. */
export function bundledPackages() {
  const heading = new RegExp(`^${LINE}\\n\\n(\\S+) (\\S+) \\(`, 'gm');
  const found = BUNDLES.flatMap((folder) => [
    ...readFileSync(join(root, folder, LICENCE_FILE), 'utf8').matchAll(heading),
  ]);
  const versions = new Map(
    found.map(([, name, version]) => [`${name} ${version}`, { name, version }]),
  );
  return [...versions.values()];
}

/**
 * Every package that npm installs with this one or asks its user for; builds for one platform count
 * with it.
 */
export function runtimePackages() {
  const json = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'));
  const { packages } = json('package-lock.json');
  const { dependencies, peerDependencies } = json('package.json');
  const asked = { ...dependencies, ...peerDependencies };
  const found = new Set();
  const visit = (path) => {
    if (found.has(path)) return;
    found.add(path);
    const entry = packages[path];
    for (const name of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) {
      const place = placeOf(packages, path, name);
      if (place !== undefined) visit(place);
    }
  };
  for (const name of Object.keys(asked)) visit(`node_modules/${name}`);
  return [...found]
    .filter((path) => !packages[path].os && !packages[path].cpu)
    .map((path) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: packages[path].version,
      licence: packages[path].license ?? describe(join(root, path)).licence ?? 'unknown',
      needed: needed(path, asked, dependencies),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function needed(path, asked, dependencies) {
  const name = path.slice('node_modules/'.length);
  if (name in dependencies) return 'by the library';
  return name in asked ? 'as a peer' : 'by one of these';
}

/** Where npm has put a package that another one needs: the nearest folder upwards. */
function placeOf(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, folder.lastIndexOf('/node_modules/'))) {
    const path = `${folder}/node_modules/${name}`;
    if (path in packages) return path;
    if (!folder.includes('/node_modules/')) break;
  }
  return `node_modules/${name}` in packages ? `node_modules/${name}` : undefined;
}

/** THIRD_PARTY.md: the table, and the texts that the bundles carry. */
function writePackageFile() {
  const rows = runtimePackages().map(
    ({ name, version, licence, needed }) => `| ${name} | ${version} | ${licence} | ${needed} |`,
  );
  const texts = BUNDLES.map((folder) => {
    const text = readFileSync(join(root, folder, LICENCE_FILE), 'utf8');
    return `### In \`${folder}\`\n\n\`\`\`text\n${text}\`\`\``;
  });
  const parts = [
    '# Programs of others',
    'Written by `node scripts/third-party.js` with every build.',
    '## Installed beside this package, each with its licence in its own folder',
    ['| package | version | licence | needed |', '|---|---|---|---|', ...rows].join('\n'),
    '## Contained in this package',
    'The font Source Sans 3 is in `assets/fonts`, with its licence.',
    ...texts,
  ];
  writeFileSync(join(root, PACKAGE_FILE), `${parts.join('\n\n')}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writePackageFile();
