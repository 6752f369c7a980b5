// Loads the modules of dist/eos with the bytecode that the build has kept of them: to compile them
// takes longer than most commands do.
const { openSync, readFileSync, readSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname, join, resolve } = require('node:path');
const { Script } = require('node:vm');
const { isMainThread } = require('node:worker_threads');

const folder = join(__dirname, '..', 'dist', 'eos');
const requireOther = createRequire(join(folder, 'main.cjs'));
const loaded = new Map();
/** V8 has other flags in threads, and other bytecode with them. */
const thread = isMainThread ? 'main' : 'thread';
const code = keptCode();

/** What a module exports, by its path in dist/eos. */
exports.load = (path) => load(join(folder, path));

function load(path) {
  const known = loaded.get(path);
  if (known) return known.exports;
  const module = { exports: {} };
  loaded.set(path, module);
  try {
    compile(path).runInThisContext()(
      module.exports,
      requireFrom(path),
      module,
      path,
      dirname(path),
    );
  } catch (error) {
    loaded.delete(path);
    throw error;
  }
  return module.exports;
}

function compile(path) {
  const text = readFileSync(path, 'utf8');
  return new Script(`(function(exports,require,module,__filename,__dirname){${text}\n})`, {
    filename: path,
    cachedData: code(`${thread} ${path.slice(folder.length + 1)}`),
  });
}

function requireFrom(path) {
  const require = (id) => {
    const at = id.startsWith('.') ? resolve(dirname(path), id) : id;
    return at.startsWith(folder) && at.endsWith('.cjs') ? load(at) : requireOther(at);
  };
  return Object.assign(require, { resolve: requireOther.resolve });
}

/**
 * The bytecode of a module. It fits one version of V8 alone, and V8 takes no other: where there is
 * none that fits, the module is compiled.
 */
function keptCode() {
  try {
    const file = openSync(join(folder, 'code.bin'));
    const read = (length, at) => {
      const bytes = Buffer.allocUnsafeSlow(length);
      return readSync(file, bytes, 0, length, at) === length ? bytes : undefined;
    };
    const start = 4 + read(4, 0).readUInt32LE();
    const { engine, modules } = JSON.parse(read(start - 4, 4).toString());
    if (engine !== `${process.versions.v8} ${process.platform} ${process.arch}`) return () => {};
    return (module) => {
      const [from, length] = modules[module] ?? [];
      return length && read(length, start + from);
    };
  } catch {
    return () => {};
  }
}
