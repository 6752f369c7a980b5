// The library as Node sees it: all of index.ts, and sinks and `readRun` that know files by name.
import { readNamesWith } from '../formats/byte-source.ts';
import { openNamesWith } from '../formats/byte-target.ts';
import { namedTarget } from './named-target.ts';
import { pathSource } from './path-source.ts';

openNamesWith(namedTarget);
readNamesWith(pathSource);

export * from '../index.ts';
// Here nothing is loaded later, so that what cannot be used is refused at once.
export { gradientDescent } from '../sources/descent/gradient-descent.ts';
