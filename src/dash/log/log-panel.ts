import { formatNumber } from '../../pipeline/format.ts';
import { optimizers } from '../../pipeline/optimizers/index.ts';
import { messageOf } from '../app.ts';
import { button, el } from '../dom.ts';
import { connect } from '../load/client.ts';
import { save } from '../runs/export.ts';
import type { ListedRun } from '../runs/run-list.ts';
import { type Detected, LOG_METHODS, type LogApi, type LogSaid } from './log-protocol.ts';
import LogWorker from './log-worker.ts?worker&inline';

/** What a log does to the page. */
export interface LogActions {
  add(run: ListedRun): Promise<void>;
  remove(run: ListedRun): void;
  announce(text: string): void;
}

const FIELDS = [
  ['eta', 'η', '0.01 or 0:0.1,1000:0.01'],
  ['momentum', 'momentum', ''],
  ['step', 'step column', ''],
  ['loss', 'loss column', ''],
  ['sharpness', 'sharpness column', ''],
] as const;

/**
 * A training log that was dropped on the page: its phases are detected in a worker, and the file of
 * `eos detect` is shown as a run. What it was taken as is told, and can be put right.
 */
export function openLog(log: File, actions: LogActions): HTMLElement {
  const worker = connect<LogApi>(new LogWorker(), LOG_METHODS, () => {});
  let shown: ListedRun | undefined;
  let detected: Detected | undefined;
  let turn = 0;

  const told = el('p', { class: 'log-told' }, 'Reading …');
  const problem = el('p', { class: 'lab-problem', role: 'alert' });
  const skipped = el('ul', { class: 'log-skipped' });
  const left = el('details', { hidden: true }, el('summary', {}, 'Left out'), skipped);
  const inputs = FIELDS.map(([name, label, example]) => {
    const input = el('input', {
      ...{ type: 'text', autocomplete: 'off', spellcheck: 'false' },
      ...{ 'data-log': name, placeholder: example },
    });
    return { name, label, input };
  });
  const optimizer = el(
    'select',
    { 'data-log': 'optimizer' },
    el('option', { value: '' }, 'as the log says'),
    el('option', { value: 'sgd' }, 'sgd (with batches)'),
    ...optimizers.map(({ name }) => el('option', { value: name }, name)),
  );
  const saveButton = button('Save Parquet', { 'data-act': 'log-save', disabled: true }, () => {
    if (detected) save(new Blob([detected.bytes]), `${stem(log.name)}.parquet`);
  });
  const element = el(
    'section',
    { class: 'lab log', 'aria-label': `Log ${log.name}`, 'data-log-name': log.name },
    el(
      'div',
      { class: 'lab-row' },
      el('strong', {}, log.name),
      saveButton,
      button('Close the log', { 'data-act': 'log-close' }, close),
    ),
    told,
    el(
      'div',
      { class: 'lab-row' },
      ...inputs.map(({ label, input }) =>
        el('label', { class: 'lab-field' }, el('span', {}, label), input),
      ),
      el('label', { class: 'lab-field' }, el('span', {}, 'optimizer'), optimizer),
    ),
    problem,
    left,
  );
  for (const field of [...inputs.map(({ input }) => input), optimizer])
    field.addEventListener('change', () => void detect());

  const said = (): LogSaid => ({
    ...(Object.fromEntries(inputs.map(({ name, input }) => [name, input.value.trim()])) as LogSaid),
    optimizer: optimizer.value,
  });

  async function detect(): Promise<void> {
    const mine = ++turn;
    element.dataset.busy = 'true';
    try {
      const found = await worker.detect(log, said());
      // Something else was typed meanwhile, or the log was closed.
      if (mine !== turn) return;
      await show(found);
    } catch (error) {
      if (mine !== turn) return;
      problem.textContent = messageOf(error);
      told.textContent = detected ? toldOf(detected) : 'No phases yet.';
    }
    element.dataset.busy = 'false';
  }

  async function show(found: Detected): Promise<void> {
    const before = shown;
    detected = found;
    shown = {
      name: stem(log.name),
      link: undefined,
      origin: { kind: 'blob', blob: new Blob([found.bytes]) },
      dynamics: [],
    };
    problem.textContent = '';
    told.textContent = toldOf(found);
    saveButton.disabled = false;
    skipped.replaceChildren(...found.skipped.map((line) => el('li', {}, line)));
    left.hidden = found.skipped.length === 0;
    for (const { name, input } of inputs) {
      if (name === 'step' || name === 'loss' || name === 'sharpness')
        input.placeholder = found.taken[name] ?? '';
      else if (name === 'eta' && found.eta !== null) input.placeholder = formatNumber(found.eta);
    }
    if (before) actions.remove(before);
    await actions.add(shown);
    actions.announce(`${log.name}: ${told.textContent}`);
  }

  function close(): void {
    turn++;
    worker.close();
    if (shown) actions.remove(shown);
    element.remove();
  }

  void detect();
  return element;
}

/** Which column was taken as what, in a sentence. */
function toldOf({ format, taken, eta, optimizer }: Detected): string {
  const columns = Object.entries(taken).map(([field, name]) => `${field} from “${name}”`);
  const rate = taken.eta ? [] : [eta === null ? 'η unknown' : `η = ${formatNumber(eta)}`];
  return `Read as ${format}: ${[...columns, ...rate].join(', ')}; optimizer ${optimizer}.`;
}

/** A name without what tells the kind; those of TensorBoard end with a host. */
function stem(name: string): string {
  const bare = name.replace(/\.gz$/, '');
  return bare.includes('.tfevents.') ? bare : bare.replace(/\.[^.]*$/, '') || name;
}
