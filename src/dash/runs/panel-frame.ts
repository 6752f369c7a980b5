import { type App, messageOf, pageLook } from '../app.ts';
import { button, el, icon, write } from '../dom.ts';
import { redraw } from '../redraw.ts';
import { roving } from '../roving.ts';
import { saveCsv, savePng, saveSvg, saveText } from './export.ts';

/** What every panel says of itself. */
export interface PanelHead {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly description: string;
  readonly wide?: boolean;
  /** It is the plot that the page is looked at for. */
  readonly main?: boolean;
  /** Columns of its CSV. */
  readonly csv?: readonly string[];
  /** A table's own CSV, in place of the columns; a table has no picture. */
  readonly table?: () => string | Promise<string>;
  /** A drawing's own CSV, in place of the columns. */
  readonly rows?: () => string;
  readonly scales?: boolean;
  /** Takes it off the page, where the reader has put it there. */
  readonly remove?: (() => void) | undefined;
  /** What a picture of it must say besides title and legend. */
  readonly caption?: () => string;
}

export interface Frame {
  readonly element: HTMLElement;
  readonly legend: HTMLElement;
  readonly body: HTMLElement;
  /** Brings the buttons in line with the view. */
  update(): void;
  /** Puts a drawing in the place of the last one. */
  show(svg: SVGSVGElement, byRun: boolean): void;
  /** A message in place of the drawing, or none. */
  problem(text: string | undefined): void;
}

/** Height of a map or a table at least, and of charts on small windows. */
const LEAST_HEIGHT = 230;
/** Height of charts at most: flatter curves tell more, until a window is very large. */
const MOST = { main: 760, other: 520 } as const;

/** Where a drawing stands, in pixels of the page. */
interface Room {
  readonly width: number;
  readonly above: number;
  /** What the bar at the foot of the window covers. */
  readonly below: number;
}

let rooms = new WeakMap<HTMLElement, Room>();

function roomOf(body: HTMLElement): Room {
  return {
    width: body.clientWidth,
    above: body.getBoundingClientRect().top + window.scrollY,
    below: document.querySelector<HTMLElement>('.range-dock')?.offsetHeight ?? 0,
  };
}

/**
 * Reads what room these panels have, for their next drawing: each that read it behind the drawing
 * of another would have the page laid out anew.
 */
export function readRooms(panels: readonly HTMLElement[]): void {
  rooms = new WeakMap();
  for (const panel of panels) {
    const body = panel.querySelector<HTMLElement>('.plot');
    if (body) rooms.set(body, roomOf(body));
  }
}

/**
 * How to draw in a frame. The main drawing takes what the first screen leaves below what stands
 * above it, others a third of the window; in full screen it is all that is left above the bar
 * below, and most of that where it is alone on the page.
 */
export function frameLook(app: App, { element, body }: Frame, id: string, alone = false) {
  // What stands above one that is alone has just been drawn.
  const { width, above, below } = (alone ? undefined : rooms.get(body)) ?? roomOf(body);
  rooms.delete(body);
  const wide = element.classList.contains('wide');
  const full = app.store.get().full === id;
  const share = Math.round(window.innerHeight * (wide ? 0.45 : 0.3));
  if (!full && !wide) return pageLook(width, Math.min(MOST.other, Math.max(LEAST_HEIGHT, share)));
  const room = Math.floor(window.innerHeight - above - below - AIR);
  const most = alone ? Math.min(width, Math.round(ALONE * room)) : Math.min(share, MOST.main);
  return pageLook(width, Math.max(LEAST_HEIGHT, full ? room : Math.min(room, most)));
}

/** Of the room of a map that is alone; what a click on it opens is seen below. */
const ALONE = 0.78;
/** Padding of the panel and of the page below it. */
const AIR = 16;

