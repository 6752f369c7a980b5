import { described, jsonObject } from '../../pipeline/formats/table-file.ts';
import { COLUMNS_KEY } from '../../pipeline/formats/table-format.ts';
import { type App, hasColumns, type Panel, type Run } from '../app.ts';
import { el } from '../dom.ts';
import type { TimeSeries } from '../plots/time-series.ts';
import { timePanel } from './time-panel.ts';

/** Panels of single columns that the reader has put on the page; the link names them. */
export interface AddedPanels {
  /** The panels that the view names. */
  panels(): readonly Panel[];
  /** The choice of columns. */
  readonly choice: HTMLElement;
  /** Brings the choice in line with the runs. */
  draw(): void;
}

/** @param place stands behind the panels that are added */
export function addedPanels(
  app: App,
  place: HTMLElement,
  made: (panel: Panel) => void,
): AddedPanels {
  const known = new Map<string, Panel>();
  const select = el('select', { 'aria-label': 'Column', 'data-act': 'add-panel' });
  const choice = el('label', { class: 'add-panel', hidden: true }, 'Add a panel of ', select);
  let offered = '';
  select.addEventListener('change', () => {
    const { added } = app.store.get();
    if (select.value !== '' && !added.includes(select.value))
      app.store.set({ added: [...added, select.value] });
    select.value = '';
  });

  function panelOf(column: string): Panel {
    const panel = timePanel(app, seriesOf(app, column), () => {
      const { added } = app.store.get();
      app.store.set({ added: added.filter((each) => each !== column) });
      select.focus();
    });
    place.before(panel.element);
    made(panel);
    return panel;
  }

  return {
    choice,
    panels() {
      const { added } = app.store.get();
      for (const [column, panel] of known) {
        if (added.includes(column)) continue;
        panel.element.remove();
        known.delete(column);
      }
      // What a column means is known once a run is there.
      if (app.runs().length > 0)
        for (const column of added) if (!known.has(column)) known.set(column, panelOf(column));
      return [...known.values()];
    },
    draw() {
      const runs = app.runs();
      const columns = [...new Set(runs.flatMap(numbersOf))].filter((name) => name !== 'step');
      choice.hidden = columns.length === 0;
      if (columns.join() === offered) return;
      offered = columns.join();
      select.replaceChildren(
        el('option', { value: '' }, 'a column …'),
        ...columns.map((name) => el('option', { value: name }, name)),
      );
    },
  };
}

const numbersOf = ({ info }: Run): readonly string[] =>
  info.columns.flatMap(({ name, kind }) => (kind === 'number' ? [name] : []));

function seriesOf(app: App, column: string): TimeSeries {
  const run = app.runs().find((each) => hasColumns(each, [column]));
  const { symbol, unit, meaning } = described(
    jsonObject(run?.info.metadata[COLUMNS_KEY])?.[column],
  );
  return {
    id: `column-${column}`,
    title: column,
    unit: unit || '',
    axis: symbol || column,
    description: meaning || 'A column of the file, which does not say what it means.',
    scale: 'linear',
    order: 99,
    series: [{ key: 'value', label: symbol || column, column, color: 'other' }],
  };
}
