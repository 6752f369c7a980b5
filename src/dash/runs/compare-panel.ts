import { formatNumber } from '../../pipeline/format.ts';
import type { App, Panel, Run } from '../app.ts';
import { el } from '../dom.ts';
import { scrollTable } from '../roving.ts';
import { panelFrame } from './panel-frame.ts';
import { cellsOf, columnTitle, NUMBERS } from './run-query.ts';

/** In what two runs differ: parameters, and what became of them. */
export function comparePanel(app: App): Panel {
  let table: readonly (readonly string[])[] = [];
  const head = {
    id: 'compare',
    title: 'Differences',
    unit: 'of two runs',
    table: () => table.map((cells) => cells.map(quoted).join(',')).join('\n'),
    description:
      'The parameters in which the two runs differ, and the numbers of their summaries that ' +
      'differ. What both have in common is left out.',
  };
  const frame = panelFrame(app, head);
  const headRow = el('tr');
  const rows = el('tbody');
  frame.body.classList.add('flow');
  frame.body.append(scrollTable('Table of differences', el('thead', {}, headRow), rows));
  return {
    id: head.id,
    title: head.title,
    element: frame.element,
    needs: [],
    shows: () => app.runs().length === 2,
    async draw() {
      frame.update();
      const [a, b] = app.runs();
      if (!a || !b) return;
      const found = differences(a, b);
      table = [['Parameter', a.name, b.name, 'second − first'], ...found];
      headRow.replaceChildren(...table[0]!.map((text) => el('th', { scope: 'col' }, text)));
      rows.replaceChildren(
        ...found.map(([name, ...cells]) =>
          el(
            'tr',
            {},
            el('th', { scope: 'row' }, name),
            ...cells.map((text) => el('td', {}, text)),
          ),
        ),
      );
    },
    follow: () => {},
  };
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function differences(a: Run, b: Run): string[][] {
  const write = (value: number) => formatNumber(value, 6);
  const [first, second] = [cellsOf(a, write), cellsOf(b, write)];
  const keys = [...new Set([...first.keys(), ...second.keys()])];
  return keys.flatMap((key) => {
    const [one, two] = [first.get(key), second.get(key)];
    // What the summary says itself stands there with all its digits.
    if (one?.sort === two?.sort || NUMBERS.includes(key)) return [];
    const numbers = typeof one?.sort === 'number' && typeof two?.sort === 'number';
    const change = numbers ? write(Number(two.sort) - Number(one.sort)) : '';
    return [[columnTitle(key), one?.text ?? '–', two?.text ?? '–', change]];
  });
}
