import { closest, distance } from 'fastest-levenshtein';

/** `; did you mean X?` where a known name is close enough to be meant, else nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const candidate = closest(name, known);
  const close = distance(name, candidate) <= Math.max(2, Math.floor(candidate.length / 3));
  return close || candidate.startsWith(name) ? `; did you mean ${candidate}?` : '';
}
