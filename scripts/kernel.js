// Compiles the kernels to WebAssembly, as modules of their bytes: loaded alike in Node and in a
// browser's worker, with nothing to fetch.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

for (const folder of process.argv.slice(2)) {
  /** @type {Uint8Array | undefined} */
  let wasm;
  const { error, stderr } = await asc.main(
    [
      `${folder}/kernel/index.ts`,
      ...['--baseDir', root, '--outFile', 'kernel.wasm'],
      ...['-O3', '--enable', 'simd', '--runtime', 'stub', '--noAssert', '--use', 'abort='],
      // Vectors pass between functions of a kernel only.
      ...['--disableWarning', '112'],
    ],
    {
      writeFile(name, contents) {
        if (name === 'kernel.wasm') wasm = /** @type {Uint8Array} */ (contents);
      },
    },
  );
  if (error || !wasm) {
    process.stderr.write(`${stderr.toString()}${error ?? ''}\n`);
    process.exit(1);
  }
  writeFileSync(
    join(root, folder, 'kernel-bytes.ts'),
    `// Made from kernel/ by scripts/kernel.js.\nexport const KERNEL_BYTES: string =\n  ` +
      `'${Buffer.from(wasm).toString('base64')}';\n`,
  );
}
