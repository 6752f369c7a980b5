// Writes the generated parts of the README from dist; with --check it only tells whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RUN_COLUMNS } from '../dist/pipeline/models/minimal/columns.js';

const README = join(dirname(fileURLToPath(import.meta.url)), '..', 'README.md');

function columnTable() {
  const cell = (text) => text.replaceAll('|', '\\|');
  const rows = RUN_COLUMNS.map(
    ({ name, type, symbol, unit, meaning }) =>
      `| \`${name}\` | ${type} | ${cell(symbol)} | ${unit} | ${cell(meaning)} |`,
  );
  return ['| column | type | symbol | unit | meaning |', '|---|---|---|---|---|', ...rows].join(
    '\n',
  );
}

/** Replaces what stands between the two markers of a section. */
function fill(text, section, content) {
  const pattern = new RegExp(`(<!-- ${section}: [^>]*-->\n)[\\s\\S]*?(<!-- /${section} -->)`);
  if (!pattern.test(text)) throw new Error(`README.md has no section ${section}`);
  return text.replace(pattern, (_, open, close) => `${open}${content}\n${close}`);
}

const current = readFileSync(README, 'utf8');
const filled = fill(current, 'columns', columnTable());
if (process.argv.includes('--check')) {
  if (filled !== current) {
    process.stderr.write('README.md is out of date; run npm run docs\n');
    process.exit(1);
  }
} else {
  writeFileSync(README, filled);
}
