// Keeps the bytecode of what the commands run in dist/eos/code.bin: `bin/load.js` takes it from
// there. It is what V8 has compiled when a few of them have been run, once each.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const preload = join(root, 'scripts/code-preload.cjs');
const folder = mkdtempSync(join(tmpdir(), 'eos-code-'));

const COMMANDS = [
  ['--help'],
  ['completion', 'bash'],
  ['stream', '--out', join(folder, 'run.parquet')],
  ['stream', '--steps', '100', '--dry-run'],
  ['inspect', join(folder, 'run.parquet')],
  ['sweep', '--eta', '0.01:0.5:log:60', '--lambda2', '0.001:1:log:20', '--steps', '2000'],
];

try {
  const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('EOS_'));
  const options = `--require ${JSON.stringify(preload)}`;
  const env = { ...Object.fromEntries(outside), EOS_CODE: folder, NODE_OPTIONS: options };
  for (const [name, ...words] of COMMANDS) {
    const out = name === 'sweep' ? ['--out', join(folder, 'sweep')] : [];
    const args = [join(root, 'bin/run.js'), name, ...words, ...out];
    execFileSync(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  }
  writeFileSync(join(root, 'dist/eos/code.bin'), together());
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Of each module the most that was compiled of it in the main thread of a command, and in a thread
 * of a sweep, behind a list of where they stand: V8 takes bytecode only under the flags that it was
 * made under, and with the first thread they change. What reads the files of others has a heap of
 * a size of its own, and nothing is kept for it.
 */
function together() {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.code'))
    .map((file) => {
      const [, thread, flags, name] = file.slice(0, -'.code'.length).split(' ');
      const module = `${thread === '0' ? 'main' : 'thread'} ${name.replaceAll('+', '/')}`;
      return { module, flags, bytes: readFileSync(join(folder, file)) };
    });
  const best = new Map();
  for (const entry of ['main commands/completion.cjs', 'thread programs/sweep/part-thread.cjs']) {
    const [kind] = entry.split(' ');
    // A thread may have ended before it was noted: its modules are compiled then.
    const flags = files.find(({ module }) => module === entry)?.flags;
    for (const { module, bytes } of files.filter((file) => file.flags === flags))
      if (module.startsWith(`${kind} `) && bytes.length > (best.get(module)?.length ?? 0))
        best.set(module, bytes);
  }
  let at = 0;
  const modules = {};
  for (const [module, { length }] of [...best].sort()) {
    modules[module] = [at, length];
    at += length;
  }
  const engine = `${process.versions.v8} ${process.platform} ${process.arch}`;
  const head = Buffer.from(JSON.stringify({ engine, modules }));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(head.length);
  return Buffer.concat([size, head, ...Object.keys(modules).map((module) => best.get(module))]);
}
