import * as Plot from '@observablehq/plot';
import { formatNumber } from '../../pipeline/format.ts';
import { type App, hasColumns, pageLook } from '../app.ts';
import { button, choose, el, icon, write } from '../dom.ts';
import { drawPlot, niceDomain } from '../plots/draw.ts';
import { lineMark } from '../plots/lines.ts';
import { bars, coarsePhases, placedPhases } from '../plots/phase-strip.ts';
import { robustRange } from '../plots/robust.ts';
import { PAGE, phaseColor } from '../plots/theme.ts';
import { X_AXES, xAxisOf } from '../plots/x-axis.ts';
import { redraw } from '../redraw.ts';
import { roving } from '../roving.ts';
import { readLines } from './read-lines.ts';

const HEIGHT = 36;

/**
 * The bar under the panels: the whole run in small, with a window that is dragged, stretched or
 * moved by keys.
 */
export function rangeBar(app: App, into: HTMLElement): { draw(): Promise<void> } {
  const box = el('div', { class: 'range-box' });
  const picture = el('div', { class: 'range-picture', 'aria-hidden': 'true' });
  const frame = el('div', { class: 'range-window' });
  const handles = (['from', 'to'] as const).map((side) => handle(side));
  box.append(picture, frame, ...handles.map(({ element }) => element));
  const label = el('output', { class: 'range-label', 'aria-live': 'off' });
  const over = el(
    'select',
    { 'aria-label': 'Draw over', 'data-act': 'x' },
    ...X_AXES.map(({ name, title }) => el('option', { value: name }, title)),
  );
  over.addEventListener('change', () => app.over(xAxisOf(over.value).name));
  const reset = button(
    'Show the whole run',
    { class: 'icon small', 'data-act': 'reset' },
    () => app.zoom(null),
    icon('whole'),
  );
  box.append(label);
  // The bar last: one comes to it from either of the others.
  into.append(over, reset, box);
  roving(into);
  const show = (svg: SVGSVGElement): void => {
    const shown = picture.querySelector('svg');
    if (shown) redraw(shown, svg);
    else picture.append(svg);
  };
  let turn = 0;
  let pictured: unknown;
  let drawnAs = '';

  const inner = () => box.clientWidth - 2 * 8;
  const toStep = (clientX: number): number => {
    const [from, to] = app.fullRange();
    return from + ((clientX - box.getBoundingClientRect().left - 8) / inner()) * (to - from);
  };

  function handle(side: 'from' | 'to') {
    const element = el('div', {
      class: `range-handle ${side}`,
      role: 'slider',
      tabindex: 0,
      'aria-label': side === 'from' ? 'First step shown' : 'Last step shown',
      'data-handle': side,
    });
    const move = (step: number) => {
      const [from, to] = app.range();
      const least = app.least() / 4;
      const ends = [Math.min(step, to - least), Math.max(step, from + least)] as const;
      app.zoom(side === 'from' ? [ends[0], to] : [from, ends[1]]);
    };
    element.addEventListener('pointerdown', (event) => {
      element.setPointerCapture(event.pointerId);
      event.stopPropagation();
    });
    element.addEventListener('pointermove', (event) => {
      if (element.hasPointerCapture(event.pointerId)) move(toStep(event.clientX));
    });
    element.addEventListener('keydown', (event) => {
      const [from, to] = app.fullRange();
      const stride = (to - from) / (event.shiftKey ? 10 : 100);
      const now = app.range()[side === 'from' ? 0 : 1];
      const target = { ArrowLeft: now - stride, ArrowRight: now + stride, Home: from, End: to }[
        event.key
      ];
      if (target === undefined) return;
      event.preventDefault();
      move(target);
    });
    return { side, element };
  }

  let grabbed: { step: number; range: readonly [number, number]; moved: boolean } | undefined;
  box.addEventListener('pointerdown', (event) => {
    grabbed = { step: toStep(event.clientX), range: app.range(), moved: false };
    box.setPointerCapture(event.pointerId);
  });
  box.addEventListener('pointermove', (event) => {
    if (!grabbed) return;
    const step = toStep(event.clientX);
    grabbed.moved = true;
    const [from, to] = grabbed.range;
    const within = app.zoomed() && grabbed.step >= from && grabbed.step <= to;
    if (within) app.zoom([from + step - grabbed.step, to + step - grabbed.step]);
    else app.zoom([Math.min(step, grabbed.step), Math.max(step, grabbed.step)]);
  });
  box.addEventListener('pointerup', () => {
    grabbed = undefined;
  });
  box.addEventListener('dblclick', () => app.zoom(null));

  return {
    async draw() {
      const mine = ++turn;
      const run = app.runs().find(app.place);
      into.hidden = app.runs().length === 0;
      choose(over, app.axis().name);
      if (!run) return;
      const [first, last] = app.fullRange();
      const [from, to] = app.range();
      const part = (step: number) => (step - first) / (last - first || 1);
      // Read before anything is written, behind which the page would be laid out anew.
      const room = inner();
      const left = 8 + part(from) * room;
      const right = 8 + part(to) * room;
      frame.style.left = `${left}px`;
      frame.style.width = `${Math.max(2, right - left)}px`;
      for (const { side, element } of handles) {
        element.style.left = `${side === 'from' ? left : right}px`;
        element.setAttribute('aria-valuemin', String(Math.round(first)));
        element.setAttribute('aria-valuemax', String(Math.round(last)));
        element.setAttribute('aria-valuenow', String(Math.round(side === 'from' ? from : to)));
        element.setAttribute('aria-valuetext', app.axis().say(side === 'from' ? from : to));
      }
      write(label, rangeText(app));
      reset.disabled = !app.zoomed();
      // Another run may have made the whole longer.
      const wanted = `${app.axis().name}:${first}:${last}:${room}`;
      if (pictured === run.info && drawnAs === wanted) return;
      const columns = ['sharpness', 'loss'].filter((name) => hasColumns(run, [name]));
      const pixels = Math.max(40, room);
      const read = await readLines(app, run, run.client, columns, Math.round(pixels), [
        first,
        last,
      ]).catch(() => []);
      if (mine !== turn) return;
      pictured = run.info;
      drawnAs = wanted;
      // A log may have the column of the sharpness, and no value in it.
      const place = read.findIndex(({ y }) => Array.from(y).some(Number.isFinite));
      const points = read[place];
      const log = columns[place] === 'loss';
      const y = Array.from(points?.y ?? [], (value) => (log && !(value > 0) ? Number.NaN : value));
      const domain = niceDomain(robustRange(y, log)?.range, log);
      show(
        drawPlot(
          {
            marginTop: 2,
            marginRight: 2,
            marginBottom: 2,
            marginLeft: 2,
            x: { domain: [first, last], axis: null },
            y: { domain, type: log ? 'log' : 'linear', axis: null },
            marks: [
              Plot.rect(
                bars(placedPhases(coarsePhases(run.phases), app.place(run)!), [first, last]),
                {
                  x1: 'x1',
                  x2: 'x2',
                  fill: ({ word }) => phaseColor(PAGE, word),
                  fillOpacity: 0.25,
                },
              ),
              lineMark(
                { points: { x: points?.x ?? [], y }, color: PAGE.sharpness, width: 1 },
                { steps: [first, last], log },
                domain,
              ),
            ],
          },
          pageLook(pixels, HEIGHT),
        ),
      );
    },
  };
}

/** From where to where, in the numbers of the axis. */
function rangeText(app: App): string {
  const axis = app.axis();
  const [from, to] = app.range().map(axis.value) as [number, number];
  return axis.name === 'time'
    ? `ηt ${formatNumber(from, 5)} – ${formatNumber(to, 5)}`
    : `${formatNumber(Math.ceil(from))} – ${formatNumber(Math.floor(to))}`;
}
