import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { startEos, temporaryFolder } from '../setup/eos.ts';
import { allBombs, type Bomb } from './bombs.ts';

/**
 * Of all bombs every eighth, which one by the day; EOS_BOMBS=1 takes all, EOS_BOMBS_ONLY those of
 * such names.
 */
const SHARE = Number(process.env.EOS_BOMBS ?? 8);
const ONLY = process.env.EOS_BOMBS_ONLY ?? '';
const MEGABYTES = 512;
/** Of the processor: the machine may be busy with other things. */
const SECONDS = 10;

interface Usage {
  megabytes: number;
  seconds: number;
}

/**
 * What a process and those that it has started have taken, as far as /proc tells while they live.
 */
function usageOf(pid: number, seen: Map<number, Usage>): void {
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    // utime and stime, in hundredths of a second.
    const seconds = (Number(fields[11]) + Number(fields[12])) / 100;
    const before = seen.get(pid);
    seen.set(pid, {
      megabytes: Math.max(before?.megabytes ?? 0, Number(kilobytes ?? 0) / 1024),
      seconds: Math.max(before?.seconds ?? 0, seconds),
    });
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
      for (const child of children.split(' ').filter(Boolean)) usageOf(Number(child), seen);
    }
  } catch {
    // It has ended.
  }
}

async function setOff({ files, args }: Bomb) {
  const cwd = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), content);
  }
  const { child, done } = startEos(args, { cwd });
  const seen = new Map<number, Usage>();
  const timer = setInterval(() => usageOf(child.pid!, seen), 5);
  const { code, stderr } = await done;
  clearInterval(timer);
  const sum = (key: keyof Usage) =>
    [...seen.values()].reduce((total, each) => total + each[key], 0);
  return { code, stderr, megabytes: Math.round(sum('megabytes')), seconds: sum('seconds') };
}

test('a file that claims more than it holds is read or refused within its limits', async () => {
  const bombs = await allBombs();
  expect(bombs.length).toBeGreaterThan(250);
  const first = Math.floor(Date.now() / 86_400_000) % SHARE;
  const failed: string[] = [];
  for (const [i, bomb] of bombs.entries()) {
    if (i % SHARE !== first || !bomb.name.includes(ONLY)) continue;
    const { code, stderr, megabytes, seconds } = await setOff(bomb);
    const refused = code === 2 && /^eos: [^\n]{1,700}\n$/.test(stderr);
    const fine = code === 0 || (code === 1 && !/\n {4}at |FATAL|RangeError|TypeError/.test(stderr));
    if ((refused || fine) && megabytes < MEGABYTES && seconds < SECONDS) continue;
    failed.push(`${bomb.name}: ${code}, ${megabytes} MB, ${seconds} s: ${stderr.slice(0, 300)}`);
  }
  expect(failed).toEqual([]);
}, 3_600_000);
