import { button, el, icon } from './dom.ts';

/**
 * Shows what is wrong with a file, one message a file and as text; no error takes the message away.
 */
export function showProblem(box: HTMLElement, name: string, error: unknown): void {
  const old = [...box.children].find(
    (child) => child instanceof HTMLElement && child.dataset.run === name,
  );
  old?.remove();
  if (error === undefined) return;
  const text = error instanceof Error ? error.message : String(error);
  const note = el(
    'div',
    { class: 'notice', 'data-run': name },
    el('span', {}, el('strong', {}, name), `: ${text}`),
  );
  note.append(button('Dismiss', { class: 'icon small' }, () => note.remove(), icon('close')));
  box.append(note);
}

/** What a page without a run says. */
export function emptyPage(open: () => void): Node[] {
  return [
    el('h2', {}, 'No run yet'),
    el(
      'p',
      {},
      'Drop a run file (.parquet or .arrow) or any training log (CSV, NDJSON, JSON, text, ' +
        'TensorBoard) on this page, or open one. Files stay on this computer: nothing is ' +
        'uploaded.',
    ),
    button('Open a file', { class: 'primary' }, open, icon('file'), 'Open a file'),
    el('pre', {}, 'eos stream --preset paper --out run.parquet\neos dash serve run.parquet'),
  ];
}
