// The bill of materials of the package, in the terms of CycloneDX 1.5: all that npm installs beside
// it, or that its bundles hold, as the lock file names it. The same lock file gives the same bytes.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundledPackages } from './third-party.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const own = packages[''];

/** Where a package finds another one: in the nearest folder upwards, as Node does. */
function find(from, name) {
  for (
    let folder = from;
    ;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))
  ) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[place]) return place;
    if (folder === '') return undefined;
  }
}

const needs = (place) => {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = packages[place];
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  return names.map((name) => find(place, name)).filter(Boolean);
};

/** All that these places lead to. */
function closure(places) {
  const all = new Set();
  const visit = (place) => {
    if (all.has(place)) return;
    all.add(place);
    needs(place).forEach(visit);
  };
  places.forEach(visit);
  return all;
}

const nameOf = (place) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
const purl = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`;
const refOf = (place) =>
  place === ''
    ? purl(own.name, own.version)
    : `${purl(nameOf(place), packages[place].version)}#${place}`;

const bundled = bundledPackages().map(({ name, version }) =>
  Object.keys(packages).find(
    (place) => nameOf(place) === name && packages[place].version === version,
  ),
);
const required = closure(Object.keys(own.dependencies).map((name) => find('', name)));
for (const place of bundled) required.add(place);
const all = [...new Set([...closure(needs('')), ...bundled])].sort();
const known = new Set(all);
const leadsTo = (place) => (place === '' ? [...needs(place), ...bundled] : needs(place));

function component(place) {
  const { version, license, integrity } = packages[place];
  const name = nameOf(place);
  const sha512 = integrity?.startsWith('sha512-')
    ? Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex')
    : undefined;
  return {
    type: 'library',
    'bom-ref': refOf(place),
    name,
    version,
    scope: required.has(place) ? 'required' : 'optional',
    ...(sha512 ? { hashes: [{ alg: 'SHA-512', content: sha512 }] } : {}),
    ...(license
      ? { licenses: [/ /.test(license) ? { expression: license } : { license: { id: license } }] }
      : {}),
    purl: purl(name, version),
  };
}

const content = {
  metadata: {
    component: {
      type: 'application',
      'bom-ref': refOf(''),
      name: own.name,
      version: own.version,
      licenses: [{ license: { id: own.license } }],
      purl: purl(own.name, own.version),
    },
  },
  components: all.map(component),
  dependencies: ['', ...all].map((place) => ({
    ref: refOf(place),
    dependsOn: [
      ...new Set(
        leadsTo(place)
          .filter((each) => known.has(each))
          .map(refOf),
      ),
    ].sort(),
  })),
};
// A name of this very content, in the shape of a UUID.
const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
const uuid = hash.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, '$1-$2-4$3-8$4-$5');
const bom = {
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  serialNumber: `urn:uuid:${uuid}`,
  version: 1,
  ...content,
};
writeFileSync(join(root, 'sbom.cdx.json'), `${JSON.stringify(bom, null, 2)}\n`);
