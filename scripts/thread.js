// Makes one file of the thread that computes parts of a sweep, and one of the writer that it loads
// with its first part: as some sixty modules they take as long to load as hundreds of runs take to
// compute.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { thirdPartyLicences } from './third-party.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
await build({
  configFile: false,
  root,
  logLevel: 'warn',
  publicDir: false,
  plugins: thirdPartyLicences().page,
  // Programs of others stay where npm has put them, but for those of many small modules.
  ssr: { noExternal: [/^hyparquet/] },
  build: {
    ssr: 'dist/cli/sweep/part-thread.js',
    outDir: 'dist/cli/sweep',
    emptyOutDir: false,
    target: 'node20',
    minify: false,
    rolldownOptions: {
      output: { entryFileNames: 'part-thread.js', chunkFileNames: 'part-thread/[name].js' },
    },
  },
});
