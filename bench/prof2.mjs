import { gradientDescent } from '../dist/pipeline/index.js';
import { sharpnessColumn } from '../dist/pipeline/operators/classify-sharpness.js';
import { createPhaseDetector } from '../dist/pipeline/operators/detect-phases.js';
import { solutionColumns } from '../dist/pipeline/operators/flow-solution.js';
import { lossColumns } from '../dist/pipeline/operators/split-loss.js';

const batches = [];
await gradientDescent({ steps: 200000 }, { batchSize: 4096 }).forEach((b) => batches.push(b));
const n = batches.reduce((s, b) => s + b.length, 0);
const full = batches.map((b) => ({
  ...b,
  columns: { ...b.columns, sharpness: sharpnessColumn(b), ...solutionColumns(b) },
}));
const alloc = (b) => [1, 2].map(() => new Float64Array(b.length));
const fns = {
  alloc1: (b) => new Float64Array(b.length),
  alloc2: alloc,
  sharp: sharpnessColumn,
  sol: solutionColumns,
  loss: lossColumns,
  detect: (b, i) => {
    const d = createPhaseDetector();
    return d(full[i]);
  },
};
for (let r = 0; r < 3; r++)
  for (const [name, f] of Object.entries(fns)) {
    let best = 1e9;
    for (let k = 0; k < 30; k++) {
      const t0 = performance.now();
      batches.forEach((b, i) => f(b, i));
      best = Math.min(best, ((performance.now() - t0) * 1e6) / n);
    }
    if (r === 2) console.log(name, best.toFixed(2), 'ns/step');
  }
