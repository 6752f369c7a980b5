import { ConfigError } from '../core/parameters.ts';

const TOKEN = /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|(\p{L}+)|([-+*/()]))/uy;

/**
 * An expression of the four operations, with brackets and names of variables, such as `(2 +
 * 2*beta)/eta`.
 * @throws ConfigError under the name `key` where it is not one
 */
export function parseExpression(
  key: string,
  text: string,
  names: readonly string[],
): (values: Readonly<Record<string, number>>) => number {
  type Value = (values: Readonly<Record<string, number>>) => number;
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const whole = text.trim();
  while (TOKEN.lastIndex < whole.length) {
    const match = TOKEN.exec(whole);
    if (!match) throw wrong();
    tokens.push(match[1] ?? match[2] ?? match[3]!);
  }
  let at = 0;

  function wrong(): ConfigError {
    return new ConfigError(
      key,
      `'${text.slice(0, 40)}' is not an expression of ${names.join(', ')}, such as 2/eta`,
    );
  }

  function sum(): Value {
    let left = product();
    while (tokens[at] === '+' || tokens[at] === '-') {
      const sign = tokens[at++] === '+' ? 1 : -1;
      const [before, right] = [left, product()];
      left = (values) => before(values) + sign * right(values);
    }
    return left;
  }

  function product(): Value {
    let left = factor();
    while (tokens[at] === '*' || tokens[at] === '/') {
      const divide = tokens[at++] === '/';
      const [before, right] = [left, factor()];
      left = (values) => (divide ? before(values) / right(values) : before(values) * right(values));
    }
    return left;
  }

  function factor(): Value {
    const token = tokens[at++];
    if (token === undefined) throw wrong();
    if (token === '-') {
      const value = factor();
      return (values) => -value(values);
    }
    if (token === '(') {
      const inner = sum();
      if (tokens[at++] !== ')') throw wrong();
      return inner;
    }
    const number = Number(token);
    if (!Number.isNaN(number)) return () => number;
    if (!names.includes(token)) throw wrong();
    return (values) => values[token]!;
  }

  const value = sum();
  if (at < tokens.length) throw wrong();
  return value;
}
