/** A path such as `metrics.hessian.eigs[-1]`, `a["b.c"]`, or a plain name, as keys and indices. */
export type JsonPath = readonly (string | number)[];

const PART = /([^.[\]]+)|\[(-?\d+)\]|\["((?:[^"\\]|\\.)*)"\]/y;

/** Splits a path; null where it is not one. */
export function parsePath(text: string): JsonPath | null {
  const parts: (string | number)[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === '.' && at > 0) at++;
    PART.lastIndex = at;
    const match = PART.exec(text);
    if (!match) return null;
    const [whole, name, index, quoted] = match;
    if (name !== undefined)
      parts.push(/^-?\d+$/.test(name) && parts.length > 0 ? Number(name) : name);
    else if (index !== undefined) parts.push(Number(index));
    else parts.push(quoted!.replace(/\\(.)/g, '$1'));
    at += whole.length;
  }
  return parts.length === 0 ? null : parts;
}

/** What stands at a path; undefined where nothing does. A negative index counts from the end. */
export function valueAt(root: unknown, path: JsonPath): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value)) value = typeof part === 'number' ? value.at(part) : undefined;
    else if (Object.hasOwn(value, part)) value = (value as Readonly<Record<string, unknown>>)[part];
    else return undefined;
  }
  return value;
}

/** A string that is not closed reaches to the end: else each quote in it would be looked behind. */
const STRING_OR_WORD = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|-?\b(?:NaN|Infinity)\b/gs;

/**
 * JSON, and also the words NaN, Infinity and −Infinity that Python writes for such numbers: they
 * come as strings.
 * @throws SyntaxError where it is neither
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error;
    return JSON.parse(
      text.replace(STRING_OR_WORD, (match) => (match.startsWith('"') ? match : `"${match}"`)),
    );
  }
}
