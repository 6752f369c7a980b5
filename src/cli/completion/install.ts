import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Shell } from './scripts.ts';

/**
 * Puts a completion script where its shell finds it; resolves with what was written. Repeating it
 * changes nothing.
 */
export async function installCompletion(shell: Shell, script: string): Promise<readonly string[]> {
  const home = process.env.HOME || homedir();
  const config = process.env.XDG_CONFIG_HOME || join(home, '.config');
  const data = process.env.XDG_DATA_HOME || join(home, '.local/share');
  const path =
    shell === 'fish'
      ? join(config, 'fish/completions/eos.fish')
      : join(data, `eos/completion.${shell}`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, script);
  if (shell === 'fish') return [path];
  const start = join(
    process.env.ZDOTDIR && shell === 'zsh' ? process.env.ZDOTDIR : home,
    `.${shell}rc`,
  );
  const line = `source '${path}'`;
  const there = await readFile(start, 'utf8').catch(() => '');
  if (there.split('\n').includes(line)) return [path];
  await appendFile(start, `${there === '' || there.endsWith('\n') ? '' : '\n'}${line}\n`);
  return [path, start];
}
