// The library as Node sees it: all of index.ts, and sinks that know files by name.
import { openNamesWith } from '../formats/byte-target.ts';
import { fileTarget } from './file-target.ts';

openNamesWith(fileTarget);

export * from '../index.ts';
