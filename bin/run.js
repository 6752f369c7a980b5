#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`eos: needs Node ≥ 20.19; this is ${process.version}\n`);
  process.exit(1);
}

// The nursery of V8's heap grows with what is loaded and never shrinks; at its first size it serves
// as well, and a long run stays some 15 MB smaller. It must be said before anything else is loaded.
setFlagsFromString('--semi-space-growth-factor=1');
try {
  const { run } = await import('../dist/eos/main.js');
  await run();
} catch (error) {
  const { missingPackage } = await import('../dist/eos/missing-package.js');
  const line = missingPackage(error);
  if (line === undefined) throw error;
  process.stderr.write(`eos: ${line}\n`);
  process.exitCode = 2;
}
