import { type App, crosshairAt, rowUnder, type Tip } from '../app.ts';
import { el } from '../dom.ts';

/** Where the positions of a chart's axis lie inside its box. */
export interface StepAxis {
  readonly left: number;
  readonly right: number;
  readonly from: number;
  readonly to: number;
}

export const toPixel = (axis: StepAxis, step: number): number =>
  axis.left + ((step - axis.from) / (axis.to - axis.from || 1)) * (axis.right - axis.left);
export const toStep = (axis: StepAxis, pixel: number): number =>
  axis.from + ((pixel - axis.left) / (axis.right - axis.left || 1)) * (axis.to - axis.from);

/** The values of a chart, where they can be zoomed. */
export interface ValueAxis {
  value(pixel: number): number;
  shown(): readonly [number, number];
  log(): boolean;
  zoom(range: readonly [number, number] | null): void;
}

/** Movements of the pointer shorter than this are clicks. */
const DRAG_PIXELS = 5;
const ZOOM = 0.6;

export interface Crosshair {
  /** Follows the crosshair, with the tooltip where the pointer or the focus is in this chart. */
  follow(): void;
}

/**
 * Makes a chart's box answer to pointer and keys: crosshair, drag to zoom (of values at their axis,
 * or with Shift), double click to reset, click to pin.
 *
 * @param axis where the steps lie now; undefined before the first drawing
 * @param tipLines what the tooltip says besides the step; it can ask how far down in the box the
 * pointer is, which is not known without laying out the page
 */
