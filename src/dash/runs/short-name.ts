/** Letters at the end of a long name that stay: they often tell runs apart. */
const NAME_END = 13;
const LONG_NAME = 28;

/** A name in two parts, of which the first may be cut off where there is no room. */
export function nameParts(name: string): readonly [string, string] {
  const letters = [...name];
  const end = letters.length > LONG_NAME ? NAME_END : 0;
  return [
    letters.slice(0, letters.length - end).join(''),
    letters.slice(letters.length - end).join(''),
  ];
}

/** A name shortened in its middle. */
export function shortName(name: string): string {
  const [start, end] = nameParts(name);
  return end === '' ? start : `${[...start].slice(0, LONG_NAME - NAME_END - 1).join('')}…${end}`;
}
