// Takes a dead lock again and again, beside others that do the same, and leaves a dead one each
// time.
//
//   node lock-hammer.mjs LOCK_MODULE PATH DEAD_PID MILLISECONDS
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

// As on a busy network drive: any call may take a while, so that processes come between each
// other's.
for (const name of ['rename', 'link', 'readFile', 'rm', 'stat', 'open']) {
  const real = fs[name];
  fs[name] = async (...args) => {
    if (Math.random() < 0.3) await sleep(Math.random() * 20);
    return real(...args);
  };
}
syncBuiltinESMExports();

const [, , module, path, dead, milliseconds] = process.argv;
const { lockFile } = await import(module);
const space = `${readlinkSync('/proc/self/ns/pid')} ${readlinkSync('/proc/self/ns/time')}`;
const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const end = Date.now() + Number(milliseconds);
/** Locks are open files, which must not be closed by themselves. */
const kept = [];
let taken = 0;
let together = 0;
while (Date.now() < end) {
  try {
    kept.push(await lockFile(path));
  } catch (error) {
    if (error.name !== 'LockedError') throw error;
    continue;
  }
  taken++;
  try {
    closeSync(openSync(`${path}.inside`, 'wx'));
    await sleep(Math.random() * 40);
    rmSync(`${path}.inside`);
  } catch {
    together++;
  }
  const text = JSON.stringify({
    pid: Number(dead),
    host: hostname(),
    started: '1',
    boot,
    space,
    token: randomUUID(),
  });
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, `${path}.lock`);
}
console.log(JSON.stringify({ taken, together }));
