import type { App, Run } from '../app.ts';
import { xAxisOf } from '../plots/x-axis.ts';
import type { Store } from '../store.ts';
import { MIN_STEPS, moveInside, shownSteps } from './steps-shown.ts';

/** Decades that a zoomed view of a logarithmic axis holds at least. */
const MIN_DECADES = 0.01;
/** Digits of a crosshair between whole numbers. */
const DIGITS = 9;

type ShownPart = Pick<
  App,
  | 'axis'
  | 'over'
  | 'place'
  | 'fullRange'
  | 'range'
  | 'least'
  | 'steps'
  | 'zoomed'
  | 'zoom'
  | 'zoomTo'
  | 'point'
  | 'cursor'
>;

/** What the runs are drawn over, and which part of it is shown. */
export function shownPart(store: Store, runs: () => readonly Run[]): ShownPart {
  const axis = () => xAxisOf(store.get().x);
  const place = ({ figures }: Run) => axis().place(figures);
  const asked = (): readonly [number, number] | null => {
    const { range } = store.get();
    return range && [axis().at(range[0]), axis().at(range[1])];
  };

  function fullRange(): readonly [number, number] {
    const ends = runs().flatMap((run) => {
      const where = place(run);
      if (!where || run.info.rows === 0) return [];
      const { firstStep, lastStep } = run.info;
      const begin = axis().name === 'log' ? Math.max(1, firstStep) : firstStep;
      return [where.at(begin), where.at(Math.max(begin, lastStep))];
    });
    if (ends.length === 0) return [0, 1];
    const [first, last] = [Math.min(...ends), Math.max(...ends)];
    // A single row stands in the middle.
    return first < last ? [first, last] : [first - 0.5, first + 0.5];
  }

  function least(): number {
    if (axis().name === 'log') return MIN_DECADES;
    const strides = runs().flatMap((run) => {
      const where = place(run);
      return where ? [where.at(1) - where.at(0)] : [];
    });
    return MIN_STEPS * (strides.length > 0 ? Math.min(...strides) : 1);
  }

  /** The last steps of the runs, as far as the longest one has them. */
  function latest(): readonly [number, number] | null {
    const { last } = store.get();
    const full = fullRange();
    const starts = runs().flatMap((run) => {
      const { firstStep, lastStep } = run.info;
      const where = place(run);
      if (last === null || !where || where.at(lastStep) < full[1]) return [];
      return [where.at(Math.max(firstStep, lastStep - last, axis().name === 'log' ? 1 : 0))];
    });
    return starts.length > 0 ? [Math.min(...starts), full[1]] : null;
  }

  const zoomedRange = () => shownSteps(asked() ?? latest(), fullRange(), least());
  const range = () => zoomedRange() ?? fullRange();

  function zoom(positions: readonly [number, number] | null): void {
    const shown = positions && moveInside(positions, fullRange(), least());
    const value = (position: number) => Number(axis().value(position).toPrecision(12));
    store.set({ range: shown && [value(shown[0]), value(shown[1])], last: null });
  }

  return {
    axis,
    over(name) {
      const run = runs().find(place);
      const shown = zoomedRange();
      const steps = run && shown?.map(place(run)!.step);
      const pinned = store.get().pinned && run ? place(run)!.step(this.cursor() ?? 0) : undefined;
      const next = xAxisOf(name);
      const there = run && next.place(run.figures);
      const value = (step: number) => Number(next.value(there!.at(step)).toPrecision(12));
      store.set({
        x: next.name,
        range:
          there && steps && store.get().last === null
            ? [value(Math.max(next.name === 'log' ? 1 : 0, steps[0]!)), value(steps[1]!)]
            : null,
        cursor: there && pinned !== undefined ? value(pinned) : null,
        pinned: there !== undefined && pinned !== undefined,
      });
    },
    place,
    fullRange,
    range,
    least,
    zoom,
    zoomed: () => zoomedRange() !== null,
    steps(run) {
      const where = place(run);
      const [from, to] = range();
      return where ? [where.step(from), where.step(to)] : [run.info.firstStep, run.info.lastStep];
    },
    zoomTo(run, [first, last]) {
      const where = place(run);
      if (where) zoom([Math.max(where.at(first), fullRange()[0]), where.at(last)]);
    },
    point(position) {
      const value = axis().value(position);
      const whole = axis().name !== 'time';
      store.set({ cursor: whole ? Math.round(value) : Number(value.toPrecision(DIGITS)) });
    },
    cursor() {
      const { cursor } = store.get();
      return cursor === null ? null : axis().at(cursor);
    },
  };
}
