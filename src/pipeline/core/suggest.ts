/** `; did you mean X?` where a known name is close enough to be meant, else nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, away: away(name, candidate) }))
    .filter(({ candidate, away }) => away <= most(candidate))
    .sort((a, b) => a.away - b.away);
  return nearest ? `; did you mean ${nearest.candidate}?` : '';
}

/** As many letters of a name may be wrong. */
const most = (candidate: string) => Math.max(2, Math.floor(candidate.length / 3));

/** What begins with the name is near; what is much longer or shorter is not looked at. */
function away(name: string, candidate: string): number {
  if (candidate.startsWith(name)) return 1;
  const longer = Math.abs(candidate.length - name.length);
  return longer > most(candidate) ? longer : distance(name, candidate);
}

/** How many letters to insert, remove, change or swap with their neighbour make `a` into `b`. */
function distance(a: string, b: string): number {
  const least: number[][] = [];
  for (let i = 0; i <= a.length; i++) {
    least[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      if (i === 0) {
        least[0]![j] = j;
        continue;
      }
      const [row, above] = [least[i]!, least[i - 1]!];
      const changed = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, least[i - 2]![j - 2]! + 1);
    }
  }
  return least[a.length]![b.length]!;
}
