// Builds the programs of others into the library, so that whoever installs it installs few
// packages. Then makes one file each of what would take long to load as many modules: oclif, which
// every command needs, and the thread that computes parts of a sweep.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import { build } from 'vite';
import { thirdPartyLicences, writeLicences } from './third-party.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Short, so that it is soon parsed; names stay, since errors are told apart by them. */
const minify = { compress: true, codegen: true, mangle: false };

/**
 * @param noExternal whether what npm has installed is built in
 * @param external which of our own modules stay outside
 */
async function bundle(folder, name, { noExternal = [], external, banner = '' }) {
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    plugins: noExternal === true ? thirdPartyLicences().page : [],
    ssr: { noExternal },
    build: {
      ssr: `${folder}/${name}.js`,
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      minify: false,
      rolldownOptions: {
        external,
        output: {
          entryFileNames: `${name}.js`,
          chunkFileNames: `${name}/[name].js`,
          minify,
          banner,
        },
      },
    },
  });
}

/** Packages of others that are built in. What has to be one with its user's stays outside. */
const INNER = /^(apache-arrow|flatbuffers|hyparquet|hyparquet-(compressors|writer)|zstddec)(\/|$)/;

const LIBRARY = 'dist/pipeline';
const IMPORT = /\b(?:from|import)\s*\(?\s*'([\w@./-]+)'/g;
const filesOf = (folder) =>
  readdirSync(join(root, folder), { recursive: true }).map((path) => join(folder, path));
const importsOf = (path) => [...readFileSync(path, 'utf8').matchAll(IMPORT)].map(([, id]) => id);

/** Makes the modules that import these packages one with what they take; returns their paths. */
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
  return new Set(modules.map((path) => join(root, path)));
}

/** Our own modules, and what npm installs beside us, are imported from where they are. */
function keepOurs({ onResolve }) {
  onResolve({ filter: /.*/ }, ({ kind, importer, path }) => {
    if (kind === 'entry-point') return undefined;
    const ours = !importer.includes('node_modules');
    return ours && !INNER.test(path) ? { path, external: true } : undefined;
  });
}

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

const whole = await buildIn();
tidyDeclarations();
await bundle('dist/cli/sweep', 'part-thread', { external: (id) => whole.has(id) });

// oclif reads the package file in the folder above its own: here that of this package.
const banner = `import { createRequire as requireFrom } from 'node:module';
const require = requireFrom(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname.slice(0, -'/cli'.length);`;
await bundle('dist/cli', 'oclif', { noExternal: true, banner });
