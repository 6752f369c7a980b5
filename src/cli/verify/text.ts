import { count } from '../../pipeline/format.ts';
import { type CheckResult, round, type Verdict } from '../../pipeline/theory/check.ts';
import type { ConvergenceTime } from '../../pipeline/theory/checks/global-convergence.ts';
import type { Styles } from '../terminal.ts';

const MARKS: Readonly<Record<Verdict, string>> = {
  holds: '✓',
  fails: '✗',
  'not reached': '…',
  'does not apply': '–',
};

const PAINTS = {
  holds: 'green',
  fails: 'red',
  'not reached': 'yellow',
  'does not apply': 'dim',
} as const;

/**
 * The checks as a table, each with its statement under it, no line wider than `width` where words
 * allow.
 */
export function verifyLines(
  results: readonly CheckResult[],
  lastStep: number | null,
  paint: Styles,
  width: number,
): readonly string[] {
  const names = Math.max(...results.map(({ name }) => name.length));
  const lines: string[] = [];
  for (const result of results) {
    const { name, verdict, statement, text, note, recomputed } = result;
    const word =
      verdict === 'not reached'
        ? `not reached within ${lastStep === null ? 0 : count(lastStep)} steps`
        : verdict;
    lines.push(
      `${paint[PAINTS[verdict]](MARKS[verdict])} ${paint.bold(name.padEnd(names))}  ` +
        `${paint[PAINTS[verdict]](word)}`,
    );
    const add = (label: string, value: string) => {
      if (value !== '') lines.push(...wrapped(value, width, `    ${label.padEnd(10)}`));
    };
    add('statement', statement);
    add('measured', text.measured);
    add('predicted', text.predicted);
    add('margin', text.margin);
    add('note', note ?? '');
    add('recomputed', recomputed.join(', '));
    const grid = result.details?.grid as readonly ConvergenceTime[] | undefined;
    if (grid) lines.push(...gridLines(grid).map((line) => `    ${' '.repeat(10)} ${line}`));
  }
  return lines;
}

/** One line: how many of each verdict. */
export function countLine(results: readonly CheckResult[], paint: Styles): string {
  return (Object.keys(MARKS) as Verdict[])
    .map((verdict) => ({
      verdict,
      n: results.filter((result) => result.verdict === verdict).length,
    }))
    .filter(({ n }) => n > 0)
    .map(({ verdict, n }) => paint[PAINTS[verdict]](`${n} ${n === 1 ? verdict : PLURALS[verdict]}`))
    .join(', ');
}

const PLURALS: Readonly<Record<Verdict, string>> = {
  holds: 'hold',
  fails: 'fail',
  'not reached': 'not reached',
  'does not apply': 'do not apply',
};

/** T(δ, ε): a row a δ, a column an ε. */
function gridLines(grid: readonly ConvergenceTime[]): string[] {
  const deltas = [...new Set(grid.map(({ delta }) => delta))];
  const epsilons = [...new Set(grid.map(({ epsilon }) => epsilon))];
  const cell = (delta: number, epsilon: number) => {
    const found = grid.find((time) => time.delta === delta && time.epsilon === epsilon)!;
    return found.step === null ? (found.verdict === 'fails' ? 'fails' : '…') : count(found.step);
  };
  const rows = [
    ['T(δ, ε)', ...epsilons.map((epsilon) => `ε ${round(epsilon)}`)],
    ...deltas.map((delta) => [
      `δ ${round(delta)}`,
      ...epsilons.map((epsilon) => cell(delta, epsilon)),
    ]),
  ];
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => row[c]!.length)));
  return rows.map((row) =>
    row
      .map((text, c) => (c === 0 ? text.padEnd(widths[c]!) : text.padStart(widths[c]!)))
      .join('  '),
  );
}

function wrapped(text: string, width: number, label: string): string[] {
  const indent = ' '.repeat(label.length + 1);
  const lines: string[] = [];
  let line = label;
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > width && line.trim() !== '' && line !== label) {
      lines.push(line);
      line = indent.slice(0, -1);
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
