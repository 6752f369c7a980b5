import type { ParameterTable } from '../../pipeline/core/parameters.ts';
import { formatNumber, rate } from '../../pipeline/format.ts';
import { messageOf, type Run } from '../app.ts';
import { button, el } from '../dom.ts';
import { connect, METHODS, type TableClient } from '../load/client.ts';
import { save } from '../runs/export.ts';
import type { ListedRun } from '../runs/run-list.ts';
import { labCommand } from './lab-link.ts';
import { LAB_TABLES, type LabOptions, labTable, liveParameters } from './lab-parameters.ts';
import { LAB_METHODS, type LabApi, type LabStatus, type Until } from './lab-protocol.ts';
import LabWorker from './lab-worker.ts?worker&inline';
import type { TourRun } from './tour.ts';
import { tourPanel } from './tour-panel.ts';

/** What the lab does to the page. */
export interface LabActions {
  add(run: ListedRun): Promise<void>;
  remove(run: ListedRun): void;
  look(run: ListedRun, change: Partial<Run>): Promise<void>;
  announce(text: string): void;
  /** The options of the first run have changed, or the stop of the tour, which the link tells. */
  relinked(options: LabOptions, stop: number | null): void;
}

/** Runs side by side, at most. */
const MOST_RUNS = 3;
/** Decades of speed, steps a second. */
const FASTEST = 7;
const FIRST_SPEED = 2;
/** The same on the tour, which shows much and waits little. */
const TOUR_SPEED = 3;
/** Decades below and above η of the slider. */
const DECADES = 1;

interface Session {
  readonly listed: ListedRun;
  readonly api: LabApi & TableClient;
  options: LabOptions;
  status: LabStatus;
  /** Whether it began at a step of another run. */
  forked: boolean;
  looking: boolean;
  again: boolean;
}

/**
 * The lab: runs that are computed here and now, and the controls that play them.
 *
 * @param stop where the guided tour begins; null where it is not taken
 */
