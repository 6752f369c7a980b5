import type { App, Run } from '../app.ts';
import type { TableClient } from '../load/client.ts';
import type { Points } from '../plots/cut.ts';
import type { Place } from '../plots/x-axis.ts';

/** On a logarithmic axis the first step of a decade stands for as many pixels as its last ten. */
const FINER = 4;

/**
 * Lines of columns over the positions that are shown, with every extreme; on a logarithmic axis
 * decade by decade, since a column of pixels holds ever more steps.
 */
export async function readLines(
  app: App,
  run: Run,
  client: TableClient,
  columns: readonly string[],
  pixels: number,
  positions = app.range(),
): Promise<readonly Points[]> {
  const place = app.place(run);
  if (!place) return columns.map(() => ({ x: [], y: [] }));
  const [from, to] = positions;
  if (app.axis().name !== 'log') {
    const lines = await client.lines(columns, place.step(from), place.step(to), pixels);
    return app.axis().name === 'step' ? lines : lines.map((line) => placed([line], place));
  }
  const ends = [from];
  for (let next = Math.floor(from) + 1; next < to; next++) ends.push(next);
  const parts = await Promise.all(
    ends.map((start, i) => {
      const end = ends[i + 1] ?? to;
      const width = Math.max(8, Math.round((FINER * pixels * (end - start)) / (to - from)));
      return client.lines(columns, place.step(start), place.step(end), width);
    }),
  );
  return columns.map((_, column) =>
    placed(
      parts.map((part) => part[column]!),
      place,
    ),
  );
}

/** Lines that follow each other, at their positions; each runs on to rows of its neighbours. */
function placed(lines: readonly Points[], place: Place): Points {
  const x: number[] = [];
  const y: number[] = [];
  for (const line of lines) {
    const last = x.at(-1) ?? Number.NEGATIVE_INFINITY;
    for (let i = 0; i < line.x.length; i++) {
      const position = place.at(line.x[i]!);
      if (!Number.isFinite(position) || position < last) continue;
      x.push(position);
      y.push(line.y[i]!);
    }
  }
  return { x, y };
}
