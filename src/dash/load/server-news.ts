import type { FileState } from './bytes.ts';

/** What the server tells of its files. */
export interface ServerNews {
  /** Another number where files have come or gone, or a finished one has changed. */
  readonly list: number;
  /**
   * The runs that are not finished, by their paths: whether they are being written, and their last
   * flushed state.
   */
  readonly growing: Readonly<Record<string, { readonly writing: boolean } & Partial<FileState>>>;
}

export interface NewsReader {
  heard(news: ServerNews): void;
  /** The server has been silent for a while, or its connection is lost. */
  silent(): void;
}

const NAME = 'eos-news';
/**
 * Milliseconds without a word after which the server is lost; it repeats itself every two seconds.
 */
const SILENCE = 7000;
const AGAIN = 2000;

/**
 * Whether a page can be told of news, rather than asking: only pages that are told together may be.
 */
export const canFollow = (): boolean =>
  'locks' in navigator && 'BroadcastChannel' in globalThis && 'EventSource' in globalThis;

/**
 * Follows what the server tells. A browser opens few connections to one server, so that one of its
 * pages listens, and tells the others; when that one is closed, or nobody looks at it, another
 * takes its place.
 *
 * @returns ends it
 */
export function followServer(reader: NewsReader): () => void {
  const channel = new BroadcastChannel(NAME);
  const ended = new AbortController();
  let silence: ReturnType<typeof setTimeout> | undefined;

  const hear = (text: string | undefined) => {
    clearTimeout(silence);
    silence = setTimeout(reader.silent, SILENCE);
    if (text === undefined) reader.silent();
    else reader.heard(JSON.parse(text) as ServerNews);
  };
  const tell = (text: string | undefined) => {
    hear(text);
    channel.postMessage(text);
  };
  channel.addEventListener('message', ({ data }: MessageEvent<string | undefined>) => hear(data));

  /** Listens until the page has enough of it, or the server refuses. */
  const listen = () =>
    new Promise<void>((resolve) => {
      const source = new EventSource('events');
      const end = () => {
        source.close();
        resolve();
      };
      source.addEventListener('message', ({ data }: MessageEvent<string>) => tell(data));
      source.addEventListener('error', () => {
        tell(undefined);
        if (source.readyState === EventSource.CLOSED) end();
      });
      ended.signal.addEventListener('abort', end);
    });

  const lead = async () => {
    while (!ended.signal.aborted) {
      await navigator.locks.request(NAME, { signal: ended.signal }, listen);
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  };
  // It ends by being ended.
  lead().catch(() => {});
  silence = setTimeout(reader.silent, SILENCE);

  return () => {
    ended.abort();
    clearTimeout(silence);
    channel.close();
  };
}