export async function openLab(
  first: LabOptions,
  stop: number | null,
  actions: LabActions,
): Promise<HTMLElement> {
  const sessions: Session[] = [];
  let chosen = 0;
  let made = 0;
  let touring = stop;
  const current = () => sessions[chosen]!;

  /* ---- the runs ---- */

  async function begin(options: LabOptions, from?: { checkpoint: string; name: string }) {
    made++;
    let session: Session | undefined;
    const api = connect<LabApi & TableClient>(
      new LabWorker(),
      [...METHODS, ...LAB_METHODS],
      (reply) => {
        if ('status' in reply && session) void told(session, reply.status as LabStatus);
      },
    );
    try {
      const status = await api.start(options, from?.checkpoint);
      const listed: ListedRun = {
        name: from ? `${from.name} ${made}` : `lab ${made}`,
        link: undefined,
        // Never read: who answers is the worker.
        origin: { kind: 'blob', blob: new Blob() },
        client: api,
        dynamics: [],
      };
      session = {
        ...{ listed, api, options, status, forked: from !== undefined },
        ...{ looking: false, again: false },
      };
      sessions.push(session);
      await actions.add(listed);
      return session;
    } catch (error) {
      api.close();
      throw error;
    }
  }

  async function told(session: Session, status: LabStatus): Promise<void> {
    session.status = status;
    draw();
    if (session.looking) {
      session.again = true;
      return;
    }
    session.looking = true;
    do {
      session.again = false;
      await actions.look(session.listed, { writing: session.status.playing });
    } while (session.again);
    session.looking = false;
  }

  /** Does something with the chosen run, and says what is wrong with it where it cannot be done. */
  async function act(work: (session: Session) => Promise<LabStatus | undefined>): Promise<void> {
    const session = current();
    try {
      const status = await work(session);
      problem.textContent = '';
      if (status) await told(session, status);
    } catch (error) {
      problem.textContent = messageOf(error);
    }
  }

  const play = (until: Until, speed: number) =>
    Promise.all(
      sessions.map(async (session) => told(session, await session.api.play(speed, until))),
    );

  /* ---- the controls ---- */

  const problem = el('p', { class: 'lab-problem', role: 'alert' });
  const words = el('p', { class: 'lab-words' });
  const speedOf = () => 10 ** Number(speed.value);
  const playButton = button('Play', { class: 'primary', 'data-act': 'play' }, () => {
    const playing = current().status.playing;
    void play('stopped', playing ? 0 : speedOf());
  });
  const speed = el('input', {
    ...{ type: 'range', min: 0, max: FASTEST, step: 0.5, value: FIRST_SPEED },
    ...{ 'aria-label': 'Speed, steps a second', 'data-act': 'speed' },
  });
  const speedText = el('output', { class: 'lab-value' });
  speed.addEventListener('input', () => {
    draw();
    if (current().status.playing) void play('stopped', speedOf());
  });
  const undo = button('Undo', { 'data-act': 'undo' }, () =>
    act(async (session) => {
      const status = await session.api.undo();
      session.options = { ...session.options, eta: String(status.config.eta) };
      return status;
    }),
  );
  const which = el('select', { 'aria-label': 'Run that the controls change', 'data-act': 'which' });
  which.addEventListener('change', () => {
    chosen = Number(which.value);
    draw();
  });

  const slider = el('input', {
    ...{ type: 'range', min: -DECADES, max: DECADES, step: 0.005 },
    ...{ 'aria-label': 'Learning rate η', 'data-act': 'eta-slider' },
  });
  /** What stands in the middle of the slider. */
  let middle = 0;
  slider.addEventListener('input', () => {
    const eta = Number((middle * 10 ** Number(slider.value)).toPrecision(3));
    change({ eta: String(eta) });
  });
  const model = el(
    'select',
    { 'data-act': 'model' },
    ...LAB_TABLES.map((each) => el('option', { value: each.model }, each.model)),
  );
  model.addEventListener('change', () => void restart({ model: model.value }));
  const main = el('span', { class: 'lab-row' });
  const more = el('div', { class: 'lab-row' });
  let fields: ReadonlyMap<string, HTMLInputElement | HTMLSelectElement> = new Map();
  let fieldsOf = '';

  /** The fields of the chosen run's model, from its table of parameters. */
  function showFields(): void {
    const { parameters, model: name } = labTable(current().options);
    if (name === fieldsOf) return;
    fieldsOf = name;
    fields = new Map(Object.keys(parameters).map((each) => [each, field(each, parameters)]));
    const labelled = (each: string) =>
      el(
        'label',
        { class: 'lab-field' },
        el('span', {}, nameOf(each, parameters)),
        fields.get(each),
      );
    const first = ['preset', 'eta'];
    main.replaceChildren(...first.map(labelled), slider);
    more.replaceChildren(
      ...[...fields.keys()].filter((each) => !first.includes(each)).map(labelled),
    );
  }

  function field(name: string, parameters: ParameterTable): HTMLInputElement | HTMLSelectElement {
    const parameter = parameters[name]!;
    const attributes = { 'data-parameter': name, title: parameter.meaning };
    const input =
      parameter.type === 'word'
        ? el(
            'select',
            attributes,
            ...parameter.words.map((word) => el('option', { value: word }, word)),
          )
        : el('input', {
            ...attributes,
            ...{ type: 'text', autocomplete: 'off', spellcheck: 'false' },
            ...(parameter.example ? { placeholder: parameter.example } : {}),
          });
    input.addEventListener('change', () => {
      const value = input.value.trim();
      const { options } = current();
      const kept = options.model === undefined ? {} : { model: options.model };
      if (name === 'preset') void restart({ ...kept, preset: value });
      else if (liveParameters(labTable(options)).includes(name) && value) change({ [name]: value });
      else void restart({ ...options, [name]: value });
    });
    return input;
  }

  /**
   * Changes the run under way; while a change is on its way only the last one of the others is sent
   * after it.
   */
  let sending = false;
  let next: LabOptions | undefined;
  function change(options: LabOptions): void {
    next = { ...next, ...options };
    if (sending) return;
    sending = true;
    void act(async (session) => {
      let status: LabStatus | undefined;
      try {
        while (next) {
          const now = next;
          next = undefined;
          status = await session.api.change(now);
          session.options = { ...session.options, ...now };
        }
      } finally {
        sending = false;
      }
      return status;
    });
  }

  async function restart(options: LabOptions): Promise<void> {
    await act(async (session) => {
      const playing = session.status.playing;
      const status = await session.api.start(options);
      session.options = options;
      middle = 0;
      if (session === sessions[0]) actions.relinked(options, touring);
      return playing ? session.api.play(speedOf(), 'stopped') : status;
    });
  }

  /** Starts the runs of the tour in place of those that are there, and plays them. */
  async function showRuns(runs: readonly TourRun[]): Promise<void> {
    for (const { listed, api } of sessions.splice(runs.length)) {
      api.close();
      actions.remove(listed);
    }
    chosen = 0;
    middle = 0;
    speed.value = String(TOUR_SPEED);
    problem.textContent = '';
    try {
      for (const [i, { options }] of runs.entries()) {
        const session = sessions[i];
        if (!session) {
          await begin(options);
          continue;
        }
        const status = await session.api.start(options);
        Object.assign(session, { options, forked: false });
        await told(session, status);
      }
      actions.relinked(runs[0]!.options, touring);
      draw();
      // All come to their ends at once.
      const longest = runs[0]!.to;
      await Promise.all(
        runs.map(async ({ to }, i) => {
          const session = sessions[i]!;
          await told(session, await session.api.play((speedOf() * to) / longest, to));
        }),
      );
    } catch (error) {
      problem.textContent = messageOf(error);
    }
  }

  async function fork(): Promise<void> {
    const from = current();
    try {
      const checkpoint = await from.api.checkpoint();
      await begin(from.options, { checkpoint, name: 'from here' });
      chosen = sessions.length - 1;
      draw();
    } catch (error) {
      problem.textContent = messageOf(error);
    }
  }

  async function hand(): Promise<void> {
    await act(async (session) => {
      const bytes = await session.api.save();
      save(new Blob([bytes]), `${session.listed.name.replaceAll(' ', '-')}.parquet`);
      return undefined;
    });
  }

  async function copy(): Promise<void> {
    const { options, status } = current();
    const text = labCommand(options, Math.max(status.step, status.divergedAt ?? 0));
    command.textContent = text;
    try {
      await navigator.clipboard.writeText(text);
      actions.announce('Command copied');
    } catch {
      actions.announce('The command stands below the controls');
    }
  }

  const forkButton = button('Fork here', { 'data-act': 'fork' }, () => void fork());
  const saveButton = button('Save Parquet', { 'data-act': 'save' }, () => void hand());
  const copyButton = button('Copy command', { 'data-act': 'command' }, () => void copy());
  const command = el('code', { class: 'lab-command' });
  const tour = tourPanel({
    show: showRuns,
    moved(at) {
      touring = at;
      actions.relinked(sessions[0]!.options, at);
    },
  });
  const element = el(
    'section',
    { class: 'lab', 'aria-label': 'Lab' },
    tour.element,
    el(
      'div',
      { class: 'lab-row' },
      playButton,
      button('One step', { 'data-act': 'step' }, () => void play('step', 10 ** FASTEST)),
      button('To the next spike', { 'data-act': 'spike' }, () => void play('spike', 10 ** FASTEST)),
      undo,
      button('Start anew', { 'data-act': 'anew' }, () => void restart(current().options)),
      button(
        'Tour',
        { 'data-act': 'tour', title: 'A guided tour of seven stops' },
        () => void tour.go(1),
      ),
      el('label', { class: 'lab-field' }, el('span', {}, 'speed'), speed, speedText),
    ),
    el(
      'div',
      { class: 'lab-row' },
      which,
      el('label', { class: 'lab-field' }, el('span', {}, 'model'), model),
      main,
      forkButton,
      copyButton,
      saveButton,
    ),
    el('details', { class: 'lab-more' }, el('summary', {}, 'Data, start and optimizer'), more),
    problem,
    words,
    command,
  );

  function draw(): void {
    if (sessions.length === 0) return;
    const { status, options, forked } = current();
    const { config, playing, changes, step } = status;
    showFields();
    model.value = config.model;
    playButton.textContent = playing ? 'Pause' : 'Play';
    playButton.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    playButton.disabled = status.divergedAt !== null;
    speedText.textContent = playing ? `${rate(status.rate)} steps/s` : `${rate(speedOf())} steps/s`;
    undo.disabled = changes.length === 0;
    forkButton.disabled = sessions.length >= MOST_RUNS;
    const changed = changes.length > 0 || forked;
    for (const each of [saveButton, copyButton]) {
      each.disabled = changed;
      each.title = changed ? 'A run that was changed under way is no run of one command' : '';
    }
    if (changed) command.textContent = '';
    if (middle === 0) middle = config.eta;
    slider.value = String(Math.log10(config.eta / middle));
    for (const [name, input] of fields) {
      if (input === document.activeElement) continue;
      const value = config[name as keyof typeof config];
      input.value = shownValue(name, options, value);
    }
    which.hidden = sessions.length < 2;
    if (which.options.length !== sessions.length)
      which.replaceChildren(
        ...sessions.map(({ listed }, i) => el('option', { value: i }, listed.name)),
      );
    which.value = String(chosen);
    words.textContent = `Step ${formatNumber(step)}. ${status.text}`;
    element.dataset.step = String(step);
    element.dataset.playing = String(playing);
  }

  await begin(first);
  actions.relinked(first, touring);
  draw();
  if (stop !== null) await tour.go(stop);
  return element;
}

const nameOf = (name: string, parameters: ParameterTable): string => {
  const { symbol, type } = parameters[name]!;
  return type === 'number' && symbol ? symbol : name;
};

/** What a field shows: as it was typed, where the value is the same. */
function shownValue(name: string, options: LabOptions, value: unknown): string {
  if (name === 'preset') return options.preset ?? '';
  if (name === 'eta' && options.eta !== undefined) return options.eta;
  return value === null || value === undefined ? '' : String(value);
}
