// Takes a dead lock again and again, beside others that do the same, and leaves a dead one each time.
//
//   node lock-hammer.mjs LOCK_MODULE PATH DEAD_PID MILLISECONDS
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';

const [, , module, path, dead, milliseconds] = process.argv;
const { lockFile } = await import(module);
const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const end = Date.now() + Number(milliseconds);
let taken = 0;
let together = 0;
while (Date.now() < end) {
  try {
    await lockFile(path);
  } catch (error) {
    if (error.name !== 'LockedError') throw error;
    continue;
  }
  taken++;
  try {
    closeSync(openSync(`${path}.inside`, 'wx'));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
    rmSync(`${path}.inside`);
  } catch {
    together++;
  }
  const text = JSON.stringify({ pid: Number(dead), host: hostname(), started: '1', boot, token: randomUUID() });
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, `${path}.lock`);
}
console.log(JSON.stringify({ taken, together }));
