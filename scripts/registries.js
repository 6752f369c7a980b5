// Adds each new file of a folder to the list that the program reads, so that a new optimizer,
// dynamics, model, preset, check or column is one new file: every build does it. The lists stay
// files of ours, in an order of ours.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const PRESET = /^export const (\w+) = \{[\s\S]*\} as const satisfies Preset;/m;

/** Each list with the folder of its members, and how a member is declared. */
const REGISTRIES = [
  ['models/index.ts', 'models', /^export const (\w+): Model\b/m],
  ['models/minimal/presets/index.ts', 'models/minimal/presets', PRESET],
  ['models/network/presets/index.ts', 'models/network/presets', PRESET],
  ['optimizers/plain.ts', 'optimizers', /^export const (\w+): Optimizer\b/m],
  ['optimizers/index.ts', 'optimizers', /^export const (\w+): PreconditionedOptimizer\b/m],
  ['dynamics/index.ts', 'dynamics', /^export const (\w+): Dynamics\b/m],
  ['theory/verify.ts', 'theory/checks', /^export const (\w+): Check\b/m],
  [
    'operators/columns/index.ts',
    'operators/columns',
    /^export const (\w+) = \(\) =>\s+operator\(/m,
  ],
];

/** Files of a folder that may hold a member: its own, and the index of each folder in it. */
function candidates(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory())
      return readdirSync(path).includes('index.ts') ? [join(path, 'index.ts')] : [];
    return name.endsWith('.ts') && name !== 'index.ts' ? [path] : [];
  });
}

for (const [list, folder, declaration] of REGISTRIES) {
  const path = join(root, 'src/pipeline', list);
  const before = readFileSync(path, 'utf8');
  let text = before;
  for (const file of candidates(join(root, 'src/pipeline', folder))) {
    const name = declaration.exec(readFileSync(file, 'utf8'))?.[1];
    const from = `./${relative(dirname(path), file).replaceAll('\\', '/')}`;
    if (name === undefined || text.includes(`'${from}'`)) continue;
    text = listed(text, name, from, list);
  }
  if (text !== before) writeFileSync(path, text);
}

/** The list with one more member: its import in the order of the others, its name at the end. */
function listed(text, name, from, list) {
  const line = `import { ${name} } from '${from}';\n`;
  const imports = [...text.matchAll(/^import [^;]*? from '([^']+)';\n/gm)];
  const next = imports.find(([, path]) => path.startsWith('./') && path > from);
  const last = imports.at(-1);
  const at = next?.index ?? last.index + last[0].length;
  const imported = text.slice(0, at) + line + text.slice(at);
  const array = /^(export const \w+(?:: readonly .*?\[\])? = \[)([^\]]*)(\](?: as const)?;)/m;
  if (!array.test(imported)) throw new Error(`src/pipeline/${list} has no list of its members`);
  return imported.replace(array, (_, open, members, close) => {
    const kept = members.trim().replace(/,$/, '');
    return `${open}${kept === '' ? '' : `${kept}, `}${name}${close}`;
  });
}
