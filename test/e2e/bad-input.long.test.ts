import { execFileSync, spawnSync } from 'node:child_process';
import { lstat, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eos, type Outcome, temporaryFolder } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';

/** One line that begins with `eos: ` on stderr, nothing on stdout, exit code 2. */
function expectOneLine({ code, stdout, stderr }: Outcome, message: RegExp | string): void {
  expect(stderr).toMatch(/^eos: [^\n]+\n$/);
  if (typeof message === 'string') expect(stderr).toContain(message);
  else expect(stderr).toMatch(message);
  expect(stdout).toBe('');
  expect(code).toBe(2);
}

describe('eos stream refuses in one line, and leaves nothing behind', () => {
  test.each([
    ['--eta 0', '--eta: 0 is not a positive number; give the learning rate, such as 0.05 or 1/20'],
    ['--eta=-0.05', '--eta: -0.05 is not a positive number'],
    ['--eta NaN', "--eta: 'NaN' is not a number; write it as 0.05, 1e-6 or 1/20"],
    ['--eta Infinity', "--eta: 'Infinity' is not a number"],
    ['--eta 1/0', "--eta: '1/0' is not a number"],
    ['--eta 1/2/3', "--eta: '1/2/3' is not a number"],
    ['--eta 0x10', "--eta: '0x10' is not a number"],
    ['--eta=', "--eta: '' is not a number"],
    ['--lambda1 0', '--lambda1: 0 is not a positive number'],
    ['--lambda2=-1', '--lambda2: -1 is not a positive number'],
    ['--lambda1 1e999', "--lambda1: '1e999' is not a number"],
    ['--covariance 1', '--covariance: 1 is out of range; |σ| must be below √(λ₁λ₂) = 1'],
    ['--covariance=-1.5', '--covariance: -1.5 is out of range'],
    ['--init 1,2', '--init: [1, 2] is not 3 finite numbers; give α,β₁,β₂ such as 0.3,0.1,0.3'],
    ['--init 1,2,3,4', '--init: [1, 2, 3, 4] is not 3 finite numbers'],
    ['--init 1,x,3', "--init: '1,x,3' is not a list of numbers; give α,β₁,β₂ such as 0.3,0.1,0.3"],
    ['--init 1,,3', "--init: '1,,3' is not a list of numbers"],
    [
      '--init 1e200,1,1',
      '--init: the loss at (1e+200, 1, 1) is Infinity, which counts as diverged',
    ],
    ['--steps=-1', '--steps: -1 is not a whole number from 0'],
    ['--steps 1.5', '--steps: 1.5 is not a whole number'],
    ['--steps 1e300', '--steps: 1e+300 is not a whole number'],
    [
      '--columns step,los',
      "--columns: no column is called 'los'; did you mean loss?; there are step, alpha",
    ],
    ['--columns ,', '--columns: the list is empty'],
    [
      '--preset papr',
      "--preset: no preset is called 'papr'; did you mean paper?; there are paper, figure3",
    ],
    ['--every 0', '--every: 0 is not a whole number from 1'],
    ['--samples 1', '--samples: 1 is not a whole number from 2'],
    ['--seed 0.5', '--seed: 0.5 is not a whole number'],
    ['--floor=-1', '--floor: -1 is not a number from 0 up'],
    ['--delta 0', '--delta: 0 is not a positive number'],
    ['--epsilon=-1', '--epsilon: -1 is not a positive number'],
    ['--band=-0.1', '--band: -0.1 is not a number from 0 up'],
    ['--pace 0', '--pace: 0 is not a positive number; give the steps per second, such as 2000'],
    ['--log-format xml', "--log-format: no log format is called 'xml'; there are text, json"],
    [
      '--parquet-writer x',
      "--parquet-writer: no Parquet writer is called 'x'; there are hyparquet, parquetjs-lite",
    ],
    ['--stepz 10', 'there is no flag --stepz; did you mean --steps? (see --help)'],
    ['--Eta 1', 'there is no flag --Eta; did you mean --eta?'],
    ['--frobnicate', /there is no flag --frobnicate \(see --help\)/],
    ['surplus', 'Unexpected argument: surplus'],
    ['--eta', 'Flag --eta expects a value'],
  ])('%s', async (args, message) => {
    const cwd = temporaryFolder();
    expectOneLine(
      await eos(['stream', '--out', 'run.parquet', ...args.split(' ')], { cwd }),
      message,
    );
    expect(await readdir(cwd)).toEqual([]);
  });
});

