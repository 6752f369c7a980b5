// Makes one file each of what would take long to load as many modules: oclif, which every command
// needs, and the thread that computes parts of a sweep, with the writer that it loads with its
// first part.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { thirdPartyLicences } from './third-party.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Short, so that it is soon parsed; names stay, since errors are told apart by them. */
const minify = { compress: true, codegen: true, mangle: false };

/** @param noExternal programs of others that are built in; the rest stays where npm has put it */
async function bundle(folder, name, noExternal, banner = '') {
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    plugins: thirdPartyLicences().page,
    ssr: { noExternal },
    build: {
      ssr: `${folder}/${name}.js`,
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      minify: false,
      rolldownOptions: {
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

await bundle('dist/cli/sweep', 'part-thread', [/^hyparquet/]);

// oclif reads the package file in the folder above its own: here that of this package.
const banner = `import { createRequire as requireFrom } from 'node:module';
const require = requireFrom(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname.slice(0, -'/cli'.length);`;
await bundle('dist/cli', 'oclif', true, banner);
