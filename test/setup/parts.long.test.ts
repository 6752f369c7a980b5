import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeWith, part, python, root } from './parts.ts';

describeWith(['python'], 'python()', () => {
  test('passes arguments in and parses what the program prints', async () => {
    const code = 'import json, sys; print(json.dumps({"args": sys.argv[1:], "third": 1 / 3}))';
    expect(await python(code, ['a b', 'ü'])).toEqual({ args: ['a b', 'ü'], third: 1 / 3 });
  });

  test('rejects with the traceback of a program that fails', async () => {
    await expect(python('raise SystemExit("no such column")')).rejects.toThrow('no such column');
  });

  test('imports the packages that it promises', async () => {
    const code =
      'import json, duckdb, pandas, polars, pyarrow.parquet; print(json.dumps(pandas.__name__))';
    expect(await python(code)).toBe('pandas');
  });
});

describeWith(['chromium', 'redis', 'cc'], 'programs', () => {
  test.each([
    ['chromium', /Chromium \d+/],
    ['redis', /Redis server v=\d+/],
    ['cc', /\d+\.\d+/],
  ] as const)('%s starts', async (name, version) => {
    expect((await promisify(execFile)(part(name), ['--version'])).stdout).toMatch(version);
  });
});

test('an absent part is skipped with a line, and fails where all are required', async () => {
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'test/setup/absent/vitest.config.ts',
  ];
  const run = async (requireAll: string) => {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      CI: '',
      NO_COLOR: '1',
      EOS_CHROMIUM: '/nowhere',
      EOS_REQUIRE_ALL: requireAll,
    };
    delete env.FORCE_COLOR;
    try {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
        cwd: root,
        env,
      });
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, output: stdout + stderr };
    }
  };
  const skipped = await run('');
  expect(skipped.code).toBe(0);
  expect(skipped.output).toContain('skipped "a page": needs Chromium (apt-get install chromium');
  expect(skipped.output).toMatch(/Tests\s+1 skipped/);

  const required = await run('1');
  expect(required.code).toBe(1);
  expect(required.output).toContain('missing Chromium (apt-get install chromium');
});
