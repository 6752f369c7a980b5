import type { App } from '../app.ts';
import { button, el, swatch } from '../dom.ts';
import type { Series } from './series.ts';

/** A button of the legend: shows or hides a series, and tells its value under the crosshair. */
export function legendKey(app: App, panel: string, series: Series) {
  const value = el('span', { class: 'legend-value' });
  const key = swatch();
  const label = el('span', {}, series.label);
  const id = `${panel}.${series.key}`;
  const element = button(
    `Show ${series.label}`,
    { class: 'key', 'data-series': series.key, 'aria-pressed': 'true', title: 'Show or hide' },
    () => {
      const { hidden } = app.store.get();
      app.store.set({
        hidden: hidden.includes(id) ? hidden.filter((other) => other !== id) : [...hidden, id],
      });
    },
    key.element,
    label,
    value,
  );
  // Its name is what it shows: the label, and the value under the crosshair.
  element.removeAttribute('aria-label');
  return {
    element,
    name: (text: string) => {
      label.textContent = text;
    },
    value: (text: string) => {
      value.textContent = text;
    },
    update(shown: boolean, color: string | undefined, dash: string, many: boolean) {
      element.setAttribute('aria-pressed', String(shown));
      key.look(color ?? series.color, many ? dash : (series.dash ?? ''));
    },
  };
}
