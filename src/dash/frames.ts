/** When the next frame is drawn. A page that nobody sees has none. */
const nextFrame = (): Promise<unknown> => new Promise(requestAnimationFrame);

/**
 * Draws one after the other, in each frame as many as begin within so many milliseconds of it; all
 * at once while somebody waits for them.
 */
export async function paced(
  drawings: readonly (() => Promise<void>)[],
  milliseconds: number,
  hurry: () => boolean,
): Promise<void> {
  let start = performance.now();
  for (const draw of drawings) {
    await draw();
    if (hurry() || performance.now() - start < milliseconds) continue;
    await nextFrame();
    start = performance.now();
  }
}

/** So long a frame may take; a page that is not seen any more has none, in milliseconds. */
const MOST_MS = 200;

/** When the next frame has been drawn. */
export const afterFrame = (): Promise<void> =>
  new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, MOST_MS);
  });

/**
 * Does something with the next frame, or before it where the page is idle now: what an event of a
 * frame began still is part of that frame.
 */
export function soon(work: () => void): void {
  let done = false;
  const once = (): void => {
    if (done) return;
    done = true;
    work();
  };
  requestAnimationFrame(once);
  if (!document.hidden) setTimeout(once);
}

/**
 * Drawings that begin together wait until each of them has read what it draws, so that all change
 * in one frame: every frame costs a layout and a paint of its own.
 */
export function gathering() {
  let begun: Promise<unknown>[] | undefined;
  return {
    /** Begins these together. */
    begin<T>(drawings: readonly (() => Promise<T>)[]): Promise<T[]> {
      begun = [];
      const started = drawings.map((draw) => draw());
      begun = undefined;
      return Promise.all(started);
    },
    /** What a drawing reads, once all that began with it have theirs. */
    async read<T>(reading: Promise<T>): Promise<T> {
      const others = begun;
      others?.push(reading);
      const value = await reading;
      if (others) await Promise.allSettled(others);
      return value;
    },
  };
}
