/** Longer values are cut in messages. */
const LONGEST_SHOWN = 120;

/** A value as a message names it: text in quotes, and no more of it than a reader wants. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${cut(value)}'`;
  if (Array.isArray(value)) {
    const first = value.slice(0, LONGEST_SHOWN).map(show).join(', ');
    return cut(`[${first}]`);
  }
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return cut(JSON.stringify(value));
  } catch {
    return 'what is given, nested beyond reason,';
  }
}

const cut = (text: string): string =>
  text.length <= LONGEST_SHOWN
    ? text
    : `${text.slice(0, LONGEST_SHOWN)}… (${text.length} characters)`;
