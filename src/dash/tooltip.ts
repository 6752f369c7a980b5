import type { Tip } from './app.ts';
import { el } from './dom.ts';

const AWAY = 16;

/** The one tooltip of the page. */
export function tooltip(box: HTMLElement): (tip: Tip | null) => void {
  return (tip) => {
    box.hidden = tip === null;
    if (!tip) return;
    box.replaceChildren(
      el('strong', {}, tip.title),
      ...tip.lines
        .filter(({ label }) => label !== '')
        .map(({ label, value, exact, color }) => {
          const dot = el('span', { class: color ? 'dot' : 'dot none' });
          if (color) dot.style.background = color;
          return el(
            'div',
            { class: 'tip-line', 'data-label': label },
            dot,
            el('span', { class: 'tip-label' }, label),
            el('span', { class: 'tip-value', 'data-value': exact }, value),
          );
        }),
    );
    const x = beside(tip.x, window.innerWidth, '100vw');
    const y = beside(tip.y, window.innerHeight, '100vh');
    box.style.transform = `translate(${x}, ${y})`;
  };
}

/**
 * Where the tooltip begins along one side of the window: behind the pointer in the first half of
 * it, before it in the second. The browser knows how large the tooltip is: asked for it, it would
 * lay out the page anew with every movement.
 */
const beside = (at: number, room: number, whole: string): string =>
  at < room / 2
    ? `max(4px, min(${at + AWAY}px, ${whole} - 100% - 4px))`
    : `max(4px, ${at - AWAY}px - 100%)`;
