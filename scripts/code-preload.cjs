// Loaded into commands before all else: notes what V8 has compiled of their modules when a process
// ends, and of a thread, which is ended from outside, again and again.
const { renameSync, writeFileSync } = require('node:fs');
const { join, relative } = require('node:path');
const vm = require('node:vm');
const threads = require('node:worker_threads');

const scripts = new Map();
const { Script } = vm;
vm.Script = class extends Script {
  constructor(source, options) {
    super(source, options);
    scripts.set(options.filename, this);
  }
};

const own = join(__dirname, '../dist/eos');
function note() {
  for (const [path, script] of scripts) {
    const bytes = script.createCachedData();
    const module = relative(own, path).replaceAll(/[/\\]/g, '+');
    // The number stands for the flags of V8, which bytecode must be taken under.
    const name = [process.pid, threads.threadId, bytes.readUInt32LE(12), module].join(' ');
    const file = join(process.env.EOS_CODE, name);
    writeFileSync(file, bytes);
    // A thread may be ended in the middle.
    renameSync(file, `${file}.code`);
  }
}

if (threads.isMainThread) {
  process.on('exit', note);
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(...args) {
      // With the first thread flags of the process change.
      note();
      super(...args);
    }
  };
} else setInterval(note, 20).unref();
