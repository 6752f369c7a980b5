import { distance } from 'fastest-levenshtein';

/** `; did you mean X?` where a known name is close enough to be meant, else nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, away: away(name, candidate) }))
    .sort((a, b) => a.away - b.away);
  if (!nearest) return '';
  const { candidate } = nearest;
  const close = distance(name, candidate) <= Math.max(2, Math.floor(candidate.length / 3));
  return close || candidate.startsWith(name) ? `; did you mean ${candidate}?` : '';
}

/**
 * What begins with the name is near. Of names as near as each other it is the one with the same
 * letters: two are often swapped.
 */
function away(name: string, candidate: string): number {
  if (candidate.startsWith(name)) return 1;
  const strange = [...name].filter((letter) => !candidate.includes(letter)).length;
  return distance(name, candidate) + strange / (name.length + 1);
}