test('an older Node is told in one line', async () => {
  const old = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { node: '18.19.1' } })`;
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', old, join(root, 'bin/run.js'), 'stream'],
    { encoding: 'utf8' },
  );
  expect(stderr).toMatch(/^eos: needs Node ≥ 20\.19; this is v\d+\S*\n$/);
  expect(status).toBe(1);
});

describe('what is not written here', () => {
  test.each([
    ['stream --out s3://bucket/run.parquet', '--out: s3://bucket/run.parquet is an address (s3)'],
    [
      'stream --out a.parquet --arrow https://x/a.arrow',
      '--arrow: https://x/a.arrow is an address',
    ],
    ['sweep --eta 0.1 --out s3://bucket/sweep', '--out: s3://bucket/sweep is an address (s3)'],
    ['sweep --eta 0.1 --out gs://b/s --dry-run', '--out: gs://b/s is an address (gs)'],
    ['figures --out s3://bucket', '--out: s3://bucket is an address (s3)'],
    [
      'dash build --data x.parquet --out s3://bucket/site',
      '--out: s3://bucket/site is an address (s3)',
    ],
    [
      'dash build --data x.parquet --single-file --out https://x/a.html',
      '--out: https://x/a.html is an address',
    ],
    [
      'export data/three-phases.parquet --csv --out gs://b/a.csv',
      'gs://b/a.csv is an address (gs)',
    ],
    ['detect a.csv --out az://b/a.parquet', 'az://b/a.parquet is an address (az)'],
    ['recover a.parquet.partial --out s3://b/a.parquet', 's3://b/a.parquet is an address (s3)'],
    ['watch --out s3://b/a.parquet -- true', '--out: s3://b/a.parquet is an address (s3)'],
    ['sweep status --out s3://b/s', '--out: s3://b/s is an address (s3)'],
    ['sweep --eta 0.1 --out s3://b/s --emit slurm', '--out: s3://b/s is an address (s3)'],
    [
      'stream --out run.csv',
      '--out: run.csv ends in .csv, but what is written is parquet; name it .parquet, and make .csv of it with eos export',
    ],
    ['stream --out run.arrow', 'ends in .arrow, but what is written is parquet; give Arrow files'],
    ['stream --out a.parquet --arrow b.PARQUET', '--arrow: b.PARQUET ends in .parquet, but what'],
    ['stream --out - --also central', '--also: each dynamics goes into a file of its own'],
    ['stream --dry-run --seed 3', '--seed: has no effect, since no points are sampled'],
    ['sweep --dry-run --seeds 0..99', '--seed: has no effect, since no points are sampled'],
  ])('eos %s', async (args, message) => {
    const cwd = temporaryFolder();
    expectOneLine(await eos(args.split(' '), { cwd }), message);
    expect(await readdir(cwd)).toEqual([]);
  });
});

describe('where a run cannot be written', () => {
  test.each([
    [[], '--out: no file was named; give --out FILE.parquet, or --dry-run to write none'],
    [['--out', ''], "--out: '' is not the name of a file"],
    [
      ['--out', 'missing/run.parquet'],
      '--out: the folder of missing/run.parquet does not exist; create it first',
    ],
    [['--out', 'folder'], '--out: folder is a folder; name a file in it'],
    [['--out', 'folder/'], '--out: folder/ is a folder; name a file in it'],
    [['--out', 'file/run.parquet'], '--out: file is not a folder'],
    [
      ['--out', 'file'],
      '--out: file exists and is not this very run; give another name, or --force to replace it',
    ],
    [
      ['--out', 'a.parquet', '--arrow', 'missing/a.arrow'],
      '--arrow: the folder of missing/a.arrow does not exist',
    ],
    [
      ['--out', 'a.parquet', '--arrow', './a.parquet'],
      '--arrow: ./a.parquet is the Parquet file already',
    ],
  ])('%j', async (args, message) => {
    const cwd = temporaryFolder();
    await mkdir(join(cwd, 'folder'));
    await writeFile(join(cwd, 'file'), 'a file of the user');
    expectOneLine(await eos(['stream', ...args], { cwd }), message);
    expect((await readdir(cwd)).sort()).toEqual(['file', 'folder']);
    expect(await readdir(join(cwd, 'folder'))).toEqual([]);
  });
});

test.each([
  ['link', '--out: link is a link; name the file that it shall lead to'],
  ['nowhere', '--out: nowhere is a link; name the file that it shall lead to'],
  ['to-folder', '--out: to-folder is a folder; name a file in it'],
  ['pipe', '--out: pipe is no regular file; give another name'],
])('a %s is not put out of its place, not even by force', async (name, message) => {
  const cwd = temporaryFolder();
  await mkdir(join(cwd, 'folder'));
  await writeFile(join(cwd, 'file'), 'a file of the user');
  await symlink('file', join(cwd, 'link'));
  await symlink('missing', join(cwd, 'nowhere'));
  await symlink('folder', join(cwd, 'to-folder'));
  execFileSync('mkfifo', [join(cwd, 'pipe')]);
  for (const more of [[], ['--force']]) {
    expectOneLine(await eos(['stream', '--steps', '3', '--out', name, ...more], { cwd }), message);
  }
  expect((await readdir(cwd)).sort()).toEqual([
    'file',
    'folder',
    'link',
    'nowhere',
    'pipe',
    'to-folder',
  ]);
  expect((await lstat(join(cwd, 'link'))).isSymbolicLink()).toBe(true);
  expect((await lstat(join(cwd, 'pipe'))).isFIFO()).toBe(true);
});

describe('-h, -v and --lr are understood everywhere', () => {
  test.each([['-h'], ['stream', '-h'], ['sweep', 'status', '-h'], ['dash', 'serve', '-h']])(
    'eos %s %s',
    async (...args) => {
      const { code, stdout } = await eos(args);
      expect(stdout).toContain('USAGE');
      expect(code).toBe(0);
    },
  );

  test.each([['-v'], ['stream', '-v'], ['sweep', 'status', '--version']])(
    'eos %s %s',
    async (...args) => {
      expect(await eos(args)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^eos-stream\/\d/),
      });
    },
  );

  test.each(['stream', 'sweep', 'verify'])('eos %s --lr means --eta', async (command) => {
    const dry = command === 'verify' ? [] : ['--dry-run'];
    const { stderr } = await eos([command, '--lr', '-1', ...dry]);
    expect(stderr).toMatch(/eta: -1 is not a positive number/);
  });
});

describe('commands', () => {
  test.each([
    ['strem', "there is no command 'strem'; did you mean stream? (see eos --help)"],
    ['inspct run.parquet', "there is no command 'inspct run.parquet'"],
    ['xyzzy', /there is no command 'xyzzy' \(see eos --help\)/],
    ['stream again', "stream takes no argument 'again' (see eos stream --help)"],
    ['--colour', "there is no command '--colour'"],
    ['inspect', 'FILE is missing: Parquet or Arrow file (see --help)'],
    ['figures', '--out is missing: folder to write to; made where it is missing (see --help)'],
    ['dash build', /--data is missing: run files.*; --out is missing: folder to write/],
    ['inspect --jsn run.parquet', 'there is no flag --jsn; did you mean --json?'],
    ['inspect nowhere.parquet', 'nowhere.parquet: there is no such file'],
    ['inspect .', '.: this is not a file; name a Parquet or Arrow file'],
  ])('eos %s', async (args, message) => {
    expectOneLine(await eos(args.split(' '), { cwd: temporaryFolder() }), message);
  });
});

describe('config files', () => {
  test.each([
    ['{', /^eos: --config: c\.json is not JSON: /],
    ['', '--config: c.json is not JSON: Unexpected end of JSON input'],
    [
      '[1, 2]',
      '--config: c.json does not hold a JSON object such as {"eta": 0.05, "steps": 10000}',
    ],
    ['null', '--config: c.json does not hold a JSON object'],
    ['"paper"', '--config: c.json does not hold a JSON object'],
    [
      '{"etta": 0.1}',
      "--config: c.json names 'etta', which no config file can set; did you mean eta?",
    ],
    [
      '{"log_format": "json"}',
      "--config: c.json names 'log_format', which no config file can set; did you mean log-format?",
    ],
    ['{"config": "d.json"}', "--config: c.json names 'config', which no config file can set"],
    ['{"__proto__": 1}', "--config: c.json names '__proto__'"],
    ['{"toString": 1}', "--config: c.json names 'toString'"],
    ['{"preset": 3}', '--config: c.json: preset: no preset is called 3'],
    ['{"preset": "toString"}', "--config: c.json: preset: no preset is called 'toString'"],
    ['{"lambda1": "many"}', "--config: c.json: lambda1: 'many' is not a number"],
    ['{"lambda2": {}}', '--config: c.json: lambda2: {} is not a positive number'],
    ['{"covariance": [0]}', '--config: c.json: covariance: [0] is not a finite number'],
    ['{"samples": "1/3"}', '--config: c.json: samples: 0.3333333333333333 is not a whole number'],
    ['{"samples": 2.5}', '--config: c.json: samples: 2.5 is not a whole number'],
    ['{"seed": true}', '--config: c.json: seed: true is not a whole number'],
    ['{"eta": true}', '--config: c.json: eta: true is not a positive number'],
    ['{"eta": "1/0"}', "--config: c.json: eta: '1/0' is not a number"],
    ['{"init": "0.3,0.1"}', '--config: c.json: init: [0.3, 0.1] is not 3 finite numbers'],
    ['{"init": "0.3,0.1,x"}', "--config: c.json: init: '0.3,0.1,x' is not a list of numbers"],
    ['{"init": [1, 2]}', '--config: c.json: init: [1, 2] is not 3 finite numbers'],
    ['{"init": [1, 2, "3"]}', "--config: c.json: init: [1, 2, '3'] is not 3 finite numbers"],
    ['{"floor": []}', '--config: c.json: floor: [] is not a number from 0 up'],
    ['{"steps": "-10"}', '--config: c.json: steps: -10 is not a whole number'],
    ['{"steps": 0.5}', '--config: c.json: steps: 0.5 is not a whole number'],
    ['{"delta": "x"}', "--config: c.json: delta: 'x' is not a number"],
    ['{"epsilon": false}', '--config: c.json: epsilon: false is not a positive number'],
    ['{"band": {}}', '--config: c.json: band: {} is not a number from 0 up'],
    ['{"every": "0"}', '--config: c.json: every: 0 is not a whole number'],
    ['{"columns": "step,stp"}', "--config: c.json: columns: no column is called 'stp'"],
    ['{"columns": {}}', '--config: c.json: columns: {} is not a list of column names'],
    ['{"columns": ["stp"]}', "--config: c.json: columns: no column is called 'stp'"],
    ['{"columns": [1]}', "--config: c.json: columns: no column is called '1'"],
    ['{"out": 3}', '--config: c.json: out: 3 is not the name of a file', ['--quiet']],
    ['{"arrow": true}', '--config: c.json: arrow: true is not the name of a file'],
    [
      '{"parquet-writer": "x"}',
      "--config: c.json: parquet-writer: no Parquet writer is called 'x'",
    ],
    ['{"log-format": 1}', '--config: c.json: log-format: no log format is called 1'],
    ['{"pace": "fast"}', "--config: c.json: pace: 'fast' is not a number"],
    ['{"quiet": 2}', '--config: c.json: quiet: 2 is neither yes nor no; write 1 or 0'],
    ['{"force": "maybe"}', "--config: c.json: force: 'maybe' is neither yes nor no"],
  ])('%s', async (json, message, args: readonly string[] = ['--out', 'run.parquet']) => {
    const cwd = temporaryFolder();
    await writeFile(join(cwd, 'c.json'), json);
    expectOneLine(await eos(['stream', '--config', 'c.json', ...args], { cwd }), message);
    expect(await readdir(cwd)).toEqual(['c.json']);
  });

  test.each([
    ['nowhere.json', '--config: nowhere.json: there is no such file'],
    ['.', '--config: . is a folder; name a file'],
  ])('%s', async (path, message) => {
    const cwd = temporaryFolder();
    expectOneLine(
      await eos(['stream', '--config', path, '--out', 'run.parquet'], { cwd }),
      message,
    );
    expect(await readdir(cwd)).toEqual([]);
  });
});

describe('the environment', () => {
  test.each([
    ['EOS_FORCE', 'maybe', "EOS_FORCE: 'maybe' is neither yes nor no; write 1 or 0"],
    ['EOS_QUIET', 'of', "EOS_QUIET: 'of' is neither yes nor no"],
    ['EOS_ETA', 'fast', "EOS_ETA: 'fast' is not a number"],
    ['EOS_ETA', '-1', 'EOS_ETA: -1 is not a positive number'],
    ['EOS_INIT', '1;2;3', "EOS_INIT: '1;2;3' is not a list of numbers"],
    [
      'EOS_LOG_FORMAT',
      'xml',
      "EOS_LOG_FORMAT: no log format is called 'xml'; there are text, json",
    ],
    ['EOS_PACE', 'slow', "EOS_PACE: 'slow' is not a number"],
    ['EOS_CONFIG', 'nowhere.json', 'nowhere.json: there is no such file'],
  ])('%s=%s is named as what was wrong', async (name, value, message) => {
    const cwd = temporaryFolder();
    expectOneLine(
      await eos(['stream', '--out', 'run.parquet'], { cwd, env: { [name]: value } }),
      message,
    );
    expect(await readdir(cwd)).toEqual([]);
  });
});