export function stepCrosshair(
  app: App,
  box: HTMLElement,
  axis: () => StepAxis | undefined,
  tipLines: (down: () => number) => Tip['lines'],
  values?: ValueAxis,
): Crosshair {
  const cross = el('div', { class: 'cross', hidden: true });
  const brush = el('div', { class: 'brush', hidden: true });
  box.append(cross, brush);
  let tipAt: { x: number; y: number } | null = null;
  let downAt: number | undefined;
  /** Where a zoom of values began. */
  let valueAt: number | undefined;
  let dragging = false;

  const inside = (event: PointerEvent, now: StepAxis): number =>
    Math.min(now.right, Math.max(now.left, event.clientX - box.getBoundingClientRect().left));
  const hovered = (at: { x: number; y: number } | null): void => {
    const left = tipAt !== null && at === null;
    tipAt = at;
    if (left) app.showTip(null);
    else showTip();
  };
  function showTip(): void {
    const at = tipAt;
    if (!at) return;
    const row = rowUnder(app);
    if (!row) app.showTip(null);
    else
      app.showTip({
        ...at,
        title: app.axis().say(row.position),
        lines: tipLines(() => at.y - box.getBoundingClientRect().top),
      });
  }

  const down = (event: PointerEvent) => event.clientY - box.getBoundingClientRect().top;
  const besideValues = (event: MouseEvent, now: StepAxis) =>
    event.clientX - box.getBoundingClientRect().left < now.left;

  box.addEventListener('pointerdown', (event) => {
    const now = axis();
    if (!now || event.button !== 0) return;
    downAt = inside(event, now);
    valueAt = values && (event.shiftKey || besideValues(event, now)) ? down(event) : undefined;
    dragging = false;
    box.setPointerCapture(event.pointerId);
  });
  box.addEventListener('pointermove', (event) => {
    const now = axis();
    if (!now) return;
    const at = inside(event, now);
    if (valueAt !== undefined) {
      dragging ||= Math.abs(down(event) - valueAt) > DRAG_PIXELS;
      brush.hidden = !dragging;
      brush.style.left = `${now.left}px`;
      brush.style.width = `${now.right - now.left}px`;
      brush.style.top = `${Math.min(valueAt, down(event))}px`;
      brush.style.height = `${Math.abs(down(event) - valueAt)}px`;
      hovered(null);
      return;
    }
    if (downAt !== undefined && (dragging || Math.abs(at - downAt) > DRAG_PIXELS)) {
      dragging = true;
      brush.hidden = false;
      brush.style.left = `${Math.min(at, downAt)}px`;
      brush.style.width = `${Math.abs(at - downAt)}px`;
      hovered(null);
      return;
    }
    if (!app.store.get().pinned) app.point(toStep(now, at));
    hovered({ x: event.clientX, y: event.clientY });
  });
  box.addEventListener('pointerup', (event) => {
    const now = axis();
    if (!now || downAt === undefined) return;
    const at = inside(event, now);
    brush.hidden = true;
    brush.style.top = '';
    brush.style.height = '';
    if (valueAt !== undefined) {
      const ends = [valueAt, down(event)].map((pixel) => values!.value(pixel));
      if (dragging) values!.zoom([Math.min(...ends), Math.max(...ends)]);
    } else if (dragging)
      app.zoom([toStep(now, Math.min(at, downAt)), toStep(now, Math.max(at, downAt))]);
    else if (event.detail < 2) {
      app.store.set({ pinned: !app.store.get().pinned });
      app.point(toStep(now, at));
    }
    downAt = undefined;
    valueAt = undefined;
    dragging = false;
  });
  box.addEventListener('pointercancel', () => {
    downAt = undefined;
    valueAt = undefined;
    dragging = false;
    brush.hidden = true;
  });
  box.addEventListener('pointerleave', () => {
    hovered(null);
    if (!app.store.get().pinned && downAt === undefined && document.activeElement !== box)
      app.store.set({ cursor: null });
  });
  box.addEventListener('dblclick', (event) => {
    const now = axis();
    values?.zoom(null);
    if (values && now && besideValues(event, now)) return;
    app.store.set({ pinned: false });
    app.zoom(null);
  });
  box.addEventListener(
    'wheel',
    (event) => {
      const now = axis();
      if (!now || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      // The range may be ahead of what is drawn, while the wheel turns.
      const [from, to] = app.range();
      zoomAround(
        app,
        toStep({ ...now, from, to }, event.clientX - box.getBoundingClientRect().left),
        event.deltaY < 0 ? ZOOM : 1 / ZOOM,
      );
    },
    { passive: false },
  );
  box.addEventListener('focus', () => {
    const now = axis();
    if (now && app.store.get().cursor === null && box.matches(':focus-visible'))
      app.point((now.from + now.to) / 2);
    showAtCursor();
  });
  box.addEventListener('blur', () => hovered(null));
  box.addEventListener('keydown', (event) => {
    const now = axis();
    if (!now || event.ctrlKey || event.metaKey || event.altKey) return;
    const pixel = (now.to - now.from) / (now.right - now.left || 1);
    const stride = Math.max(app.least() / 4, pixel) * (event.shiftKey ? 20 : 1);
    const cursor = app.cursor() ?? (now.from + now.to) / 2;
    const span = now.to - now.from;
    const keys: Record<string, () => void> = {
      ArrowLeft: () => app.point(Math.max(now.from, cursor - stride)),
      ArrowRight: () => app.point(Math.min(now.to, cursor + stride)),
      Home: () => app.point(now.from),
      End: () => app.point(now.to),
      '+': () => zoomAround(app, cursor, ZOOM),
      '=': () => zoomAround(app, cursor, ZOOM),
      '-': () => zoomAround(app, cursor, 1 / ZOOM),
      PageUp: () => app.zoom([now.from - span / 2, now.to - span / 2]),
      PageDown: () => app.zoom([now.from + span / 2, now.to + span / 2]),
      ArrowUp: () => zoomValues(values, ZOOM),
      ArrowDown: () => zoomValues(values, 1 / ZOOM),
      '0': () => {
        values?.zoom(null);
        app.zoom(null);
      },
      Enter: () => {
        app.store.set({ pinned: !app.store.get().pinned });
        app.point(cursor);
      },
    };
    const action = keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
    showAtCursor();
  });

  function showAtCursor(): void {
    const now = axis();
    const cursor = app.cursor();
    if (!now || cursor === null) return;
    const place = box.getBoundingClientRect();
    hovered({ x: place.left + toPixel(now, cursor), y: place.top + 30 });
  }

  return {
    follow() {
      const now = axis();
      const step = crosshairAt(app);
      const seen = now !== undefined && step !== null && step >= now.from && step <= now.to;
      cross.hidden = !seen;
      if (seen) cross.style.transform = `translateX(${toPixel(now, step)}px)`;
      showTip();
    },
  };
}

/** Shows more or fewer values around the middle of those that are shown. */
function zoomValues(values: ValueAxis | undefined, factor: number): void {
  if (!values) return;
  const [forth, back] = values.log()
    ? [Math.log10, (power: number) => 10 ** power]
    : [Number, Number];
  const [low, high] = values.shown().map(forth) as [number, number];
  const [middle, half] = [(low + high) / 2, ((high - low) * factor) / 2];
  values.zoom([back(middle - half), back(middle + half)]);
}

/** Zooms by a factor so that `step` stays where it is. */
export function zoomAround(app: App, step: number, factor: number): void {
  const [from, to] = app.range();
  // As far in as it goes, and no further: widened again, it would move away from the step.
  const limited = Math.max(factor, Math.min(1, app.least() / (to - from)));
  app.zoom([step - (step - from) * limited, step + (to - step) * limited]);
}
