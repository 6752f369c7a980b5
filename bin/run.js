#!/usr/bin/env node
const { setFlagsFromString } = require('node:v8');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`eos: needs Node ≥ 20.19; this is ${process.version}\n`);
  process.exit(1);
}

// What V8 is told must be said before anything else is loaded. Versions to come may not know these
// words, and would complain of them at each start.
if (major < 25) {
  // The nursery of V8's heap grows with what is loaded and never shrinks; at its first size it
  // serves as well, and a long run stays some 15 MB smaller.
  setFlagsFromString('--semi-space-growth-factor=1');
  // Threads collect their whole heap once it holds so many megabytes. By itself V8 does at some 16
  // of them: in a sweep of networks, whose memories count, nearly twice as often, and each time it
  // drops compiled code.
  setFlagsFromString('--initial-old-space-size=48');
}
// Eight times what V8 takes: what a command runs for less is done before it has been made fast, and
// each thread does that anew. Node 22 does not know the word any more.
if (major < 22) setFlagsFromString('--interrupt-budget=540672');
const { load } = require('./load.js');

async function run() {
  try {
    await load('main.cjs').run();
  } catch (error) {
    const line = load('missing-package.cjs').missingPackage(error);
    if (line === undefined) throw error;
    process.stderr.write(`eos: ${line}\n`);
    process.exitCode = 2;
  }
}

run();
