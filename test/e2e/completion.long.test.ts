import { execFileSync } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { completionScript } from '../../src/cli/completion/scripts.ts';
import { trainings } from '../../src/pipeline/sources/trainings/index.ts';
import { eos, temporaryFolder } from '../setup/eos.ts';
import { describeWith, part, root } from '../setup/parts.ts';

describe('eos completion', () => {
  test('--install makes bash complete commands, flags, words and still files', async () => {
    const home = temporaryFolder();
    const env = { HOME: home, XDG_DATA_HOME: '' };
    const install = () => eos(['completion', 'bash', '--install'], { env });
    await writeFile(join(home, '.bashrc'), 'alias ll="ls -l"');
    expect(await install()).toMatchObject({ code: 0, stderr: '' });
    await install();
    const source = `source '${join(home, '.local/share/eos/completion.bash')}'`;
    expect(await readFile(join(home, '.bashrc'), 'utf8')).toBe(`alias ll="ls -l"\n${source}\n`);

    const complete = (...words: string[]) => {
      const ask = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _eos; echo "\${COMPREPLY[@]}"`;
      const args = ['--norc', '-c', `. "$HOME/.bashrc"; ${ask}`, 'bash', 'eos', ...words];
      return execFileSync('bash', args, { env, encoding: 'utf8' }).trim();
    };
    expect(complete('st')).toBe('stream');
    expect(complete('sweep', 'st')).toBe('status');
    expect(complete('stream', '--pars')).toBe('');
    expect(complete('stream', '--parq')).toBe('--parquet-writer');
    expect(complete('sweep', 'status', '--eng')).toBe('--engine');
    expect(complete('stream', '--preset', '')).toBe(
      trainings.flatMap(({ presets }) => presets.map(({ name }) => name)).join(' '),
    );
    expect(complete('stream', '--log-format', '=', 'j')).toBe('json');
    // Nothing of ours: then bash completes names of files.
    expect(complete('inspect', 'run')).toBe('');
    expect(complete('stream', '--out', 'run')).toBe('');
    const how = execFileSync('bash', ['--norc', '-c', '. "$HOME/.bashrc"; complete -p eos'], {
      env,
    });
    expect(String(how)).toContain('-o default');
  });

  test('fish is told which values are words, and which may be files', () => {
    const flag = { letter: undefined, description: "it's one", takesValue: true, words: [] };
    const script = completionScript('fish', [
      {
        name: 'sweep status',
        summary: 'tell',
        words: [],
        flags: [
          { ...flag, name: 'kind', words: ['a', 'b'] },
          { ...flag, name: 'out' },
          { ...flag, name: 'quiet', letter: 'q', takesValue: false },
        ],
      },
    ]);
    expect(script).toContain(`-l kind -xa 'a b' -d 'it\\'s one'`);
    expect(script).toMatch(/-l out -r -d /);
    expect(script).toMatch(/-l quiet -s q -d /);
  });

  test('there is none for other shells', async () => {
    expect(await eos(['completion', 'tcsh'])).toMatchObject({
      code: 2,
      stderr: 'eos: Expected tcsh to be one of: bash, zsh, fish (see --help)\n',
    });
  });
});

/** What is typed in front of Tab, and what the line is then. */
const LINES = [
  ['eos str', 'eos stream'],
  ['eos sweep sta', 'eos sweep status'],
  ['eos completion f', 'eos completion fish'],
  ['eos stream --parq', 'eos stream --parquet-writer'],
  ['eos stream --preset th', 'eos stream --preset three-phases'],
  ['eos stream --log-format=j', 'eos stream --log-format=json'],
  ['eos inspect run-o', 'eos inspect run-of-mine.parquet'],
  ['eos stream --out run-o', 'eos stream --out run-of-mine.parquet'],
] as const;

/** A home in which the completion is installed, a folder with a file, and `eos` on the path. */
async function installed(shell: string) {
  const [home, cwd] = [temporaryFolder(), temporaryFolder()];
  await mkdir(join(home, 'bin'));
  await symlink(join(root, 'bin/run.js'), join(home, 'bin/eos'));
  await writeFile(join(cwd, 'run-of-mine.parquet'), '');
  const env = { HOME: home, XDG_DATA_HOME: '', XDG_CONFIG_HOME: join(home, '.config') };
  expect(await eos(['completion', shell, '--install'], { env })).toMatchObject({ code: 0 });
  const path = `${join(home, 'bin')}:${process.env.PATH}`;
  return { cwd, encoding: 'utf8', env: { ...env, PATH: path, TERM: 'xterm' } } as const;
}

for (const shell of ['bash', 'zsh'] as const) {
  describeWith(['python', shell], `Tab in ${shell}`, () => {
    test('completes commands, flags, values and names of files', async () => {
      const options = await installed(shell);
      const typed = LINES.map(([line]) => line);
      const script = join(root, 'test/e2e/type-tab.py');
      const told = execFileSync(part('python'), [script, shell, ...typed], options);
      const lines = told.trimEnd().split('\n');
      expect(lines.map((line) => line.trimEnd())).toEqual(LINES.map(([, line]) => line));
    });
  });
}

describeWith(['fish'], 'fish', () => {
  test('completes commands, flags, values and names of files', async () => {
    const options = await installed('fish');
    const ask = LINES.map(([line]) => `complete -C '${line}'`).join('; ');
    const told = execFileSync(part('fish'), ['-c', ask], options);
    const words = told.trimEnd().split('\n');
    expect(words.map((line) => line.split('\t')[0])).toEqual(
      LINES.map(([, line]) => line.split(' ').at(-1)),
    );
  });
});
