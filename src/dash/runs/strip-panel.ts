import { formatNumber } from '../../pipeline/format.ts';
import { type App, hasColumns, type Panel, type Run } from '../app.ts';
import { el } from '../dom.ts';
import { afterFrame } from '../frames.ts';
import { MARGIN } from '../plots/draw.ts';
import {
  coarsePhases,
  type Interval,
  phaseStrip,
  placedPhases,
  type StripRow,
} from '../plots/phase-strip.ts';
import { PAGE, phaseColor, phaseName } from '../plots/theme.ts';
import { type StepAxis, stepCrosshair } from './crosshair.ts';
import { frameLook, panelFrame } from './panel-frame.ts';
import { shortName } from './short-name.ts';

/** More runs than this would fill the page; the others have their phases in the table. */
const MOST_RUNS = 12;
/** Of more runs than this the strips are thin, or they push the charts off the first screen. */
const MOST_NAMED = 3;
const MOST_KEYS = 8;
const MOST_LISTED = 50;
/** A tooltip has room for so many lines. */
const MOST_IN_TIP = 11;

/** From which step to which, and how sure that is where phases are measured. */
function intervalText({ facts }: Run, { word, first, last }: Interval): string {
  const steps = `${formatNumber(first)} – ${formatNumber(last)}`;
  const dated = facts.summary?.phases.find(
    (span) => span.phase === word && span.first <= last && span.last >= first,
  );
  return dated?.confidence === undefined
    ? steps
    : `${steps}, sure to ${formatNumber(100 * dated.confidence, 3)} %`;
}

/** Which phase each run is in, step by step, as one thin strip a run. */
export function stripPanel(app: App): Panel {
  const head = {
    id: 'timeline',
    title: 'Phases',
    unit: 'steps',
    wide: true,
    csv: ['phase', 'regime', 'cycle'],
    description:
      'Progressive sharpening: S rises towards the threshold. Edge of stability: S hovers ' +
      'around it, in turns sharpening (|α| grows) and stabilizing itself (a spike of L₁ ' +
      'pushes |α| back). Convergence: no minimum beyond the threshold lies ahead. Of a ' +
      'training log the upper strip shows the phases as they are dated in the end, the thin ' +
      'one what was known at each step.',
  };
  const frame = panelFrame(app, head);
  const { body } = frame;
  frame.element.classList.add('strip');
  // All in one line above the strip.
  frame.element.querySelector('.info')?.after(frame.legend);
  const phases = el('select', { 'aria-label': 'Zoom to a phase', 'data-act': 'phase' });
  frame.element.querySelector('header .spacer')?.after(phases);
  /** The first run that has phases and a place on the axis. */
  const phased = () => app.runs().find((each) => each.phases.length > 0 && app.place(each));
  phases.addEventListener('change', () => {
    const run = phased();
    const all = coarsePhases(run?.phases ?? []);
    const chosen = all[Number(phases.value)];
    if (run && chosen)
      app.zoomTo(run, [chosen.first, all[Number(phases.value) + 1]?.first ?? chosen.last]);
    phases.value = '';
  });

  let listed: readonly string[] = [];
  let lists = false;
  /**
   * Behind the frame that shows them, since nobody chooses one that fast: for other options
   * Chromium looks at all fields of the page, and lays it out for that.
   */
  async function listPhases(): Promise<void> {
    phases.hidden = !phased();
    if (lists) return;
    if (listed.length > 0) {
      lists = true;
      await afterFrame();
      lists = false;
    }
    const names = coarsePhases(phased()?.phases ?? [])
      .slice(0, MOST_LISTED)
      .map(({ word, first }) => `${phaseName(word)} from ${formatNumber(first)}`);
    if (document.activeElement === phases || names.join() === listed.join()) return;
    listed = names;
    phases.replaceChildren(
      el('option', { value: '' }, 'zoom to …'),
      ...names.map((name, i) => el('option', { value: i }, name)),
    );
  }
  body.tabIndex = 0;
  body.setAttribute('role', 'application');
  body.setAttribute(
    'aria-label',
    'Phases over steps. Left and right arrows move the crosshair, plus and minus zoom, 0 resets.',
  );
  let axis: StepAxis | undefined;
  let turn = 0;
  const crosshair = stepCrosshair(app, body, () => axis, tipLines);

  async function draw(): Promise<void> {
    // First, since it may change the width to draw at.
    frame.update();
    const runs = app.runs().filter((run) => run.phases.length > 0 && app.place(run));
    const steps = app.range();
    const many = runs.length > 1;
    void listPhases();
    const rows = runs.slice(0, MOST_RUNS).flatMap((run, i): StripRow[] => {
      const label = many ? { label: `${i + 1}`, color: app.color(run) } : {};
      const thin = runs.length > MOST_NAMED ? { minor: true, close: true } : {};
      const placed = (phases: readonly Interval[]) => placedPhases(phases, app.place(run)!);
      return [
        { phases: placed(many ? coarsePhases(run.phases) : run.phases), ...thin, ...label },
        ...(run.knownPhases && runs.length <= MOST_NAMED
          ? [{ phases: placed(coarsePhases(run.knownPhases)), minor: true }]
          : []),
      ];
    });
    // It is as high as its rows.
    const look = { ...frameLook(app, frame, head.id), height: 0 };
    const mine = ++turn;
    await app.gather(Promise.resolve());
    if (mine !== turn) return;
    const strip = phaseStrip(rows, steps, look);
    drawKeys(rows, new Set(Array.from(strip.querySelectorAll('text'), (each) => each.textContent)));
    frame.show(strip, many);
    if (runs.length > MOST_RUNS)
      frame.legend.append(
        el('span', { class: 'key static' }, `${MOST_RUNS} of ${runs.length} runs`),
      );
    axis = { left: MARGIN.left, right: look.width - MARGIN.right, from: steps[0], to: steps[1] };
    body.classList.toggle('numbered', many);
    body.dataset.drawn = steps.join(':');
    crosshair.follow();
  }

  /** Keys of the phases that are too short to be named in the strip. */
  function drawKeys(rows: readonly StripRow[], named: ReadonlySet<string | null>): void {
    const words = new Set(
      rows.flatMap(({ phases }) => coarsePhases(phases)).map(({ word }) => word),
    );
    const unnamed = [...words].filter((word) => !named.has(phaseName(word))).slice(0, MOST_KEYS);
    frame.legend.replaceChildren(
      ...unnamed.map((word) => {
        const dot = el('span', { class: 'dot' });
        dot.style.background = phaseColor(PAGE, word);
        return el('span', { class: 'key static' }, dot, phaseName(word));
      }),
    );
  }

  function tipLines() {
    const all = app.runs().flatMap((run) => {
      const own = app.rows().get(run.id);
      const interval = own && run.phases.findLast(({ first }) => own.step >= first);
      if (!interval) return [];
      const name = phaseName(interval.word);
      return [
        {
          label: app.runs().length > 1 ? `${name} · ${shortName(run.name)}` : name,
          value: intervalText(run, interval),
          color: phaseColor(PAGE, interval.word),
        },
      ];
    });
    return all.slice(0, MOST_IN_TIP);
  }

  return {
    id: head.id,
    title: head.title,
    element: frame.element,
    needs: ['phase'],
    shows: (run: Run) => hasColumns(run, ['phase']),
    draw,
    follow: crosshair.follow,
  };
}