/** The box around a panel: title, unit, description, scale switch, full screen and export. */
export function panelFrame(app: App, head: PanelHead, scaleNow?: () => 'log' | 'linear'): Frame {
  const titleId = `title-${head.id}`;
  const hintId = `hint-${head.id}`;
  const info = el(
    'span',
    { class: 'info' },
    button(
      `About ${head.title}`,
      { class: 'icon', 'aria-describedby': hintId, title: undefined },
      () => {},
      icon('info'),
    ),
    el('span', { class: 'hint', id: hintId, role: 'tooltip' }, head.description),
  );
  const scale = head.scales
    ? button(
        `log scale of ${head.title}`,
        { class: 'scale', 'data-act': 'scale' },
        () => {
          const { scales } = app.store.get();
          app.store.set({
            scales: { ...scales, [head.id]: scaleNow?.() === 'log' ? 'linear' : 'log' },
          });
        },
        'log',
      )
    : undefined;
  const full = button(
    `Full screen: ${head.title}`,
    { class: 'icon', 'data-act': 'full', 'aria-pressed': 'false' },
    () => {
      app.store.set({ full: app.store.get().full === head.id ? null : head.id });
    },
    icon('full'),
  );
  const legend = el('div', {
    class: 'legend',
    role: 'group',
    'aria-label': `Series of ${head.title}`,
  });
  const body = el('div', { class: 'plot' });
  const message = el('p', { class: 'problem', role: 'alert', hidden: true });
  const tools = el(
    'div',
    { class: 'panel-tools', role: 'toolbar', 'aria-label': `Controls of ${head.title}` },
    el(
      'header',
      {},
      el('h2', { id: titleId }, head.title),
      el('span', { class: 'unit' }, head.unit),
      info,
      el('span', { class: 'spacer' }),
      scale,
      exportMenu(app, head, body),
      full,
      head.remove &&
        button(
          `Remove the panel of ${head.title}`,
          { class: 'icon', 'data-act': 'remove' },
          head.remove,
          icon('close'),
        ),
    ),
    legend,
  );
  roving(tools);
  const element = el(
    'section',
    {
      class: `panel waiting${head.wide ? ' wide' : ''}${head.main ? ' main' : ''}`,
      'data-panel': head.id,
      // Until there is a run.
      hidden: true,
      'aria-labelledby': titleId,
    },
    tools,
    message,
    body,
  );
  let updated = '';
  return {
    element,
    legend,
    body,
    update() {
      const isFull = app.store.get().full === head.id;
      // What is written anew is laid out anew, even where it is the same.
      const now = `${isFull} ${scaleNow?.()}`;
      if (now === updated) return;
      updated = now;
      full.setAttribute('aria-pressed', String(isFull));
      full.replaceChildren(icon(isFull ? 'small' : 'full'));
      element.classList.toggle('full', isFull);
      if (!scale || !scaleNow) return;
      scale.textContent = scaleNow() === 'log' ? 'log' : 'lin';
      scale.setAttribute('aria-label', `${scale.textContent} scale of ${head.title}`);
    },
    show(svg, byRun) {
      body.classList.toggle('by-run', byRun);
      svg.classList.add('main');
      const shown = body.querySelector<SVGSVGElement>('svg.main');
      if (shown) redraw(shown, svg);
      else body.prepend(svg);
    },
    problem(text) {
      message.hidden = text === undefined;
      write(message, text ?? '');
    },
  };
}

function exportMenu(app: App, head: PanelHead, body: HTMLElement): HTMLElement {
  const menu = el('details', { class: 'menu' });
  const item = (label: string, act: string, action: () => Promise<void>) =>
    button(
      `${label} of ${head.title}`,
      { 'data-act': act },
      () => {
        menu.open = false;
        action().catch((error: unknown) => app.announce(`Export failed: ${messageOf(error)}`));
      },
      label,
    );
  const svg = () => body.querySelector<SVGSVGElement>('svg.main') ?? undefined;
  menu.append(
    el(
      'summary',
      { class: 'icon', 'aria-label': `Export ${head.title}`, title: 'Export' },
      icon('save'),
    ),
    el(
      'div',
      { class: 'menu-items' },
      head.table ? undefined : item('SVG', 'svg', () => saveSvg(app, svg(), head)),
      head.table ? undefined : item('PNG', 'png', () => savePng(app, svg(), head)),
      item('CSV', 'csv', async () => {
        const own = head.table ?? head.rows;
        if (own) saveText(await own(), `${head.id}.csv`);
        else await saveCsv(app, head.csv ?? [], head.id);
      }),
    ),
  );
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    menu.open = false;
    menu.querySelector('summary')?.focus();
    event.stopPropagation();
  });
  menu.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !menu.contains(relatedTarget)) menu.open = false;
  });
  document.addEventListener('pointerdown', (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  });
  return menu;
}
