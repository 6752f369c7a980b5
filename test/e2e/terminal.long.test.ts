import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cleanEnvironment, temporaryFolder, watch } from '../setup/eos.ts';
import { describeWith, part, root } from '../setup/parts.ts';

/**
 * Runs a program with a terminal of its own, 100 columns wide, as its stderr, and prints what it
 * sent there.
 */
const ON_A_TERMINAL = `
import fcntl, os, pty, struct, subprocess, sys, termios
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
os.close(theirs)
try:
    while data := os.read(ours, 65536):
        sys.stdout.buffer.write(data)
except OSError:
    pass
sys.exit(child.wait())
`;

async function onTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const command = [process.execPath, join(root, 'bin/run.js'), ...args];
  const { code, stdout, stderr } = await watch(
    spawn(part('python'), ['-c', ON_A_TERMINAL, ...command], {
      env: { ...cleanEnvironment(), NO_COLOR: '', ...env },
    }),
  ).done;
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** Longer than a second, so that there is a bar. */
const SLOW = ['stream', '--dry-run', '--steps', '4000', '--pace', '2500'];

describeWith(['python'], 'on a terminal', () => {
  describe('a run of more than a second', () => {
    test('has a progress bar with rate and time left, which is gone at the end', async () => {
      const shown = await onTerminal(SLOW);
      const frames = shown.match(/\r█*░*[^\r\n]*steps\/s[^\r\n]*/g) ?? [];
      expect(frames.length).toBeGreaterThan(2);
      for (const frame of frames) {
        expect(frame).toMatch(
          /^\r█*░* +\d+% {2}[\d,]+ of 4,000 steps {2}\d+ steps\/s {2}[\d.]+ s left/,
        );
        expect(frame.replace(/^\r|\u001b\[K/g, '').length).toBeLessThan(100);
      }
      expect(shown.slice(shown.lastIndexOf('steps/s'))).toContain('\r\u001b[K');
      expect(shown.slice(shown.lastIndexOf('done'))).toMatch(/^done.*edge of stability/);
    });

    test('of many bits says so', async () => {
      const shown = await onTerminal([...SLOW, '--precision', '200']);
      expect(shown).toMatch(/of 4,000 steps {2}\d+ steps\/s {2}[\d.]+ s left \(200 bits\)/);
    });

    test('lines of the log stand whole above it', async () => {
      const lines = (await onTerminal(SLOW, { NO_COLOR: '1' })).split(/\r?\n/);
      const cycle = lines.find((line) => line.includes('cycle     5:'))!;
      expect(cycle.replace(/^[\s\S]*\u001b\[K/, '')).toMatch(
        /^t +\d,\d{3} {2}cycle {5}5: peak L₁ = [^█░]* over 2\/η$/,
      );
    });
  });

  test('a short run has none', async () => {
    const shown = await onTerminal(['stream', '--dry-run', '--steps', '100']);
    expect(shown).toContain('done');
    expect(shown).not.toMatch(/[█░]/);
  });

  test('colours by default, none with NO_COLOR or on a dumb terminal', async () => {
    const run = ['stream', '--dry-run', '--steps', '100'];
    expect(await onTerminal(run)).toMatch(/\u001b\[1m/);
    expect(await onTerminal(run, { NO_COLOR: '1' })).not.toContain('\u001b');
    expect(await onTerminal(run, { TERM: 'dumb' })).not.toContain('\u001b');
  });

  test('--quiet shows nothing', async () => {
    expect(await onTerminal([...SLOW, '--quiet'])).toBe('');
  });
});

test('a long run that has no terminal shows no bar', async () => {
  const child = spawn(process.execPath, [join(root, 'bin/run.js'), ...SLOW], {
    cwd: temporaryFolder(),
    env: cleanEnvironment(),
  });
  const { stderr } = await watch(child).done;
  expect(stderr).toContain('done');
  expect(stderr).not.toMatch(/[\r█░]/);
});
