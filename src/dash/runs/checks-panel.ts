import { count, plural } from '../../pipeline/format.ts';
import { RUN_COLUMNS } from '../../pipeline/models/minimal/columns.ts';
import type { CheckResult, Verdict } from '../../pipeline/theory/check.ts';
import { type App, hasColumns, messageOf, type Panel, type Run } from '../app.ts';
import type { ReadRun } from '../checks/check-protocol.ts';
import { button, el } from '../dom.ts';
import { scrollTable } from '../roving.ts';
import { panelFrame } from './panel-frame.ts';

const MARKS: Readonly<Record<Verdict, string>> = {
  holds: '✓',
  fails: '✗',
  'not reached': '…',
  'does not apply': '–',
};
/** Larger runs are read and checked only when that is asked for. */
const MOST_ROWS = 200_000;
const NEEDS = ['step', 'alpha', 'beta1', 'beta2'];

/** What the theory says of a run and whether it holds, check by check. */
export function checksPanel(app: App): Panel {
  let results: readonly CheckResult[] = [];
  let checked: unknown;
  let asked: unknown;
  const head = {
    id: 'checks',
    title: 'Checks',
    unit: '',
    table: () => csv(results),
    description:
      'The checks of eos verify: what is known of the dynamics, held against the rows of this ' +
      'file. ✓ holds, ✗ fails, … the run is too short to tell, – does not apply. A click on ' +
      'steps shows those that decide. To make the run once more and compare each bit, use eos ' +
      'verify.',
  };
  const frame = panelFrame(app, head);
  const { body } = frame;
  body.classList.add('flow');
  const said = el('output', { class: 'note' });
  const rows = el('tbody');
  const scroller = scrollTable(
    'Table of checks',
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        ...['Check', 'Measured', 'Predicted', 'Margin', 'Decided by steps'].map((heading) =>
          el('th', { scope: 'col' }, heading),
        ),
      ),
    ),
    rows,
  );
  const start = button('Check this run', { class: 'text-button', 'data-act': 'check' }, () => {
    const run = checkable();
    if (run) void check(run);
  });
  body.append(said, start, scroller);

  const shows = (run: Run): boolean => run.facts.minimal !== undefined && hasColumns(run, NEEDS);
  const checkable = () => app.runs().find(shows);

  async function check(run: Run): Promise<void> {
    asked = run.info;
    start.hidden = true;
    said.textContent = `Checking ${run.name} …`;
    try {
      const { startChecks } = await import('../checks/start-checks.ts');
      const worker = startChecks();
      const found = await readRun(run).then(worker.check).finally(worker.close);
      if (asked !== run.info) return;
      results = found;
      checked = run.info;
      fill(run);
    } catch (error) {
      if (asked !== run.info) return;
      said.textContent = `The checks cannot be made: ${messageOf(error)}`;
      scroller.hidden = true;
    }
    body.dataset.checked = String(results.length);
  }

  function fill(run: Run): void {
    const words = (Object.keys(MARKS) as Verdict[]).flatMap((verdict) => {
      const n = results.filter((result) => result.verdict === verdict).length;
      return n === 0 ? [] : [`${n} ${verdict === 'holds' && n > 1 ? 'hold' : verdict}`];
    });
    const whose = app.runs().length > 1 ? `${run.name}: ` : '';
    said.textContent = `${whose}${plural(results.length, 'check')}: ${words.join(', ')}.`;
    scroller.hidden = false;
    rows.replaceChildren(...results.map((result) => line(run, result)));
  }

  function line(run: Run, { name, statement, verdict, text, note, steps }: CheckResult) {
    const [first, last] = steps ?? [0, 0];
    const label = first === last ? `${count(last)}` : `${count(first)} – ${count(last)}`;
    const link = button(
      `Show steps ${label}, which decide ${name}`,
      { class: 'link' },
      () => {
        const air = Math.max(5, (last - first) * 0.05);
        app.zoomTo(run, [first - air, last + air]);
      },
      label,
    );
    const cell = (value: string) => el('td', {}, value === '' ? '–' : value);
    return el(
      'tr',
      { 'data-check': name, 'data-verdict': verdict },
      el(
        'td',
        { title: statement },
        el('span', { class: 'verdict', 'aria-label': verdict, role: 'img' }, MARKS[verdict]),
        el('strong', {}, ` ${name}`),
        el('span', { class: 'statement' }, note ? `${statement}. ${note}` : statement),
      ),
      ...[text.measured, text.predicted, text.margin].map(cell),
      el('td', {}, ...(steps ? [link] : ['–'])),
    );
  }

  async function draw(): Promise<void> {
    frame.update();
    const run = checkable();
    if (!run || run.info === checked || run.info === asked) return;
    scroller.hidden = true;
    said.textContent = '';
    start.hidden = false;
    if (run.writing) said.textContent = 'The run goes on; it can be checked so far.';
    else if (run.info.rows > MOST_ROWS)
      said.textContent = `${plural(run.info.rows, 'row')} would be read for it.`;
    else if (seen) void check(run);
  }

  // Only what somebody looks at is computed.
  let seen = false;
  new IntersectionObserver((entries) => {
    if (seen || !entries.some(({ isIntersecting }) => isIntersecting)) return;
    seen = true;
    void draw();
  }).observe(frame.element);

  return {
    id: head.id,
    title: head.title,
    element: frame.element,
    needs: NEEDS,
    shows,
    draw,
    follow: () => {},
  };
}

async function readRun({ client, info }: Run): Promise<ReadRun> {
  const names = info.columns.map(({ name }) => name);
  const wanted = names.filter((name) => RUN_COLUMNS.some((column) => column.name === name));
  const columns = await Promise.all(wanted.map((name) => client.column(name)));
  return {
    rows: info.rows,
    metadata: info.metadata,
    names,
    columns: Object.fromEntries(wanted.map((name, i) => [name, columns[i]!])),
  };
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

const csv = (results: readonly CheckResult[]): string =>
  [
    'check,verdict,measured,predicted,margin,first_step,last_step,statement,note',
    ...results.map(({ name, verdict, measured, predicted, margin, steps, statement, note }) =>
      [
        ...[name, verdict, measured ?? '', predicted ?? '', margin ?? ''],
        ...[steps?.[0] ?? '', steps?.[1] ?? '', quoted(statement), quoted(note ?? '')],
      ].join(','),
    ),
  ]
    .join('\n')
    .concat('\n');
