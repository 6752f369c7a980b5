import { formatNumber } from '../../pipeline/format.ts';
import type { App } from '../app.ts';
import { el } from '../dom.ts';
import { valueScale } from './colors.ts';
import { columnTitle } from './run-query.ts';

/** How the runs are drawn: colours, means, differences, and more columns of the table. */
export function viewMenu(app: App): {
  readonly element: HTMLElement;
  /** The ends of the scale of colours. */
  readonly scale: HTMLElement;
  draw(parameters: readonly string[], numbers: readonly string[]): void;
} {
  const choice = (label: string, key: 'color' | 'group' | 'minus') => {
    const select = el('select', { 'data-act': key });
    select.addEventListener('change', () => app.store.set({ [key]: select.value || null }));
    return { select, element: el('label', { class: 'menu-choice' }, label, select) };
  };
  const color = choice('colour by', 'color');
  const group = choice('mean by', 'group');
  const minus = choice('minus', 'minus');
  const columns = el('div', { class: 'menu-columns' });
  let offered = '';
  const items = el(
    'div',
    { class: 'menu-items view-items' },
    color.element,
    group.element,
    minus.element,
    columns,
  );
  const element = el(
    'details',
    { class: 'menu' },
    el('summary', { class: 'text-button', 'data-act': 'view' }, 'Compare'),
    items,
  );
  const scale = el('span', { class: 'ramp-key', hidden: true });
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !element.open) return;
    element.open = false;
    element.querySelector('summary')?.focus();
    event.stopPropagation();
  });
  document.addEventListener('pointerdown', (event) => {
    if (event.target instanceof Node && !element.contains(event.target)) element.open = false;
  });

  const fill = (
    select: HTMLSelectElement,
    options: readonly (readonly [string, string])[],
    value: string | null,
  ) => {
    // What a link asks for stands there even where no run has it.
    const all = options.some(([key]) => key === (value ?? ''))
      ? options
      : [...options, [value!, value!] as const];
    if (document.activeElement !== select)
      select.replaceChildren(...all.map(([key, text]) => el('option', { value: key }, text)));
    select.value = value ?? '';
  };

  function check(key: string): HTMLElement {
    const box = el('input', { type: 'checkbox', value: key });
    box.checked = app.store.get().columns.includes(key);
    box.addEventListener('change', () => {
      const others = app.store.get().columns.filter((each) => each !== key);
      app.store.set({ columns: box.checked ? [...others, key] : others });
    });
    return el('label', {}, box, ` ${columnTitle(key)}`);
  }

  function drawScale(): void {
    const by = app.store.get().group ?? app.store.get().color;
    const found = by === null ? undefined : valueScale(app.runs(), by);
    scale.hidden = !found;
    if (!found || by === null) return;
    const bar = el('span', { class: 'ramp-bar' });
    const at = (share: number) => found.color(found.low + share * (found.high - found.low));
    const stops = [0, 0.25, 0.5, 0.75, 1].map(at).join(', ');
    bar.style.background = `linear-gradient(to right, ${stops})`;
    scale.replaceChildren(`${by} ${formatNumber(found.low, 3)}`, bar, formatNumber(found.high, 3));
  }

  return {
    element,
    scale,
    draw(parameters, numbers) {
      drawScale();
      const view = app.store.get();
      const runs = app.runs();
      // What is made anew is laid out anew, though nobody sees it: a run that goes on changes none.
      const now = JSON.stringify([
        ...[parameters, numbers, view.color, view.group, view.minus, view.columns],
        ...runs.map(({ link, name, dynamics }) => [link, name, dynamics.map((each) => each.name)]),
      ]);
      if (now === offered) return;
      // Under the hands of somebody not all of it is.
      offered = element.contains(document.activeElement) ? '' : now;
      const named = parameters.map((key) => [key.slice(1), key.slice(1)] as const);
      fill(color.select, [['', 'run'], ...named], view.color);
      fill(group.select, [['', 'each run'], ...named], view.group);
      const dynamics = new Set(runs.flatMap((run) => run.dynamics.map(({ name }) => name)));
      fill(
        minus.select,
        [
          ['', 'nothing'],
          ...[...dynamics].map((name) => [name, `${name} dynamics beside each`] as const),
          ...(runs.length > 1 ? runs : []).map(({ link, name }) => [link ?? name, name] as const),
        ],
        view.minus,
      );
      if (!columns.contains(document.activeElement)) columns.replaceChildren(...numbers.map(check));
    },
  };
}
