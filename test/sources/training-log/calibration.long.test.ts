import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../setup/parts.ts';
import { flaws, judge, trainedNetworks } from './truth.ts';

const document = join(root, 'docs/detect.md');
const TABLE = /<!-- calibration -->[\s\S]*<!-- \/calibration -->/;

test('the table of the docs says how often verdicts on the edge are right', () => {
  const counts = new Map<number, { count: number; right: number }>();
  for (const truth of trainedNetworks()) {
    for (const flaw of flaws([1, 2])) {
      const { right, phases } = judge(truth, flaw);
      const edge = phases.find(({ phase }) => phase === 'edge-of-stability');
      if (!edge) continue;
      const before = counts.get(edge.confidence) ?? { count: 0, right: 0 };
      counts.set(edge.confidence, {
        count: before.count + 1,
        right: before.right + (right ? 1 : 0),
      });
    }
  }
  const rows = [...counts]
    .sort(([a], [b]) => b - a)
    .map(
      ([confidence, { count, right }]) =>
        `| ${confidence} | ${count} | ${((100 * right) / count).toFixed(0)} % |`,
    );
  const table = [
    '<!-- calibration -->',
    '| confidence | verdicts on the edge | right |',
    '|---|---|---|',
    ...rows,
    '<!-- /calibration -->',
  ].join('\n');
  const text = readFileSync(document, 'utf8');
  if (process.env.EOS_CALIBRATE) writeFileSync(document, text.replace(TABLE, table));
  else expect(TABLE.exec(text)?.[0]).toBe(table);
  for (const [confidence, { count, right }] of counts)
    if (count >= 10) expect(right / count).toBeGreaterThan(confidence - 0.05);
}, 600_000);
