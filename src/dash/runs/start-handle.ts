import { formatNumber } from '../../pipeline/format.ts';
import type { App, Run } from '../app.ts';
import { el } from '../dom.ts';
import type { DrawnPlane, PlaneFrame } from '../plots/plane.ts';

/** An arrow key moves by this part of what is shown of the plane, and by ten of it with Shift. */
const STEP = 0.01;
/** Digits of a start that was dragged. */
const DIGITS = 4;

/** A point by which the start θ₀ of a run that can begin anew is moved in the plane. */
export interface StartHandle {
  readonly element: HTMLElement;
  /** What is shown of the plane while it is dragged: it would run away from the pointer. */
  frame(): PlaneFrame | undefined;
  /** Stands at the start of the first run that can begin anew, if there is one. */
  draw(drawn: DrawnPlane, runs: readonly Run[]): void;
}

export function startHandle(app: App): StartHandle {
  const element = el('div', {
    ...{ class: 'plane-start', tabindex: 0, role: 'application', hidden: true },
    ...{ title: 'Drag the start θ₀, or move it with the arrow keys' },
  });
  let plane: DrawnPlane | undefined;
  let run: Run | undefined;
  let theta: readonly [number, number, number] = [0, 0, 0];
  let held: PlaneFrame | undefined;

  function move(beta2: number, alpha: number): void {
    const round = (value: number) => Number(value.toPrecision(DIGITS));
    theta = [round(alpha), theta[1], round(beta2)];
    place();
    run?.source.moveStart?.(theta.join(','));
  }

  function place(): void {
    const [left, top] = plane!.place(theta[2], theta[0]);
    element.style.transform = `translate(${left}px, ${top}px)`;
    const text = `α ${formatNumber(theta[0])}, β₂ ${formatNumber(theta[2])}`;
    element.setAttribute('aria-label', `Start θ₀: ${text}. Arrow keys move it.`);
  }

  element.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    event.stopPropagation();
    element.focus();
    element.setPointerCapture(event.pointerId);
    held = plane?.frame;
  });
  element.addEventListener('pointermove', (event) => {
    event.stopPropagation();
    if (!held || !plane) return;
    const box = element.offsetParent!.getBoundingClientRect();
    move(...plane.point(event.clientX - box.left, event.clientY - box.top));
  });
  const release = (): void => {
    if (!held) return;
    held = undefined;
    run?.source.moveStart?.(theta.join(','));
  };
  element.addEventListener('pointerup', release);
  element.addEventListener('pointercancel', release);
  element.addEventListener('keydown', (event) => {
    const [dx, dy] =
      { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ??
      [];
    if (dx === undefined || dy === undefined || !plane) return;
    event.preventDefault();
    event.stopPropagation();
    const { x, y } = plane.frame;
    const step = STEP * (event.shiftKey ? 10 : 1);
    move(theta[2] + dx * step * (x[1] - x[0]), theta[0] + dy * step * (y[1] - y[0]));
    app.announce(element.getAttribute('aria-label')!);
  });

  return {
    element,
    frame: () => held,
    draw(drawn, runs) {
      plane = drawn;
      run = runs.find(({ source }) => source.moveStart);
      const start = run?.facts.init;
      element.hidden = start === undefined;
      if (start === undefined) return;
      if (!held) theta = start as [number, number, number];
      place();
    },
  };
}
