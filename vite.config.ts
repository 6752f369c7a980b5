import { defineConfig, type Plugin } from 'vite';
import { texFormulas } from './scripts/tex-formulas.js';
import { thirdPartyLicences } from './scripts/third-party.js';

/**
 * Tables are runs to the page: what reads the text of logs there does without all that reads
 * tables.
 */
const withoutTables: Plugin = {
  name: 'without-tables',
  enforce: 'pre',
  resolveId: (source, importer) =>
    source.endsWith('/tables.ts') && importer?.endsWith('training-log/feed.ts')
      ? '\0without-tables'
      : undefined,
  load: (id) =>
    id === '\0without-tables'
      ? "export function readTable() { throw new Error('a table inside of a gzip file; unpack " +
        "it first'); }"
      : undefined,
};

/**
 * The dashboard. `vite build` makes the folder for web servers; `vite build --mode single` the same
 * page as one script and one stylesheet, from which `eos dash build --single-file` makes one HTML
 * file.
 */
export default defineConfig(({ mode }) => {
  const licences = thirdPartyLicences();
  return {
    root: 'src/dash',
    // Relative links, so that the page works under any path.
    base: './',
    publicDir: false,
    plugins: [texFormulas(), ...licences.page],
    worker: {
      format: 'iife',
      plugins: () => [withoutTables, ...licences.worker],
      // Its list of all decoders starts one of them, and so would bring those along that are never
      // called.
      rolldownOptions: {
        treeshake: { moduleSideEffects: [{ test: /hyparquet-compressors/, sideEffects: false }] },
      },
    },
    build: {
      outDir: mode === 'single' ? '../../dist/page-single' : '../../dist/page',
      emptyOutDir: true,
      target: 'es2022',
      // Older targets would rewrite light-dark(), on which both themes stand.
      cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
      // What the script of the page begins with is fetched together with it.
      modulePreload: {
        polyfill: false,
        resolveDependencies: (_, deps, { hostType }) => (hostType === 'html' ? deps : []),
      },
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 1000,
      ...(mode === 'single' ? { rolldownOptions: { output: { codeSplitting: false } } } : {}),
    },
  };
});
