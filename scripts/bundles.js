// Makes one program of the command line in dist/eos, with the programs of others that it cannot do
// without: as some four hundred modules they take longer to load than most commands take. Then
// builds the programs of others into the library, so that whoever installs it installs few
// packages.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import { build } from 'vite';
import { thirdPartyLicences, writeLicences } from './third-party.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const from = 'dist/cli';
const to = 'dist/eos';

/** Short, so that it is soon parsed; names of classes stay: errors are told apart by them. */
const minify = {
  compress: true,
  codegen: true,
  mangle: { keepNames: { class: true, function: false } },
};

/** Packages that stay where npm puts them: what is asked for where it is needed alone. */
const { dependencies, peerDependencies } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);
const external = Object.keys({ ...dependencies, ...peerDependencies }).filter(
  (name) => name !== 'rxjs',
);

/** Large modules that stand alone, of others and of numbers: the library's own are taken. */
const SHARED = /dist.pipeline.*(formats.shared-\w+|digits-bytes)\.js$/;

/** Programs that run beside a command, as processes and threads of their own. */
const PROGRAMS = [
  'encoder/encoder-thread',
  'sweep/part-thread',
  'reader/reader-process',
  'reader/reader-watch',
];

/** What is loaded by its path: by `bin/run.js`, by oclif, and as a program. */
const entries = [
  ...['main.js', 'missing-package.js'],
  ...PROGRAMS.map((name) => `${name}.js`),
  ...['commands', 'hooks'].flatMap((folder) =>
    readdirSync(join(root, from, folder), { recursive: true })
      .filter((file) => file.endsWith('.js'))
      .map((file) => join(folder, file)),
  ),
];

// oclif reads the package file in the folder above its own.
const banner = "__dirname = __dirname.slice(0, -'/chunks'.length);";

/** A program's own module stands apart: in its place is what loads it with its bytecode. */
const keyOf = (name) => (PROGRAMS.includes(name) ? `programs/${name}` : name);

async function buildProgram() {
  rmSync(join(root, to), { recursive: true, force: true });
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    plugins: thirdPartyLicences().page,
    // What is not used of it goes, which CommonJS does not let.
    resolve: { alias: { rxjs: join(root, 'node_modules/rxjs/dist/esm/index.js') } },
    ssr: { noExternal: true, external },
    build: {
      ssr: true,
      outDir: to,
      target: 'node20',
      minify: false,
      rolldownOptions: {
        external: (id) => SHARED.test(id),
        input: Object.fromEntries(
          entries.map((entry) => [keyOf(entry.slice(0, -'.js'.length)), join(root, from, entry)]),
        ),
        output: {
          // `bin/load.js` loads it, with bytecode, which Node does of CommonJS alone.
          format: 'cjs',
          exports: 'named',
          dynamicImportInCjs: false,
          entryFileNames: '[name].cjs',
          chunkFileNames: 'chunks/[name].cjs',
          // What many programs share is loaded at once: opening a file takes longer than parsing.
          codeSplitting: {
            groups: [
              { name: 'oclif', test: /@oclif/, priority: 1 },
              { name: 'common', test: /dist.(cli|pipeline)|rxjs/, minShareCount: 30 },
            ],
          },
          minify,
          banner: ({ moduleIds }) => (moduleIds.some((id) => id.includes('@oclif')) ? banner : ''),
        },
      },
    },
  });
}

function writeStarts() {
  for (const name of PROGRAMS) {
    const path = join(root, to, `${name}.cjs`);
    const up = relative(dirname(path), join(root, 'bin/load.js'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `require('${up}').load('programs/${name}.cjs');\n`);
  }
}

/** Packages of others that are built in. What has to be one with its user's stays outside. */
const INNER = /^(apache-arrow|flatbuffers|hyparquet|hyparquet-(compressors|writer)|zstddec)(\/|$)/;

const LIBRARY = 'dist/pipeline';
const IMPORT = /\b(?:from|import)\s*\(?\s*'([\w@./-]+)'/g;
const filesOf = (folder) =>
  readdirSync(join(root, folder), { recursive: true }).map((path) => join(folder, path));
const importsOf = (path) => [...readFileSync(path, 'utf8').matchAll(IMPORT)].map(([, id]) => id);

/** Makes the modules that import these packages one with what they take. */
async function buildIn() {
  const modules = filesOf(LIBRARY)
    .filter((path) => path.endsWith('.js'))
    .filter((path) => importsOf(join(root, path)).some((id) => INNER.test(id)));
  const { metafile } = await esbuild({
    absWorkingDir: root,
    entryPoints: modules,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    conditions: ['import', 'browser'],
    mainFields: ['module', 'main'],
    target: 'es2022',
    minifySyntax: true,
    minifyWhitespace: true,
    outdir: LIBRARY,
    outbase: LIBRARY,
    chunkNames: 'formats/shared-[hash]',
    allowOverwrite: true,
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [{ name: 'eos:ours-as-it-is', setup: keepOurs }],
  });
  writeLicences(LIBRARY, Object.keys(metafile.inputs));
}

/** Small ones, of which programs that bundle would make a file of its own, are built in. */
const SMALL = /concat-bytes\.js$/;

/** Our own modules, and what npm installs beside us, are imported from where they are. */
function keepOurs({ onResolve }) {
  onResolve({ filter: /.*/ }, ({ kind, importer, path }) => {
    if (kind === 'entry-point') return undefined;
    const ours = !importer.includes('node_modules');
    return ours && !INNER.test(path) && !SMALL.test(path) ? { path, external: true } : undefined;
  });
}

/** What a page loads of the library only where it needs it. */
const LATER = ['sources/descent/all-descent.js', 'models/minimal/row-agreement.js'];

/**
 * Makes modules that stand alone of these. Programs that bundle split by files: what such a module
 * and any export of the library import would go into what the page loads first.
 */
const buildLater = () =>
  esbuild({
    absWorkingDir: root,
    entryPoints: LATER.map((name) => join(LIBRARY, name)),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    minifySyntax: true,
    minifyWhitespace: true,
    outdir: LIBRARY,
    outbase: LIBRARY,
    allowOverwrite: true,
    logLevel: 'warning',
  });

/**
 * Takes away the declarations that no public one refers to, and gives the types of hyparquet a file
 * of ours.
 */
function tidyDeclarations() {
  const { exports, peerDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const types = join(root, LIBRARY, 'formats/parquet/hyparquet-types.d.ts');
  const source = 'node_modules/hyparquet/src/types.d.ts';
  writeFileSync(types, readFileSync(join(root, source), 'utf8'));
  const kept = new Set(
    Object.values(exports).flatMap(({ types }) => (types ? [join(root, types)] : [])),
  );
  for (const path of kept) {
    const folder = dirname(path);
    const text = readFileSync(path, 'utf8').replaceAll(
      "'hyparquet'",
      `'./${relative(folder, types).replace(/\.d\.ts$/, '.js')}'`,
    );
    writeFileSync(path, text);
    for (const id of importsOf(path)) {
      if (id.startsWith('.')) kept.add(join(folder, id.replace(/\.[jt]s$/, '.d.ts')));
      else if (!(id in peerDependencies)) throw new Error(`${path} is typed by ${id}`);
    }
  }
  for (const path of ['dist/cli', 'dist/dash', LIBRARY].flatMap(filesOf)) {
    if (path.endsWith('.d.ts') && !kept.has(join(root, path))) rmSync(join(root, path));
  }
}

await buildIn();
await buildLater();
tidyDeclarations();
await buildProgram();
writeStarts();
