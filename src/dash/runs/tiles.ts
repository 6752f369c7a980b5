import { plural } from '../../pipeline/format.ts';
import type { App, Run } from '../app.ts';
import { el, write } from '../dom.ts';
import { phaseName } from '../plots/theme.ts';
import {
  doubtOf,
  type FigureText,
  KEY_FIGURES,
  type KeyFigure,
  liveFigures,
} from './key-figures.ts';

/** More warnings than this would push the charts off the first screen. */
const MOST_WARNINGS = 5;

/**
 * The key figures of a run in a row, none of them ever broken; of several runs the table has them.
 */
export function tiles(app: App, into: HTMLElement): { draw(): Promise<void> } {
  let turn = 0;
  let drawn: readonly Run[] | undefined;
  /** What stands there, and the texts of it that change while a run goes on, in order. */
  let shape = '';
  let texts: readonly HTMLElement[] = [];
  let [width, height] = [0, 0];
  new ResizeObserver(() => {
    const { clientWidth, clientHeight } = into;
    if (clientWidth === width && clientHeight === height) return;
    balance(into);
    [width, height] = [clientWidth, into.clientHeight];
  }).observe(into);

  function make(shown: readonly Tile[], warnings: readonly string[], many: boolean): void {
    into.replaceChildren(
      ...shown.map(tileOf),
      ...(warnings.length === 0
        ? []
        : [
            el(
              // Of several runs they would push the charts off the first screen.
              many ? 'details' : 'div',
              { class: 'tile warnings', 'data-tile': 'warnings' },
              many
                ? el('summary', {}, plural(warnings.length, 'warning'))
                : el('h2', {}, 'Warnings'),
              ...warnings
                .slice(0, MOST_WARNINGS)
                .map((warning) => el('p', { class: 'small' }, warning)),
            ),
          ]),
    );
    texts = [...into.querySelectorAll<HTMLElement>('.figure, .tile:not(.warnings) .small')];
    balance(into);
  }

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
      const reading = only && runs.length === 1 ? liveFigures(only) : Promise.resolve(undefined);
      const live = await app.gather(reading);
      if (mine !== turn) return;
      const shown = (only && live ? KEY_FIGURES : []).flatMap((figure): Tile[] => {
        const value = figure.read(only!, live!);
        return value ? [{ figure, value, doubt: doubtOf(figure, only!) }] : [];
      });
      const many = runs.length > 1;
      const warnings = runs.flatMap((run) =>
        [...warningsOf(run), ...run.facts.problems].map((warning) =>
          many ? `${run.name}: ${warning}` : warning,
        ),
      );
      into.dataset.phase = phaseName(only?.phases.at(-1)?.word ?? '');
      into.hidden = shown.length + warnings.length === 0;
      const now = JSON.stringify([
        shown.map(({ figure: { key }, value: { small }, doubt }) => [key, !small, doubt]),
        [warnings, many],
      ]);
      if (now !== shape) make(shown, warnings, many);
      shape = now;
      // Where the same figures stand, only what they say is written anew.
      const said = shown.flatMap(({ value: { text, exact, small } }) => [
        { text, exact },
        ...(small ? [{ text: small, exact: undefined }] : []),
      ]);
      for (const [i, { text, exact }] of said.entries()) {
        const element = texts[i]!;
        write(element, text);
        if (exact === undefined) delete element.dataset.value;
        else element.dataset.value = String(exact);
      }
    },
  };
}

/** A figure with what it says of the run. */
interface Tile {
  readonly figure: KeyFigure;
  readonly value: FigureText;
  readonly doubt: string | undefined;
}

function tileOf({ figure: { key, title, hint, first }, value, doubt }: Tile): HTMLElement {
  return el(
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
  );
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
