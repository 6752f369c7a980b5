import { plural } from '../../pipeline/format.ts';
import type { App, Run } from '../app.ts';
import { el } from '../dom.ts';
import { phaseName } from '../plots/theme.ts';
import { doubtOf, KEY_FIGURES, liveFigures } from './key-figures.ts';

/** More warnings than this would push the charts off the first screen. */
const MOST_WARNINGS = 5;

/**
 * The key figures of a run in a row, none of them ever broken; of several runs the table has them.
 */
export function tiles(app: App, into: HTMLElement): { draw(): Promise<void> } {
  let turn = 0;
  let drawn: readonly Run[] | undefined;
  let width = 0;
  new ResizeObserver(() => {
    if (into.clientWidth !== width) balance(into);
    width = into.clientWidth;
  }).observe(into);
  return {
    async draw() {
      const mine = ++turn;
      const runs = app.runs();
      // Of a run that is being written the time left changes.
      if (runs === drawn && !runs.some(({ writing }) => writing)) return;
      drawn = runs;
      const [first] = runs;
      // What is not followed is not known to stand still.
      const only =
        first?.link !== undefined && app.store.get().refresh === 0
          ? { ...first, pace: { grownAt: Number.POSITIVE_INFINITY } }
          : first;
      const live = only && runs.length === 1 ? await liveFigures(only) : undefined;
      if (mine !== turn) return;
      const shown = only && live ? KEY_FIGURES : [];
      const warnings = runs.flatMap((run) =>
        [...warningsOf(run), ...run.facts.problems].map((warning) =>
          runs.length > 1 ? `${run.name}: ${warning}` : warning,
        ),
      );
      into.dataset.phase = phaseName(only?.phases.at(-1)?.word ?? '');
      into.hidden = shown.length + warnings.length === 0;
      into.replaceChildren(
        ...shown.flatMap((figure) => {
          const { key, title, hint, first, read } = figure;
          const value = read(only!, live!);
          if (!value) return [];
          const doubt = doubtOf(figure, only!);
          return [
            el(
              'div',
              {
                class: `tile${first ? ' first' : ''}${doubt ? ' doubtful' : ''}`,
                'data-tile': key,
                title: hint,
              },
              el('h2', {}, title, el('span', { class: 'sr-only' }, `: ${hint}`)),
              el('p', { class: 'figure', 'data-value': value.exact }, value.text),
              value.small ? el('p', { class: 'small' }, value.small) : undefined,
              doubt ? el('p', { class: 'doubt' }, doubt) : undefined,
            ),
          ];
        }),
        ...(warnings.length === 0
          ? []
          : [
              el(
                // Of several runs they would push the charts off the first screen.
                runs.length > 1 ? 'details' : 'div',
                { class: 'tile warnings', 'data-tile': 'warnings' },
                runs.length > 1
                  ? el('summary', {}, plural(warnings.length, 'warning'))
                  : el('h2', {}, 'Warnings'),
                ...warnings
                  .slice(0, MOST_WARNINGS)
                  .map((warning) => el('p', { class: 'small' }, warning)),
              ),
            ]),
      );
      balance(into);
    },
  };
}

/** Parts what does not fit into one row into rows of as many figures: none is left alone below. */
function balance(into: HTMLElement): void {
  into.classList.remove('rows');
  const figures = [...into.querySelectorAll<HTMLElement>('.tile:not(.warnings)')];
  const rows = new Set(figures.map(({ offsetTop }) => offsetTop)).size;
  if (rows < 2) return;
  into.style.setProperty('--share', `${100 / Math.ceil(figures.length / rows)}%`);
  into.classList.add('rows');
}

const warningsOf = ({ writing, facts: { summary } }: Run): readonly string[] =>
  (writing ? summary?.standing : summary?.warnings) ?? [];
