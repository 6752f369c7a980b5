import { setFlagsFromString } from 'node:v8';
import { expect, test } from 'vitest';
import { createNetwork } from '../../src/pipeline/models/network/network.ts';
import { createRowsDetector } from '../../src/pipeline/phases/measured/detector.ts';
import { createEdgeMotion } from '../../src/pipeline/phases/measured/edge-motion.ts';
import { createHistory } from '../../src/pipeline/phases/measured/history.ts';
import { createLossWatch } from '../../src/pipeline/phases/measured/loss-watch.ts';
import { createRunningMedian } from '../../src/pipeline/phases/measured/running-median.ts';
import { createSpikeExplainer } from '../../src/pipeline/phases/measured/spike-explainer.ts';
import { createSpikeRows } from '../../src/pipeline/phases/measured/spike-rows.ts';
import { createSpikeFinder } from '../../src/pipeline/phases/measured/spikes.ts';

// A getter in an object that is made anew for each run makes it a dictionary to V8: each look at it
// searches for a name, and what is compiled of that is compiled anew for the next runs.
setFlagsFromString('--allow-natives-syntax');
const natives = 'return [%HasFastProperties(one), %HaveSameMap(one, other)]';
const shapesOf = new Function('one', 'other', natives) as (...objects: object[]) => boolean[];

const shape = { layers: [1, 2, 1], activation: 'tanh', loss: 'mse' } as const;
const samples = { count: 1, inputs: Float64Array.of(1), targets: Float64Array.of(1) };
const explainer = () => createSpikeExplainer({} as never, 3);

test.each<[string, () => object]>([
  ['network', () => createNetwork(shape, samples)],
  ['detector', () => createRowsDetector()],
  ['explainer', explainer],
  ['rows of an explainer', () => explainer().rows],
  ['motion at the edge', () => createEdgeMotion()],
  ['history', () => createHistory(1e-4)],
  ['watch of the loss', () => createLossWatch(1e6)],
  ['running median', () => createRunningMedian(9)],
  ['finder of spikes', () => createSpikeFinder()],
  ['rows around spikes', () => createSpikeRows()],
])('each %s is of one shape with all others', (_, create) => {
  create();
  expect(shapesOf(create(), create())).toEqual([true, true]);
});
