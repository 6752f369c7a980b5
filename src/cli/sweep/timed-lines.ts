import { duration } from '../../pipeline/format.ts';

const EVERY = 10_000;

/** Progress for logs: a line every ten seconds, where there is no terminal for a bar. */
export function timedLines(
  total: number,
  write: (line: string) => void,
): { update(done: number): void } {
  const start = performance.now();
  let next = start + EVERY;
  return {
    update(done) {
      const now = performance.now();
      if (now < next || done <= 0) return;
      next = now + EVERY;
      const left = (total - done) / (done / ((now - start) / 1000));
      write(`${Math.floor((100 * done) / total)} % done, ${duration(left)} left`);
    },
  };
}
