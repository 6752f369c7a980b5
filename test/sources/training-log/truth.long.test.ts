import { expect, test } from 'vitest';
import { generator, normal } from './small-network.ts';
import { detect, flaws, judge, type Series, trainedNetworks } from './truth.ts';

test('trained networks, logged in 44 ways: 95 % are right in outcome, onset and phases', () => {
  const wrong: string[] = [];
  let count = 0;
  for (const truth of trainedNetworks()) {
    for (const flaw of flaws([3, 4, 5])) {
      const judged = judge(truth, flaw);
      count++;
      if (!judged.right) wrong.push(`${truth.name}, ${flaw.name}: ${judged.wrong}`);
    }
  }
  expect(wrong.length, wrong.join('\n')).toBeLessThanOrEqual(0.05 * count);
}, 600_000);

test('200 noisy decays and periodic losses, alone or with a sharpness below the threshold, have no edge', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = generator(seed);
    const deviation = 0.001 * seed;
    const step = Array.from({ length: 1500 }, (_, t) => t);
    const noise = () => Math.exp(deviation * normal(random));
    const losses = [
      (t: number) => (0.05 + Math.exp(-t / (100 + 10 * seed))) * noise(),
      (t: number) => (1 + 0.5 * Math.sin(t / (5 + seed))) * noise(),
    ];
    for (const loss of losses) {
      for (const level of [Number.NaN, 0.7]) {
        const series: Series = {
          step,
          loss: step.map(loss),
          sharpness: step.map((t) => level * (1 - Math.exp(-t / 300)) * noise()),
          threshold: step.map(() => 1),
        };
        const phases = detect(series).phases.map(({ phase }) => phase);
        expect(phases, `seed ${seed}`).not.toContain('edge-of-stability');
        expect(phases, `seed ${seed}`).not.toContain('diverged');
      }
    }
  }
}, 600_000);
