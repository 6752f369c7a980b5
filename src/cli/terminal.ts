import { count, duration, rate } from '../pipeline/format.ts';

/** Styles for a stream: escape codes on a terminal, nothing elsewhere or where NO_COLOR is set. */
export function styles(stream: NodeJS.WriteStream): Styles {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const on = NO_COLOR
    ? false
    : FORCE_COLOR
      ? FORCE_COLOR !== '0'
      : stream.isTTY === true && TERM !== 'dumb';
  const style = (open: number, close: number) => (text: string) =>
    on ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    blue: style(34, 39),
    yellow: style(33, 39),
    green: style(32, 39),
    red: style(31, 39),
  };
}

export type Styles = Readonly<
  Record<'bold' | 'dim' | 'blue' | 'yellow' | 'green' | 'red', (text: string) => string>
>;

const FRAME = 100;
const BAR = 24;

export interface Progress {
  /** Prints a line above the bar. */
  line(text: string): void;
  /** So many of the steps are done; a note stands behind. */
  update(done: number, note?: string): void;
  /** Takes the bar away. */
  stop(): void;
}

/**
 * Lines and a progress bar on stderr; the bar only on a terminal, and only from the second second
 * on.
 */
export function createProgress(
  total: number,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  const start = performance.now();
  let drawn = false;
  let last = 0;

  const clear = () => {
    if (drawn) stream.write('\r\u001b[K');
    drawn = false;
  };
  return {
    line(text) {
      clear();
      stream.write(`${text}\n`);
    },
    update(done, note) {
      const now = performance.now();
      if (!stream.isTTY || now - start < 1000 || now - last < FRAME) return;
      last = now;
      const text = bar(Math.min(done, total), total, (now - start) / 1000) + suffix(note);
      stream.write(`\r${text.slice(0, (stream.columns ?? 80) - 1)}\u001b[K`);
      drawn = true;
    },
    stop: clear,
  };
}

function bar(done: number, total: number, seconds: number): string {
  const part = total > 0 ? done / total : 1;
  const filled = Math.round(part * BAR);
  const perSecond = done / seconds;
  const percent = `${Math.floor(part * 100)}%`.padStart(4);
  return (
    `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${percent}  ${count(done)} of ` +
    `${count(total)} steps  ${rate(perSecond)} steps/s  ${duration((total - done) / perSecond)} ` +
    'left'
  );
}

/** Milliseconds between two lines of progress. */
const LINE_EVERY = 10_000;

/** Progress for logs: a line every ten seconds, where there is no terminal for a bar. */
export function timedLines(total: number, write: (line: string) => void) {
  const start = performance.now();
  let next = start + LINE_EVERY;
  return {
    update(done: number, note?: string): void {
      const now = performance.now();
      if (now < next || done <= 0) return;
      next = now + LINE_EVERY;
      const left = (total - done) / (done / ((now - start) / 1000));
      const part = Math.floor((100 * done) / total);
      write(`${part} % done, ${duration(left)} left${suffix(note)}`);
    },
  };
}

const suffix = (note: string | undefined) => (note === undefined ? '' : ` (${note})`);

/** Columns that lines of the log keep to. */
const WIDTH = 80;

/**
 * A line broken at spaces (but not within x = y or a + b) where it is too long, what goes on
 * indented. Escape codes take no room.
 */
export function fold(line: string, indent: number): string[] {
  const lines = [''];
  let room = WIDTH;
  for (const token of line.match(/(?: [=+×−] |[^ ])+| +/g) ?? []) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes begin with one
    const width = [...token.replace(/\u001b\[\d+m/g, '')].length;
    if (width > room && token.trim() !== '' && lines.at(-1)!.trim() !== '') {
      lines[lines.length - 1] = lines.at(-1)!.trimEnd();
      lines.push(' '.repeat(indent));
      room = WIDTH - indent;
    }
    lines[lines.length - 1] += token;
    room -= width;
  }
  return lines;
}
