import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface EmbeddedRun {
  readonly name: string;
  /** The file in base64. */
  readonly data: string;
  readonly companions: Readonly<Record<string, string>>;
}

export interface EmbeddedSweep {
  readonly name: string;
  /** The parts of its summary in base64. */
  readonly parts: readonly string[];
  /** Runs that are in none of the parts, and parts that are left out as damaged. */
  readonly missing: number | undefined;
  readonly damaged: number | undefined;
}

/**
 * One HTML file with page and data inside, whose policy allows just these scripts and styles, by
 * their hashes.
 */
export async function singleFile({
  page,
  script,
  runs,
  sweeps,
}: {
  readonly page: string;
  readonly script: string;
  readonly runs: readonly EmbeddedRun[];
  readonly sweeps: readonly EmbeddedSweep[];
}): Promise<string> {
  const assets = await readdir(join(script, 'assets'));
  const only = async (ending: string) => {
    const names = assets.filter((name) => name.endsWith(ending));
    if (names.length !== 1)
      throw new Error(
        `the dashboard is not built as one ${ending} file; run npm run build in the folder of eos`,
      );
    return readFile(join(script, 'assets', names[0]!), 'utf8');
  };
  // The two sequences that would end a script early occur only inside strings, where the backslash
  // changes nothing.
  const code = (await only('.js'))
    .replaceAll('</script', '<\\/script')
    .replaceAll('<!--', '<\\!--');
  const style = (await only('.css')).replaceAll('</style', '<\\/style');
  const licences = await only('.txt');
  const html = await readFile(join(page, 'index.html'), 'utf8');
  const policy =
    `default-src 'none'; script-src '${hash(code)}' 'wasm-unsafe-eval'; style-src ` +
    `'${hash(style)}'; img-src data: blob:; connect-src data:; worker-src blob:; base-uri ` +
    "'none'; form-action 'none'";
  // Names come from file names: < must not open a tag.
  const data = JSON.stringify({ version: 1, live: false, runs, sweeps }).replaceAll('<', '\\u003c');
  return html
    .replace(/<script\b[^>]*><\/script>/g, '')
    .replace(/<link\b[^>]*rel="(stylesheet|modulepreload)"[^>]*>/g, '')
    .replace(
      /(http-equiv="Content-Security-Policy" content=")[^"]*"/,
      (_, start: string) => `${start}${policy}"`,
    )
    .replace('</head>', () => `<style>${style}</style></head>`)
    .replace(
      '</body>',
      () =>
        `<script type="text/plain" id="third-party-licences">\n${licences}</script><script ` +
        `type="application/json" id="eos-data">${data}</script><script ` +
        `type="module">${code}</script></body>`,
    );
}

const hash = (text: string): string =>
  `sha256-${createHash('sha256').update(text).digest('base64')}`;
