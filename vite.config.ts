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

/** What the script of the page begins with is fetched together with it. */
const preloads: Plugin = {
  name: 'preloads',
  transformIndexHtml: {
    order: 'post',
    handler(_, { chunk, bundle }) {
      const files = new Set<string>();
      const take = (file: string): void => {
        const found = bundle?.[file];
        if (found?.type !== 'chunk' || files.has(file)) return;
        files.add(file);
        found.imports.forEach(take);
      };
      const isPage = (file: string) => file.startsWith('assets/main-');
      chunk?.dynamicImports.filter(isPage).forEach(take);
      return [...files].map((file) => ({
        tag: 'link',
        attrs: { rel: 'modulepreload', crossorigin: true, href: `./${file}` },
        injectTo: 'head',
      }));
    },
  },
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
    plugins: [texFormulas(), preloads, ...licences.page],
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
      modulePreload: { polyfill: false, resolveDependencies: () => [] },
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 1000,
      ...(mode === 'single' ? { rolldownOptions: { output: { codeSplitting: false } } } : {}),
    },
  };
});
