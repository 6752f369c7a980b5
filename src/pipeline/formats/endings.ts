/** Endings of the formats that people know, without the dot; the usual one first. */
const ENDINGS = {
  parquet: ['parquet', 'pq'],
  arrow: ['arrow', 'arrows', 'feather', 'ipc'],
  csv: ['csv', 'tsv'],
  json: ['json'],
  ndjson: ['ndjson', 'jsonl'],
  other: 'txt html npy npz h5 hdf5 xlsx sqlite db gz zip'.split(' '),
} as const;

export type KnownFormat = keyof typeof ENDINGS;

export const endingOf = (format: string): string =>
  `.${(ENDINGS as Readonly<Record<string, readonly string[]>>)[format]![0]}`;

/** What the name of a file says of its format; undefined where it says none that is known. */
export function saidFormat(name: string): { ending: string; format: KnownFormat } | undefined {
  const ending = /[^/\\]\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  const formats = Object.keys(ENDINGS) as KnownFormat[];
  const format = formats.find((known) => ENDINGS[known].some((each) => each === ending));
  return format && { ending: `.${ending}`, format };
}
