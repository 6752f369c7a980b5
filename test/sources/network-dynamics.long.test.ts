import { lastValueFrom, tap } from 'rxjs';
import { expect, test } from 'vitest';
import { findDynamics } from '../../src/pipeline/dynamics/index.ts';
import type { NetworkOptions } from '../../src/pipeline/models/network/config.ts';
import { networkDescent } from '../../src/pipeline/sources/descent/network-descent.ts';
import { networkTrajectory } from '../../src/pipeline/sources/network-trajectory.ts';

type Rows = ReturnType<typeof networkDescent>;

async function column(rows: Rows, name: 'loss' | 'sharpness'): Promise<readonly number[]> {
  const values: number[] = [];
  await lastValueFrom(
    rows.pipe(tap(({ columns, length }) => values.push(...columns[name].subarray(0, length)))),
  );
  return values;
}

/** Mean over 100 steps before and behind each 50th step. */
function smooth(values: readonly number[]): readonly number[] {
  return values.flatMap((_, t) => {
    if (t % 50 !== 0) return [];
    const near = values.slice(Math.max(0, t - 100), t + 101);
    return [near.reduce((sum, value) => sum + value) / near.length];
  });
}

/** Mean |ln (loss / smoothed loss of gradient descent)|. */
function distance(loss: readonly number[], descent: readonly number[]): number {
  const target = smooth(descent);
  const logs = smooth(loss).map((value, i) => Math.abs(Math.log(value / target[i]!)));
  return logs.reduce((sum, value) => sum + value) / logs.length;
}

test.each([
  [{ layers: '1-20-15-1', data: 'chebyshev:5:20', eta: 0.1, steps: 4000 }, 0.5],
  [{ layers: '1-20-15-1', data: 'chebyshev:4:20', activation: 'gelu', eta: 0.3, steps: 3000 }, 0.5],
  [{ preset: 'digits' }, 0.05],
] as const satisfies readonly (readonly [NetworkOptions, number])[])(
  'Edge Flow keeps to the smoothed loss of gradient descent, and gradient flow leaves it: %j by more than %f',
  async (options, apart) => {
    const often = { ...options, measure: 1000 };
    const descent = await column(networkDescent(often), 'loss');
    const edge = await column(networkTrajectory(findDynamics('edge')!, often), 'loss');
    const flow = await column(networkTrajectory(findDynamics('gradient-flow')!, often), 'loss');
    expect(distance(edge, descent)).toBeLessThan(0.1);
    expect(distance(flow, descent)).toBeGreaterThan(apart);
  },
);

test('gradient flow of a network is what gradient descent of tiny steps comes to', async () => {
  const options = { layers: '1-10-1', data: 'chebyshev:3:10', measure: 500 } as const;
  const fine = { ...options, eta: 0.001, steps: 100_000 };
  const descent = await column(networkDescent(fine), 'loss');
  const flow = networkTrajectory(findDynamics('gradient-flow')!, {
    ...options,
    eta: 0.5,
    steps: 200,
  });
  const loss = await column(flow, 'loss');
  for (const t of [1, 50, 200]) expect(loss[t]! / descent[500 * t]!).toBeCloseTo(1, 2);
});

test('rows stand at the sum of the learning rates, and sharpness grows past 2/η', async () => {
  const flow = (options: NetworkOptions) =>
    networkTrajectory(findDynamics('gradient-flow')!, {
      layers: '1-20-15-1',
      data: 'chebyshev:5:20',
      ...options,
    });
  const slow = await column(flow({ eta: 0.1, steps: 2000 }), 'loss');
  const switched = await column(
    flow({ eta: 0.1, schedule: '0:0.1,1000:0.2', steps: 1500 }),
    'loss',
  );
  expect(switched[1500]! / slow[2000]!).toBeCloseTo(1, 3);
  const sharpness = await column(flow({ eta: 0.1, steps: 4000, measure: 10 }), 'sharpness');
  expect(Math.max(...sharpness.filter(Number.isFinite))).toBeGreaterThan(1.5 * 20);
});
