/** When the next frame is drawn. A page that nobody sees has none. */
export const nextFrame = (): Promise<unknown> => new Promise(requestAnimationFrame);

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
