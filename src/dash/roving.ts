import { el } from './dom.ts';

const ITEMS = 'button, select, summary, input[type=checkbox]';
/** Keys, and by how many places they go on; in a table up and down go from row to row. */
const WAYS: Readonly<Record<string, readonly [by: number, rows: boolean]>> = {
  ArrowLeft: [-1, false],
  ArrowRight: [1, false],
  ArrowUp: [-1, true],
  ArrowDown: [1, true],
  Home: [Number.NEGATIVE_INFINITY, false],
  End: [Number.POSITIVE_INFINITY, false],
};

/**
 * Makes one stop of the Tab key of all buttons and lists in a box, but for those that have stops of
 * their own; inside, the arrow keys move, as in any toolbar.
 * A box that scrolls is a stop itself where it has none of them.
 */
export function roving(box: HTMLElement, scrolls = false): void {
  let current: HTMLElement | undefined;
  const items = (): HTMLElement[] =>
    [...box.querySelectorAll<HTMLElement>(ITEMS)].filter(
      (item) => !item.closest('[hidden], .menu-items, .own-stops') && !item.matches(':disabled'),
    );

  function settle(): void {
    const all = items();
    if (!current || !all.includes(current)) current = all[0];
    for (const item of all) {
      const index = item === current ? 0 : -1;
      if (item.tabIndex !== index) item.tabIndex = index;
    }
    if (!scrolls) return;
    // Asked only where it matters: the answer takes a layout of the page.
    const hides = () => box.scrollHeight > box.clientHeight || box.scrollWidth > box.clientWidth;
    box.tabIndex = all.length === 0 && hides() ? 0 : -1;
  }

  box.addEventListener('focusin', ({ target }) => {
    if (!items().includes(target as HTMLElement)) return;
    current = target as HTMLElement;
    settle();
  });
  box.addEventListener('keydown', (event) => {
    const way = WAYS[event.key];
    const all = items();
    const at = all.indexOf(event.target as HTMLElement);
    if (!way || at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const [by, rows] = way;
    const row = rows ? all[at]!.closest('tbody tr') : null;
    // A list is gone through with up and down.
    if (rows && !row && all[at]!.matches('select')) return;
    const beside =
      row && all.filter((each) => each.closest('tr')?.parentElement === row.parentElement);
    const next = beside ? inNextRow(beside, all[at]!, by) : all[clamp(at + by, all.length)];
    event.preventDefault();
    next?.focus();
  });
  new MutationObserver(settle).observe(box, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ['hidden', 'disabled'],
  });
  // What fits now may have to scroll in a smaller window, or with longer figures.
  if (scrolls) {
    const sizes = new ResizeObserver(settle);
    for (const each of [box, ...box.children]) sizes.observe(each);
  }
  settle();
}

/** A table in a box that scrolls. */
export function scrollTable(label: string, ...table: readonly HTMLElement[]): HTMLElement {
  const box = el(
    'div',
    { class: 'table-scroll', role: 'region', 'aria-label': label },
    el('table', {}, ...table),
  );
  roving(box, true);
  return box;
}

const clamp = (at: number, length: number): number => Math.max(0, Math.min(length - 1, at));

/** The first item of the next row that has one. */
function inNextRow(all: readonly HTMLElement[], from: HTMLElement, by: number) {
  const firsts = all.filter((item, i) => item.closest('tr') !== all[i - 1]?.closest('tr'));
  const at = firsts.findIndex((item) => item.closest('tr') === from.closest('tr'));
  return firsts[clamp(at + by, firsts.length)];
}
