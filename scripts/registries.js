// Adds each new file of a folder to the list that the program reads, so that a new optimizer,
// activation, dynamics, model, preset, check or column is one new file: every build does it. The
// lists stay files of ours, in an order of ours.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const PRESET = /^export const (\w+) = \{[\s\S]*\} as const satisfies Preset;/m;
const SHOWN = /^export const (\w+) = \(\): ShownPreset\b/m;
const NETWORK_PRESET = /^export const (\w+) = \{[\s\S]*\} as const satisfies ShownPreset;/m;

/** Each list with the folder of its members, and how a member is declared. */
const REGISTRIES = [
  ['models/index.ts', 'models', /^export const (\w+): Model\b/m],
  ['models/minimal/presets/index.ts', 'models/minimal/presets', PRESET],
  ['models/minimal/presets/shown.ts', 'models/minimal/presets', SHOWN],
  ['models/network/presets/index.ts', 'models/network/presets', NETWORK_PRESET],
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
  edit(list, (before) => {
    let text = before;
    for (const file of candidates(join(root, 'src/pipeline', folder))) {
      const name = declaration.exec(readFileSync(file, 'utf8'))?.[1];
      const from = fromList(list, file);
      if (name === undefined || text.includes(`'${from}'`)) continue;
      text = withMember(withImport(text, name, from), name, list);
    }
    return text;
  });
}

// An activation is a file of the kernel, whose imports have no endings; its name stands in a list
// of words as well, at the same place.
const ACTIVATIONS = 'models/network/kernel/activations';
const LAYER = /^export function (\w+Layer)\(/m;
for (const file of candidates(join(root, 'src/pipeline', ACTIVATIONS))) {
  const layer = LAYER.exec(readFileSync(file, 'utf8'))?.[1];
  const list = `${ACTIVATIONS}/activation.ts`;
  const from = fromList(list, file).replace(/\.ts$/, '');
  if (layer === undefined || readFileSync(pathOf(list), 'utf8').includes(`'${from}'`)) continue;
  edit(list, (text) => withMember(withImport(text, layer, from), layer, list));
  const words = 'models/network/activations.ts';
  edit(words, (text) => withMember(text, `'${basename(file, '.ts')}'`, words));
}

function pathOf(list) {
  return join(root, 'src/pipeline', list);
}

function edit(list, change) {
  const before = readFileSync(pathOf(list), 'utf8');
  const text = change(before);
  if (text !== before) writeFileSync(pathOf(list), text);
}

/** How a list imports a file. */
function fromList(list, file) {
  return `./${relative(dirname(pathOf(list)), file).replaceAll('\\', '/')}`;
}

/** With one import more, in the order of the others. */
function withImport(text, name, from) {
  const line = `import { ${name} } from '${from}';\n`;
  const imports = [...text.matchAll(/^import [^;]*? from '([^']+)';\n/gm)];
  const next = imports.find(([, path]) => path.startsWith('./') && path > from);
  const last = imports.at(-1);
  const at = next?.index ?? last.index + last[0].length;
  return text.slice(0, at) + line + text.slice(at);
}

/** With one member more, behind the others. */
function withMember(text, name, list) {
  const array = /^(export const \w+(?:: (?:readonly )?.*?\[\])? = \[)([^\]]*)(\](?: as const)?;)/m;
  if (!array.test(text)) throw new Error(`src/pipeline/${list} has no list of its members`);
  return text.replace(array, (_, open, members, close) => {
    const kept = members.trim().replace(/,$/, '');
    return `${open}${kept === '' ? '' : `${kept}, `}${name}${close}`;
  });
}
