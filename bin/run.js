#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`eos: needs Node ≥ 20.19; this is ${process.version}\n`);
  process.exit(1);
}

// Before anything else is loaded.
require('./v8.js');
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
