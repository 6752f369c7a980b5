import { dynamics } from '../../pipeline/dynamics/index.ts';
import { formatNumber, rate } from '../../pipeline/format.ts';
import { messageOf, type Run } from '../app.ts';
import { button, choose, el, unbroken, write } from '../dom.ts';
import { connect } from '../load/client.ts';
import { roving } from '../roving.ts';
import { save } from '../runs/export.ts';
import type { ListedRun } from '../runs/run-list.ts';
import { labFields } from './lab-fields.ts';
import { type LinkedRun, labCommand } from './lab-link.ts';
import {
  besideModel,
  LAB_TABLES,
  type LabOptions,
  labTable,
  liveParameters,
  type Recipe,
  withOptions,
} from './lab-parameters.ts';
import type { LabStatus, SaveApi, Until } from './lab-protocol.ts';
import { accompany, followDynamics, linkedRun, openSession, type Session } from './lab-session.ts';
import type { TourRun } from './tour.ts';
import { formulaBox, tourPanel } from './tour-panel.ts';

/** What the lab does to the page. */
export interface LabActions {
  add(run: ListedRun): Promise<void>;
  remove(run: ListedRun): void;
  /**
   * Takes over what has become of a run, and what else has changed of it; tells whether it is
   * drawn then, and the controls with it.
   */
  look(run: ListedRun, change: () => Promise<Partial<Run>>): Promise<boolean>;
  /** Whether nobody waits for what is drawn now. */
  atLeisure(): boolean;
  announce(text: string): void;
  /** Draws runs of different η over ηt, which is the time that they have in common. */
  overTime(): void;
  /** The runs have changed, or the stop of the tour, which the link tells. */
  relinked(runs: readonly LinkedRun[], stop: number | null): void;
}

export interface LabPanel {
  readonly element: HTMLElement;
  /** Brings the controls in line with the run that they change. */
  draw(): void;
}

/** Runs side by side, at most. */
const MOST_RUNS = 3;
/** Decades of speed, steps a second. */
const FASTEST = 7;
/** The rightmost place of its slider stands for as fast as it can. */
const UNLIMITED = 7.5;
const FIRST_SPEED = 2;
/** The same on the tour, which shows much and waits little. */
const TOUR_SPEED = 3;
/** A run that begins anew plays as far as it had come, but no further than this at once. */
const MOST_AGAIN = 300_000;
/** What was changed again and again within a slide is one change, and Back one step. */
const KEPT_PAST = 100;

/**
 * The lab: runs that are computed here and now, and the controls that play them.
 *
 * @param stop where the guided tour begins; null where it is not taken
 */
