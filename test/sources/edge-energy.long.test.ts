import fc from 'fast-check';
import { expect, test } from 'vitest';
import { base64Of, bytesOf } from '../../src/pipeline/core/base64.ts';
import type { Checkpoint } from '../../src/pipeline/core/checkpoint.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/pipeline/core/stored-state.ts';
import { setupNetwork } from '../../src/pipeline/models/network/config.ts';
import { networkRows } from '../../src/pipeline/sources/descent/network-descent.ts';

/** The minimal model as a network: four samples of second moments λ₁ and λ₂, and none between. */
function minimalModel(lambda1: number, lambda2: number, eta: number) {
  const [x, y] = [Math.sqrt(2 * lambda1), Math.sqrt(2 * lambda2)];
  const setup = setupNetwork({
    layers: '1-1-1',
    activation: 'linear',
    data: 'chebyshev:1:4',
    eta,
    steps: 1000,
  });
  return {
    ...setup,
    layers: [2, 1, 1],
    data: {
      ...setup.data,
      inputWidth: 2,
      inputs: Float64Array.of(x, 0, -x, 0, 0, y, 0, -y),
      targets: Float64Array.of(0, 0, y, -y),
    },
  };
}

/** θ of the row that comes next: β₁, β₂, the hidden bias, α, the last bias. */
const thetaOf = ({ stages }: Checkpoint) =>
  new Float64Array(
    bytesOf((stages.networkDescent as { readonly arrays: readonly string[] }).arrays[0]!).buffer,
  );

/** The same run at another θ, where nothing is known. */
function at(checkpoint: Checkpoint, theta: readonly number[]): Checkpoint {
  const state = checkpoint.stages.networkDescent as { readonly arrays: readonly string[] };
  const arrays = [base64Of(Float64Array.from(theta)), ...state.arrays.slice(1)];
  const stage = { ...state, arrays, measurements: 0, measured: null };
  return { ...checkpoint, stages: { networkDescent: stage } };
}

const behind = ({ after }: ReturnType<ReturnType<typeof networkRows>['next']>) =>
  decodeCheckpoint(encodeCheckpoint(1, after!));

const logUniform = (low: number, high: number) =>
  fc.double({ min: Math.log10(low), max: Math.log10(high), noNaN: true }).map((x) => 10 ** x);
const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });

/** |β₁/α| at most. */
const WIDEST = 0.05;
/** λ₂(α² + β₂²), the second eigenvalue of the model, over the first, at most. */
const ALONE = 1 / 200;

test('l1 is L₁ of the minimal model to 1e-6 where λ₁ is the only one near the edge', () => {
  let seen = 0;
  fc.assert(
    fc.property(
      logUniform(1, 1000),
      logUniform(1e-6, 0.1),
      logUniform(0.2, 2),
      between(0.82, 1.1),
      logUniform(1e-4, WIDEST),
      between(-0.95, -0.01),
      fc.boolean(),
      (lambda1, share, size, ratio, swing, residual, mirrored) => {
        // The edge is at α² = 2/(ηλ₁).
        const eta = 2 / (size * size * lambda1);
        const alpha = Math.sqrt(ratio) * size;
        const beta1 = (mirrored ? -1 : 1) * swing * alpha;
        const setup = minimalModel(lambda1, share * lambda1, eta);
        const start = at(behind(networkRows(setup).next(1)), [
          ...[beta1, (1 + residual) / alpha, 0],
          ...[alpha, 0],
        ]);
        const rows = networkRows(setup, { resume: start });
        let theta = thetaOf(start);
        let before = Number.POSITIVE_INFINITY;
        for (let t = 0; t < 100; t++) {
          const batch = rows.next(1);
          if (batch.length === 0) return;
          const [b1, b2, , a] = theta as unknown as readonly [number, number, number, number];
          const exact = 0.5 * lambda1 * (a * b1) ** 2;
          const { sharpness, sharpness_2, loss, l1 } = batch.columns as unknown as Readonly<
            Record<string, Float64Array>
          >;
          const here = Math.abs(b1 / a);
          const rate = (eta * sharpness![0]!) / 2;
          const second = share * lambda1 * (a * a + b2 * b2);
          // The biases have eigenvalues of their own.
          const alone = second < ALONE * sharpness![0]! && eta * sharpness_2![0]! < 1;
          const near = rate > 0.8 && rate < 1.25;
          if (near && alone && Math.max(here, before) <= WIDEST && exact > 1e-12 * loss![0]!) {
            seen++;
            expect(Math.abs(l1![0]! / exact - 1)).toBeLessThan(1e-6);
          }
          before = here;
          theta = thetaOf(behind(batch));
        }
      },
    ),
    { numRuns: 200 },
  );
  // Some of the drawn runs stay where the law is said to hold.
  expect(seen).toBeGreaterThan(0);
});
