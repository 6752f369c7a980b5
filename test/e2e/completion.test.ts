import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { completionScript } from '../../src/cli/completion/scripts.ts';
import { trainings } from '../../src/pipeline/sources/trainings/index.ts';
import { eos, temporaryFolder } from '../setup/eos.ts';

describe('eos completion', () => {
  test('--install makes bash complete commands, flags and words, and still names of files', async () => {
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
      stderr: "eos: there is no completion for 'tcsh'; there are bash, zsh, fish\n",
    });
  });
});
