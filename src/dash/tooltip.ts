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
    const { width, height } = box.getBoundingClientRect();
    const left = tip.x + AWAY + width > window.innerWidth ? tip.x - AWAY - width : tip.x + AWAY;
    const top = tip.y + AWAY + height > window.innerHeight ? tip.y - AWAY - height : tip.y + AWAY;
    box.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  };
}
