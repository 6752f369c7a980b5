import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/pipeline/sinks/phase-log.ts';
import { eos, startEos, temporaryFolder } from '../setup/eos.ts';
import { parquetFooter, readBack } from '../sinks/read-back.ts';

function events(stdout: string): RunEvent[] {
  expect(stdout.endsWith('\n')).toBe(true);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);
}

const summaryOf = async (path: string) =>
  JSON.parse((await readBack(path)).metadata['eos.summary']!);

describe('eos stream --out run.parquet', () => {
  test('writes every step of the paper preset and tells its phases on stderr', async () => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await eos(['stream', '--out', 'run.parquet'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toBe('');
    expect(await readdir(cwd)).toEqual(['run.parquet']);
    const table = await readBack(join(cwd, 'run.parquet'));
    expect(table.rows).toBe(10_001);
    expect(await summaryOf(join(cwd, 'run.parquet'))).toMatchObject({
      outcome: 'edge-of-stability',
      interrupted: false,
    });

    const lines = stderr.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^t +0 {2}start {3}10,000 steps at η = 0.05: 2\/η = 40, S = 12.21/);
    expect(lines[1]).toMatch(/^t +0 {2}phase {3}progressive sharpening/);
    expect(lines[2]).toMatch(/^t +2,015 {2}phase {3}edge of stability: S = 40.01/);
    expect(lines[3]).toMatch(
      /^t +2,309 {2}cycle {5}1: peak L₁ = 0.0301 at t = 2,155, S 7.49 % over 2\/η$/,
    );
    expect(lines.filter((line) => / cycle /.test(line))).toHaveLength(25);
    expect(stderr).toMatch(
      /done {4}edge of stability: 25 cycles, [\s\S]*slope of ln L̂ -4.002e-4 \(predicted -4.000e-4\)\nwrote/,
    );
    for (const line of lines.slice(0, -1)) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines.at(-1)).toMatch(/^wrote run\.parquet: 10,001 rows in /);
    // No terminal: no escape codes, no progress bar.
    for (const sign of ['\u001b', '\r', '█']) expect(stderr).not.toContain(sign);
  });

  test('--arrow writes the Arrow file too, --parquet-writer takes the other program', async () => {
    const cwd = temporaryFolder();
    const args =
      '--out a.parquet --arrow a.arrow --parquet-writer parquetjs-lite --steps 200'.split(' ');
    const { code, stderr } = await eos(['stream', ...args], { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain('wrote a.parquet: 201 rows');
    expect(stderr).toContain('wrote a.arrow: 201 rows');
    const one = await eos(['stream', '--steps', '0', '--out', 'one.parquet'], { cwd });
    expect(one.stderr).toContain('wrote one.parquet: 1 row in');
    const high = await eos(['stream', '--eta', '1e300', '--steps', '1', '--dry-run'], { cwd });
    expect(high.stderr).toMatch(/S 6\.11e\+302 % over 2\/η/);
    expect((await parquetFooter(join(cwd, 'a.parquet'))).created_by).toMatch(/parquet\.js/);
    expect((await readBack(join(cwd, 'a.arrow'))).rows).toBe(201);
  });

  test('--every keeps the rows it promises', async () => {
    const cwd = temporaryFolder();
    await eos(['stream', '--out', 'run.parquet', '--every', '100', '--quiet'], { cwd });
    const table = await readBack(join(cwd, 'run.parquet'));
    const steps = new Set(Array.from(await table.values('step'), Number));
    expect(table.rows).toBeLessThan(8_000);
    for (let t = 0; t <= 10_000; t += 100) expect(steps.has(t), `step ${t}`).toBe(true);
    for (let t = 1_915; t <= 2_115; t++)
      expect(steps.has(t), `step ${t} around the crossing`).toBe(true);
    for (let t = 2_055; t <= 2_255; t++)
      expect(steps.has(t), `step ${t} around the first peak`).toBe(true);
    expect(await summaryOf(join(cwd, 'run.parquet'))).toMatchObject({
      cycles: 25,
      first_crossing: 2015,
      last_step: 10_000,
    });
  });

  test('a run that diverges is a result: exit code 0', async () => {
    const cwd = temporaryFolder();
    const { code, stderr } = await eos(['stream', '--out', 'run.parquet', '--eta', '0.5'], { cwd });
    expect(code).toBe(0);
    const { outcome, diverged_at, last_step } = await summaryOf(join(cwd, 'run.parquet'));
    expect(outcome).toBe('diverged');
    expect(last_step).toBe(diverged_at - 1);
    expect((await readBack(join(cwd, 'run.parquet'))).rows).toBe(diverged_at);
    expect(stderr).toContain(`diverged at t = ${diverged_at}`);
  });

  test('warns of what plain float64 would have made of the run', async () => {
    const { code, stderr } = await eos(['stream', '--preset', 'plain', '--dry-run']);
    expect(code).toBe(0);
    // Lines of the log are folded.
    expect(stderr.replace(/\n +/g, ' ')).toMatch(
      /warning β₁ is too small for float64 at step 2,975: a plain float64 run that multiplies β₁ by 1 − ηλ₁α² holds it as 0 from here on .*converge to a minimum of sharpness 1\.66 × 2\/η/,
    );
  });
});

describe('--log-format json', () => {
  test('one event a line on stdout, nothing on stderr', async () => {
    const { code, stdout, stderr } = await eos(['stream', '--dry-run', '--log-format', 'json']);
    expect([code, stderr]).toEqual([0, '']);
    const all = events(stdout);
    expect(all[0]).toMatchObject({
      event: 'start',
      step: 0,
      eta: 0.05,
      threshold: 40,
      steps: 10_000,
    });
    const phases = all.filter(({ event }) => event === 'phase');
    expect(phases.map((event) => ('phase' in event ? [event.step, event.phase] : []))).toEqual([
      [0, 'progressive-sharpening'],
      [2015, 'edge-of-stability'],
    ]);
    expect(Object.keys(phases[1]!)).toEqual([
      'event',
      'step',
      'phase',
      'sharpness',
      'ratio',
      'loss',
    ]);
    const cycles = all.filter((event) => event.event === 'cycle');
    expect(cycles).toHaveLength(25);
    expect(cycles[0]).toMatchObject({
      cycle: 1,
      first_step: 2015,
      last_step: 2309,
      peak_step: 2155,
    });
    expect(cycles[0]!.overshoot).toBeGreaterThan(0.07);
    expect(cycles[0]!.peak_l1).toBeGreaterThan(0.03);
    const last = all.at(-1)!;
    expect(last).toMatchObject({
      event: 'done',
      outcome: 'edge-of-stability',
      cycles: 25,
      first_crossing: 2015,
    });
  });

  test('the values of a phase event are those of its row', async () => {
    const cwd = temporaryFolder();
    const { stdout } = await eos(['stream', '--out', 'run.parquet', '--log-format', 'json'], {
      cwd,
    });
    const phase = events(stdout).find((event) => event.event === 'phase' && event.step === 2015);
    const table = await readBack(join(cwd, 'run.parquet'));
    const at = async (name: string) => (await table.values(name))[2015];
    expect(phase).toEqual({
      event: 'phase',
      step: 2015,
      phase: 'edge-of-stability',
      sharpness: await at('sharpness'),
      ratio: await at('sharpness_ratio'),
      loss: await at('loss'),
    });
  });

  test('warnings are events', async () => {
    const { stdout } = await eos([
      'stream',
      '--dry-run',
      '--log-format',
      'json',
      '--preset',
      'plain',
    ]);
    const all = events(stdout);
    const warning = all.filter(({ event }) => event === 'warning');
    // The log is in the order of the steps.
    const steps = all.flatMap((event) => ('step' in event ? [event.step] : []));
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(warning).toEqual([
      {
        event: 'warning',
        kind: 'float64-underflow',
        step: 2975,
        message: expect.stringContaining('step 2,975'),
      },
    ]);
  });
});

describe('manners', () => {
  test('--quiet says nothing', async () => {
    const cwd = temporaryFolder();
    expect(await eos(['stream', '--out', 'run.parquet', '-q', '--steps', '10'], { cwd })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(await readdir(cwd)).toEqual(['run.parquet']);
  });

  test('--dry-run writes nothing', async () => {
    const cwd = temporaryFolder();
    const { code, stderr } = await eos(
      ['stream', '--dry-run', '--out', 'run.parquet', '--steps', '10'],
      { cwd },
    );
    expect(code).toBe(0);
    expect(stderr).toContain('done');
    expect(stderr).not.toContain('wrote');
    expect(await readdir(cwd)).toEqual([]);
  });

  test('--pace shows the start long before the end', async () => {
    const run = startEos(['stream', '--dry-run', '--steps', '3000', '--pace', '3000']);
    let ended = false;
    run.done.then(() => (ended = true));
    await run.says('progressive sharpening');
    expect(ended).toBe(false);
    await run.says('edge of stability');
    expect(ended).toBe(false);
    const { code, stderr } = await run.done;
    expect(code).toBe(0);
    expect(stderr).toContain('t    3,000  done');
  });

  test('colours where they are wanted, none with NO_COLOR', async () => {
    const args = ['stream', '--dry-run', '--steps', '10'];
    expect((await eos(args, { env: { NO_COLOR: '', FORCE_COLOR: '1' } })).stderr).toContain(
      '\u001b[',
    );
    expect((await eos(args, { env: { NO_COLOR: '1', FORCE_COLOR: '1' } })).stderr).not.toContain(
      '\u001b[',
    );
  });

  test.each([['stream'], ['inspect']])('eos %s --help has examples', async (command) => {
    const { code, stdout, stderr } = await eos([command, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`USAGE\\n {2}\\$ eos ${command}`));
    expect(stdout).toMatch(new RegExp(`EXAMPLES\\n[^]*\\$ eos ${command} `));
  });

  test('eos --help lists the commands, eos --version tells the version', async () => {
    const help = await eos(['--help']);
    expect([help.code, help.stderr]).toEqual([0, '']);
    for (const command of ['stream', 'inspect', 'completion'])
      expect(help.stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    const { version } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    expect((await eos(['--version'])).stdout).toMatch(
      new RegExp(`^eos-stream/${version.replaceAll('.', '\\.')} `),
    );
  });
});

describe('a file that exists', () => {
  const stream = (cwd: string, ...args: string[]) =>
    eos(['stream', '--out', 'run.parquet', '--steps', '50', '--quiet', ...args], { cwd });
  const REFUSED =
    'eos: --out: run.parquet exists and is not this very run; give another name, or --force to replace it\n';

  test('is replaced by the very same run', async () => {
    const cwd = temporaryFolder();
    await stream(cwd);
    const before = await stat(join(cwd, 'run.parquet'));
    expect(await stream(cwd)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await stat(join(cwd, 'run.parquet'))).ino).not.toBe(before.ino);
  });

  test('is kept where any parameter differs, unless --force', async () => {
    const cwd = temporaryFolder();
    await stream(cwd);
    const before = await readFile(join(cwd, 'run.parquet'));
    for (const other of [
      ['--eta', '0.01'],
      ['--band', '0.1'],
      ['--columns', 'step'],
      ['--preset', 'figure3'],
    ]) {
      expect(await stream(cwd, ...other)).toEqual({ code: 2, stdout: '', stderr: REFUSED });
    }
    expect((await readFile(join(cwd, 'run.parquet'))).equals(before)).toBe(true);
    expect((await stream(cwd, '--eta', '0.01', '--force')).code).toBe(0);
    expect((await readFile(join(cwd, 'run.parquet'))).equals(before)).toBe(false);
  });

  test('is kept where it is only a part of a Parquet file', async () => {
    const cwd = temporaryFolder();
    await stream(cwd);
    const whole = await readFile(join(cwd, 'run.parquet'));
    await writeFile(join(cwd, 'run.parquet'), whole.subarray(0, whole.length - 100));
    expect(await stream(cwd)).toEqual({ code: 2, stdout: '', stderr: REFUSED });
  });

  test('counts for the Arrow file as well', async () => {
    const cwd = temporaryFolder();
    await stream(cwd, '--arrow', 'run.arrow');
    expect((await stream(cwd, '--arrow', 'run.arrow')).code).toBe(0);
    await writeFile(join(cwd, 'run.arrow'), 'something else');
    const { code, stderr } = await stream(cwd, '--arrow', 'run.arrow');
    expect([
      code,
      stderr.startsWith('eos: --arrow: run.arrow exists and is not this very run'),
    ]).toEqual([2, true]);
    expect(await readFile(join(cwd, 'run.arrow'), 'utf8')).toBe('something else');
  });
});