export async function openLab(
  first: readonly LinkedRun[],
  stop: number | null,
  actions: LabActions,
): Promise<LabPanel> {
  const sessions: Session[] = [];
  let chosen = 0;
  let made = 0;
  let touring = stop;
  /** Whether the runs are compared from one start, and so move on at the same time ηt. */
  let compared = false;
  const current = () => sessions[chosen]!;
  const relink = () => actions.relinked(sessions.map(linkedRun), touring);

  /* ---- the runs ---- */

  async function begin(run: LinkedRun, from?: { checkpoint: string; name: string }) {
    made++;
    const name = from ? `${from.name} ${made}` : `lab ${made}`;
    const listed = (client: Session['api']): ListedRun => ({
      ...{ name, client, link: undefined, dynamics: [] },
      // Never read: who answers is the worker.
      origin: { kind: 'blob', blob: new Blob() },
      moveStart(start) {
        const session = sessions.find((each) => each.api === client);
        if (session) void set('init', start, true, session);
      },
    });
    const session = await openSession(
      (api) => listed(api as Session['api']),
      run,
      from?.checkpoint,
      (whose, status) => void told(whose, status),
      actions.atLeisure,
    );
    sessions.push(session);
    await actions.add(session.listed);
    await told(session, await goAlong(session));
    return session;
  }

  const looking = new Map<Session, boolean>();

  /** @param slides whether a slider moves: then the controls are drawn together with the plots */
  async function told(session: Session, status: LabStatus, slides = false): Promise<void> {
    const before = session.status;
    session.status = status;
    if (!slides) draw();
    // The link tells where it stands.
    if (!status.playing && (before.playing || status.step !== before.step)) relink();
    if (looking.has(session)) {
      looking.set(session, true);
      return;
    }
    do {
      looking.set(session, false);
      const drawn = await actions.look(session.listed, async () => {
        await followDynamics(session);
        const { status: now, dynamics } = session;
        return { writing: now.playing, dynamics };
      });
      if (!drawn) draw();
    } while (looking.get(session));
    looking.delete(session);
  }

  /** Does something with a run, and says what is wrong with it where it cannot be done. */
  async function act(
    work: (session: Session) => Promise<LabStatus | undefined>,
    session = current(),
    slides = false,
  ): Promise<void> {
    write(problem, '');
    try {
      const status = await work(session);
      if (status) await told(session, status, slides);
      relink();
    } catch (error) {
      problem.textContent = messageOf(error);
    }
  }

  /** How fast a run goes beside the first: both come to their ends, or to a time ηt, at once. */
  function pace({ until, status }: Session): number {
    const [first] = sessions;
    if (typeof until === 'number') return until / Number(first!.until);
    return compared ? first!.status.config.eta / status.config.eta : 1;
  }

  /** Lets all runs go on, each until when it was told to. */
  const go = (speed: number) =>
    Promise.all(
      sessions.map(async (session) =>
        told(session, await session.api.play(speed * pace(session), session.until)),
      ),
    );

  function play(until: Until, speed: number): Promise<unknown> {
    for (const session of sessions) session.until = until;
    return go(speed);
  }

  /** Computes a run anew as far as it had come, or a step. */
  async function again(session: Session, recipe: Recipe, to: number): Promise<LabStatus> {
    const { playing } = session.status;
    const status = await goAlong(session, await session.api.start(recipe, to));
    return playing ? session.api.play(speedOf(), 'stopped') : status;
  }

  /* ---- what is said of them ---- */

  /** The newest value of each parameter, while another change is on its way. */
  let next: { readonly session: Session; readonly options: LabOptions } | undefined;
  let sending = false;

  /** Sets a parameter of a run: under way where that can be, else the run begins anew with it. */
  async function set(
    name: string,
    value: string,
    sliding: boolean,
    session = current(),
  ): Promise<void> {
    const { recipe } = session.status;
    const slides = session.setting === name;
    session.setting = sliding ? name : '';
    if (!slides) session.past = [...session.past.slice(1 - KEPT_PAST), linkedRun(session)];
    next = {
      session,
      options: { ...(next?.session === session ? next.options : {}), [name]: value },
    };
    if (sending) return;
    sending = true;
    await act(
      async () => {
        let status: LabStatus | undefined;
        try {
          while (next) {
            const now = next;
            next = undefined;
            status = await send(now.session, now.options);
          }
        } finally {
          sending = false;
        }
        return status;
      },
      session,
      sliding,
    );
    if (problem.textContent !== '' && recipe === session.status.recipe)
      session.past = session.past.slice(0, -1);
  }

  async function send(session: Session, said: LabOptions): Promise<LabStatus> {
    const { recipe, step, config } = session.status;
    const live = liveParameters(labTable(recipe.options));
    const names = Object.keys(said);
    if (!whole.checked && names.every((name) => live.includes(name) && said[name]))
      return session.api.change(said);
    const options = said.preset
      ? { ...(recipe.options.model ? { model: recipe.options.model } : {}), preset: said.preset }
      : withOptions(
          recipe.changes.reduce((all, each) => withOptions(all, each.options), recipe.options),
          said,
        );
    const to = said.preset || config.model !== 'minimal' ? 0 : Math.min(step, MOST_AGAIN);
    return again(session, { options, changes: [] }, to);
  }

  const undo = button('Undo', { 'data-act': 'undo' }, () =>
    act(async (session) => {
      const last = session.past.at(-1);
      session.past = session.past.slice(0, -1);
      session.setting = '';
      const { undoable, recipe } = session.status;
      const changed = last ? last.recipe.changes.length < recipe.changes.length : true;
      if (undoable && changed) return session.api.undo();
      return last ? again(session, last.recipe, last.to) : undefined;
    }),
  );

  /** Lets the dynamics that are chosen go along, as far as they are defined for the run. */
  async function goAlong(session: Session, status = session.status): Promise<LabStatus> {
    const chosen = [...along].flatMap(([name, box]) => (box.checked ? [name] : []));
    const possible = besideModel(status.config.model).map(({ name }) => name);
    const names = chosen.filter((name) => possible.includes(name));
    try {
      await accompany(session, names);
    } catch (error) {
      problem.textContent = messageOf(error);
      await accompany(session, []);
    }
    return { ...status, along: session.dynamics.map(({ name }) => name) };
  }

  /* ---- the controls ---- */

  const problem = el('p', { class: 'lab-problem', role: 'alert' });
  const words = el('p', { class: 'lab-words' });
  const formulas = formulaBox();
  const speedOf = () =>
    Number(speed.value) > FASTEST ? Number.MAX_SAFE_INTEGER : 10 ** Number(speed.value);
  const playButton = button('Play', { class: 'primary', 'data-act': 'play' }, () => {
    const playing = sessions.some(({ status }) => status.playing);
    void play('stopped', playing ? 0 : speedOf());
  });
  const speed = el('input', {
    ...{ type: 'range', min: 0, max: UNLIMITED, step: 0.5, value: FIRST_SPEED },
    ...{ 'aria-label': 'Speed, steps a second', 'data-act': 'speed' },
  });
  const speedText = el('output', { class: 'lab-value' });
  speed.addEventListener('input', () => {
    draw();
    if (current().status.playing) void go(speedOf());
  });
  const which = el('select', { 'aria-label': 'Run that the controls change', 'data-act': 'which' });
  which.addEventListener('change', () => {
    chosen = Number(which.value);
    draw();
  });
  const fields = labFields((name, value, sliding) => void set(name, value, sliding));
  const model = el(
    'select',
    { 'data-act': 'model' },
    ...LAB_TABLES.map((each) => el('option', { value: each.model }, each.model)),
  );
  model.addEventListener('change', () => {
    const recipe = { options: { model: model.value }, changes: [] };
    void act((session) => {
      session.past = [...session.past, linkedRun(session)];
      return again(session, recipe, 0);
    });
  });
  const whole = el('input', { type: 'checkbox', 'data-act': 'whole' });
  /** Choices on their way to the worker: until they are there, boxes stay as they were clicked. */
  let choosing = 0;
  const along = new Map(
    dynamics.map(({ name, about }) => {
      const box = el('input', { type: 'checkbox', 'data-along': name, title: about });
      box.addEventListener('change', () => {
        choosing++;
        void act((session) => goAlong(session)).then(() => {
          choosing--;
          draw();
        });
      });
      return [name, box] as const;
    }),
  );
  const alongRow = el(
    'fieldset',
    { class: 'lab-row lab-along' },
    el('legend', {}, 'Along with it'),
    ...[...along].map(([name, box]) =>
      el('label', { class: 'lab-field', title: box.title }, box, name.replaceAll('-', ' ')),
    ),
  );

  /** Starts runs in place of those that are there. */
  async function replaceAll(runs: readonly LinkedRun[]): Promise<void> {
    for (const { listed, api } of sessions.splice(runs.length)) {
      api.close();
      actions.remove(listed);
    }
    chosen = 0;
    problem.textContent = '';
    for (const [i, run] of runs.entries()) {
      const session = sessions[i];
      if (!session) {
        await begin(run);
        continue;
      }
      Object.assign(session, { past: [], setting: '', forked: false });
      const status = await session.api.start(run.recipe, run.to);
      await told(session, await goAlong(session, status));
    }
    relink();
    draw();
  }

  /** Starts the runs of the tour, and plays them; all come to their ends at once. */
  async function showRuns(runs: readonly TourRun[]): Promise<void> {
    compared = false;
    speed.value = String(TOUR_SPEED);
    const start = ({ options }: TourRun) => ({ recipe: { options, changes: [] }, to: 0 });
    try {
      await replaceAll(runs.map(start));
      for (const [i, { to }] of runs.entries()) sessions[i]!.until = to;
      await go(speedOf());
    } catch (error) {
      problem.textContent = messageOf(error);
    }
  }

  async function fork(): Promise<void> {
    await act(async (from) => {
      const checkpoint = await from.api.checkpoint();
      await begin(linkedRun(from), { checkpoint, name: 'from here' });
      chosen = sessions.length - 1;
      draw();
      return undefined;
    });
  }

  /** All runs begin anew together with one more, whose η or optimizer can then be changed. */
  async function compare(): Promise<void> {
    await act(async ({ status: { recipe } }) => {
      const starts = [...sessions.map((each) => each.status.recipe.options), recipe.options];
      compared = true;
      await replaceAll(starts.map((options) => ({ recipe: { options, changes: [] }, to: 0 })));
      chosen = sessions.length - 1;
      actions.overTime();
      draw();
      return undefined;
    });
  }

  async function hand(format: 'parquet' | 'arrow'): Promise<void> {
    await act(async ({ listed, status: { recipe, step, divergedAt } }) => {
      const { saveWorker } = await import('./saving.ts');
      const writer = connect<SaveApi>(saveWorker(), ['save'], () => {});
      try {
        const bytes = await writer.save(recipe, Math.max(step || 0, divergedAt ?? 0), format);
        save(new Blob([bytes]), `${listed.name.replaceAll(' ', '-')}.${format}`);
      } finally {
        writer.close();
      }
      return undefined;
    });
  }

  async function copy(): Promise<void> {
    const { step, divergedAt } = current().status;
    const { options } = linkedRun(current()).recipe;
    const text = labCommand(options, Math.max(step || 0, divergedAt ?? 0));
    command.textContent = text;
    try {
      await navigator.clipboard.writeText(text);
      actions.announce('Command copied');
    } catch {
      actions.announce('The command stands below the controls');
    }
  }

  const forkButton = button('Fork here', { 'data-act': 'fork' }, () => void fork());
  const compareButton = button(
    'Compare from the start',
    {
      'data-act': 'compare',
      title: 'A second run from the same start, for another η or optimizer',
    },
    () => void compare(),
  );
  const copyButton = button('Copy command', { 'data-act': 'command' }, () => void copy());
  const command = el('code', { class: 'lab-command' });
  const tour = tourPanel({
    show: showRuns,
    moved(at) {
      touring = at;
      relink();
    },
  });
  const anew = () =>
    act((session) => {
      const { options } = session.status.recipe;
      session.past = [...session.past, linkedRun(session)];
      return again(session, { options, changes: [] }, 0);
    });
  const players = el(
    'div',
    { class: 'lab-row', role: 'toolbar', 'aria-label': 'Play' },
    playButton,
    button('One step', { 'data-act': 'step' }, () => void play('step', Number.MAX_SAFE_INTEGER)),
    button(
      'To the next spike',
      { 'data-act': 'spike' },
      () => void play('spike', Number.MAX_SAFE_INTEGER),
    ),
    undo,
    button('Start anew', { 'data-act': 'anew' }, () => void anew()),
    button(
      'Tour',
      { 'data-act': 'tour', title: 'A guided tour of seven stops' },
      () => void tour.go(1),
    ),
    el('label', { class: 'lab-field' }, el('span', {}, 'speed'), speed, speedText),
  );
  const settings = el(
    'div',
    { class: 'lab-settings', role: 'toolbar', 'aria-label': 'What is run' },
    el(
      'div',
      { class: 'lab-row' },
      which,
      el('label', { class: 'lab-field' }, el('span', {}, 'model'), model),
      fields.main,
      el(
        'label',
        { class: 'lab-field', title: 'A change of η or of the optimizer holds from step 0 on' },
        whole,
        'changes hold from the start',
      ),
    ),
    el(
      'div',
      { class: 'lab-row' },
      forkButton,
      compareButton,
      copyButton,
      button('Save Parquet', { 'data-act': 'save' }, () => void hand('parquet')),
      button('Save Arrow', { 'data-act': 'save-arrow' }, () => void hand('arrow')),
    ),
    alongRow,
    el(
      'div',
      { class: 'lab-row lab-folds' },
      el(
        'details',
        { class: 'lab-more' },
        el('summary', {}, 'Data, start and optimizer'),
        fields.more,
      ),
      formulas.element,
    ),
  );
  roving(players);
  roving(settings);
  const element = el(
    'section',
    { class: 'lab', 'aria-label': 'Lab' },
    ...[tour.element, players, settings, problem, words, command],
  );

  function draw(): void {
    if (sessions.length === 0) return;
    const { status, past, dynamics: files } = current();
    const { config, recipe, playing, step } = status;
    const options = recipe.changes.reduce(
      (all, change) => withOptions(all, change.options),
      recipe.options,
    );
    fields.draw({ options, config });
    choose(model, config.model);
    write(playButton, playing ? 'Pause' : 'Play');
    playButton.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    playButton.disabled = status.divergedAt !== null;
    const wanted =
      Number(speed.value) > FASTEST ? 'as fast as it can' : `${rate(speedOf())} steps/s`;
    write(speedText, playing ? `${rate(status.rate)} steps/s` : wanted);
    undo.disabled = past.length === 0 && !status.undoable;
    forkButton.disabled = sessions.length >= MOST_RUNS;
    compareButton.disabled = sessions.length >= MOST_RUNS;
    const changed = recipe.changes.length > 0;
    copyButton.disabled = changed;
    copyButton.title = changed ? 'A run that was changed under way is no run of one command' : '';
    if (changed) command.textContent = '';
    const possible = besideModel(config.model);
    for (const [name, box] of along) {
      if (choosing === 0) box.checked = files.some((file) => file.name === name);
      box.parentElement!.hidden = !possible.some((each) => each.name === name);
    }
    which.hidden = sessions.length < 2;
    if (which.options.length !== sessions.length)
      which.replaceChildren(
        ...sessions.map(({ listed }, i) => el('option', { value: i }, listed.name)),
      );
    choose(which, chosen);
    formulas.show(status.formulas);
    const where = Number.isNaN(step) ? '' : `Step ${formatNumber(step)}. `;
    const said = where + status.text;
    if (words.textContent !== said) words.replaceChildren(...unbroken(said));
    element.dataset.step = String(step);
    element.dataset.playing = String(playing);
  }

  for (const name of first[0]?.recipe.options.also?.split(',') ?? []) {
    const box = along.get(name);
    if (box) box.checked = true;
  }
  for (const run of first) await begin(run);
  relink();
  draw();
  if (stop !== null) await tour.go(stop);
  return { element, draw };
}
