import { button, el, unbroken } from '../dom.ts';
import mathml from './formulas.tex';
import { TOUR, type TourRun } from './tour.ts';

/** What the tour does to the lab. */
export interface TourActions {
  /** Starts these runs, in place of those that are there, and plays them. */
  show(runs: readonly TourRun[]): Promise<void>;
  /** The stop that is shown has changed, which the link tells; null where the tour is left. */
  moved(stop: number | null): void;
}

export interface TourPanel {
  readonly element: HTMLElement;
  /** Goes to a stop, counted from 1. */
  go(stop: number): Promise<void>;
}

/** A formula, as the page was built with it. */
function formula(name: string): Element {
  const parsed = new DOMParser().parseFromString(mathml[name]!, 'application/xml');
  return document.importNode(parsed.documentElement, true);
}

/** Formulas, behind a click. */
export function formulaBox() {
  // On a narrow screen it scrolls, which has to go without a pointer too.
  const box = el('div', {
    ...{ class: 'formulas', role: 'group', 'aria-label': 'Formulas', tabindex: 0 },
  });
  let shown = '';
  return {
    element: el('details', {}, el('summary', {}, 'Formulas'), box),
    show(names: readonly string[]) {
      if (names.join() === shown) return;
      shown = names.join();
      box.replaceChildren(...names.map((name) => el('div', {}, formula(name))));
    },
  };
}

/** The guided tour: a box that tells what the runs below it show. */
export function tourPanel({ show, moved }: TourActions): TourPanel {
  let at = 0;
  /** The runs of a stop are begun once those of the last one are. */
  let showing: Promise<void> = Promise.resolve();
  const place = el('span', { class: 'tour-place' });
  const title = el('h2', { class: 'tour-title', tabindex: -1 });
  const text = el('p', { class: 'tour-text' });
  const formulas = formulaBox();
  const back = button('Back', { 'data-act': 'tour-back' }, () => void go(at - 1));
  const next = button('Next', { class: 'primary', 'data-act': 'tour-next' }, () => void go(at + 1));
  const element = el(
    'section',
    { class: 'tour', 'aria-label': 'Guided tour', hidden: true },
    el(
      'div',
      { class: 'tour-head' },
      title,
      place,
      el(
        'span',
        { class: 'tour-ways' },
        back,
        next,
        button('Leave the tour', { 'data-act': 'tour-leave' }, () => {
          element.hidden = true;
          document.body.classList.remove('touring');
          moved(null);
        }),
      ),
    ),
    text,
    formulas.element,
  );

  async function go(stop: number): Promise<void> {
    at = Math.min(TOUR.length, Math.max(1, stop));
    const shown = TOUR[at - 1]!;
    place.textContent = `${at} of ${TOUR.length}`;
    title.textContent = shown.title;
    text.replaceChildren(...unbroken(shown.text));
    formulas.show(shown.formulas);
    back.disabled = at === 1;
    next.disabled = at === TOUR.length;
    element.hidden = false;
    document.body.classList.add('touring');
    element.dataset.stop = String(at);
    moved(at);
    const mine = at;
    showing = showing.then(() => (mine === at ? show(shown.runs) : undefined));
    await showing;
    // For those who drive the page by program: its runs have begun.
    if (mine === at) element.dataset.begun = String(at);
    // A button that has become unusable cannot keep the focus.
    if (document.activeElement === document.body) title.focus();
  }

  return { element, go };
}
