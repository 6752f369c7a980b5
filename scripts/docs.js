// Writes the generated tables of the docs from dist: columns, and all that can be named on the
// command line. With --check it only tells whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dynamics } from '../dist/pipeline/dynamics/index.js';
import { RUN_COLUMNS } from '../dist/pipeline/models/minimal/columns.js';
import { ACTIVATIONS } from '../dist/pipeline/models/network/activations.js';
import { standardOperators } from '../dist/pipeline/operators/standard.js';
import { optimizers } from '../dist/pipeline/optimizers/index.js';
import { defaultsOf } from '../dist/pipeline/optimizers/shared-parameters.js';
import { MEASURED_COLUMNS } from '../dist/pipeline/phases/measured/columns.js';
import { trainings } from '../dist/pipeline/sources/trainings/index.js';
import { NETWORK_SWEEP_COLUMNS } from '../dist/pipeline/sweep/network-columns.js';
import { SWEEP_COLUMNS } from '../dist/pipeline/sweep/sweep-columns.js';
import { CHECKS } from '../dist/pipeline/theory/verify.js';

const docs = join(dirname(fileURLToPath(import.meta.url)), '..', 'docs');

const cell = (text) => String(text ?? '').replaceAll('|', '\\|');

function table(heads, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
}

const columnTable = (columns) =>
  table(
    ['column', 'type', 'symbol', 'unit', 'meaning'],
    columns.map(({ name, type, symbol, unit, meaning }) => [
      `\`${name}\``,
      type,
      symbol,
      unit,
      meaning,
    ]),
  );

/**
 * The columns of a run file, with those that operators add and the model's own list does not have.
 */
function runColumns() {
  const known = new Set(RUN_COLUMNS.map(({ name }) => name));
  const added = standardOperators().flatMap(({ definition }) => definition.adds);
  return [...RUN_COLUMNS, ...added.filter(({ name }) => !known.has(name))];
}

const code = (name) => `\`${name}\``;

/** What the file of an activation says of it. */
function aboutActivation(name) {
  const folder = join(docs, '..', 'src/pipeline/models/network/kernel/activations');
  const file = readFileSync(join(folder, `${name}.ts`), 'utf8');
  const [, comment = ''] = /\/\*\*([\s\S]*?)\*\/\s*export function/.exec(file) ?? [];
  return comment.replace(/\s*\n?\s*\*?\s+/g, ' ').trim();
}

/** Every generated section: its file, its name, and how it is made. */
const SECTIONS = [
  ['columns.md', 'columns', () => columnTable(runColumns())],
  ['columns.md', 'log columns', () => columnTable(MEASURED_COLUMNS)],
  ['columns.md', 'sweep columns', () => columnTable(SWEEP_COLUMNS)],
  ['columns.md', 'network sweep columns', () => columnTable(NETWORK_SWEEP_COLUMNS)],
  [
    'catalogue.md',
    'presets',
    () =>
      table(
        ['preset', 'what it shows'],
        trainings.flatMap(({ presets }) => presets).map(({ name, shows }) => [code(name), shows]),
      ),
  ],
  [
    'catalogue.md',
    'models',
    () =>
      table(
        ['model', 'what it is'],
        trainings.map(({ model, about }) => [code(model), about]),
      ),
  ],
  [
    'catalogue.md',
    'optimizers',
    () =>
      table(
        ['optimizer', 'what it is', 'stable up to', 'also called'],
        optimizers.map((optimizer) => [
          code(optimizer.name),
          optimizer.about,
          optimizer.stability(defaultsOf(optimizer)).formula,
          optimizer.aliases.map(code).join(', '),
        ]),
      ),
  ],
  [
    'catalogue.md',
    'activations',
    () =>
      table(
        ['activation', 'what it makes of z'],
        ACTIVATIONS.map((name) => [code(name), aboutActivation(name)]),
      ),
  ],
  [
    'catalogue.md',
    'dynamics',
    () =>
      table(
        ['dynamics', 'what it is'],
        dynamics.map(({ name, about }) => [code(name), about]),
      ),
  ],
  [
    'catalogue.md',
    'operators',
    () =>
      table(
        ['operator', 'columns that it reads', 'columns that it adds'],
        standardOperators().map(({ definition: { name, needs, adds } }) => [
          code(name),
          Object.keys(needs).map(code).join(', '),
          adds.map((column) => code(column.name)).join(', '),
        ]),
      ),
  ],
  [
    'catalogue.md',
    'checks',
    () =>
      table(
        ['check', 'statement'],
        CHECKS.map(({ name, statement }) => [code(name), statement]),
      ),
  ],
];

/** Replaces what stands between the two markers of a section. */
function fill(text, file, section, content) {
  const pattern = new RegExp(`(<!-- ${section}: [^>]*-->\n)[\\s\\S]*?(<!-- /${section} -->)`);
  if (!pattern.test(text)) throw new Error(`docs/${file} has no section ${section}`);
  return text.replace(pattern, (_, open, close) => `${open}${content}\n${close}`);
}

let stale = 0;
for (const file of new Set(SECTIONS.map(([name]) => name))) {
  const path = join(docs, file);
  const current = readFileSync(path, 'utf8');
  let filled = current;
  for (const [name, section, make] of SECTIONS)
    if (name === file) filled = fill(filled, file, section, make());
  if (filled === current) continue;
  if (process.argv.includes('--check')) {
    process.stderr.write(`docs/${file} is out of date; run npm run docs\n`);
    stale = 1;
  } else writeFileSync(path, filled);
}
process.exitCode = stale;
