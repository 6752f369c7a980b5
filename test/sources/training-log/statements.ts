import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stabilityThreshold } from '../../../src/pipeline/optimizers/thresholds.ts';
import { pendulum } from '../../../src/pipeline/phases/measured/convergence.ts';
import { createSeriesDetector } from '../../../src/pipeline/phases/measured/detector.ts';
import { createEdgeMotion } from '../../../src/pipeline/phases/measured/edge-motion.ts';
import { type Block, createHistory } from '../../../src/pipeline/phases/measured/history.ts';
import { createJumps } from '../../../src/pipeline/phases/measured/jumps.ts';
import { createLossWatch } from '../../../src/pipeline/phases/measured/loss-watch.ts';
import { createNoiseScale } from '../../../src/pipeline/phases/measured/noise-scale.ts';
import { explainSpike } from '../../../src/pipeline/phases/measured/spike-cause.ts';
import { createSpikeRows } from '../../../src/pipeline/phases/measured/spike-rows.ts';
import { createSpikeFinder } from '../../../src/pipeline/phases/measured/spikes.ts';
import { generator, normal } from './small-network.ts';
import { detect, type Series } from './truth.ts';

/** Something that is true of the detector, and could be false. */
export type Statement = () => boolean;

/** Noise on ln L that hides a swing, once it is smoothed over three rows. */
const NOISY = 3e-5;
const docs = readFileSync(join(import.meta.dirname, '../../../docs/detect.md'), 'utf8');

const rows = (length: number) => Array.from({ length }, (_, t) => t);

/** Spikes of a loss. */
function spikesOf(loss: (t: number) => number, length: number): number[] {
  const finder = createSpikeFinder();
  const found = rows(length).flatMap((t) => finder.next(t, loss(t), Number.NaN)?.step ?? []);
  return [...found, ...(finder.finish() ? [-1] : [])];
}

/** Jumps of a threshold. */
function jumpsOf(threshold: (t: number) => number): number[] {
  const detector = createSeriesDetector();
  return rows(60).flatMap((t) => {
    detector.next(t, 1, 0.5, threshold(t));
    return detector.jump?.step ?? [];
  });
}

function series(
  length: number,
  ratio: (t: number) => number,
  loss: (t: number) => number = (t) => Math.exp(-t / length),
): Series {
  const step = rows(length);
  return { step, loss: step.map(loss), sharpness: step.map(ratio), threshold: step.map(() => 1) };
}

const phasesOf = (each: Series) => detect(each).phases.map(({ phase }) => phase);
const edgeOf = (each: Series) =>
  detect(each).phases.find(({ phase }) => phase === 'edge-of-stability');

/** A series of noise of one deviation, then of a tenth of it. */
function scaleAfter(samples: number): number {
  const random = generator(5);
  const scale = createNoiseScale(1e-9);
  for (let t = 0; t < 300; t++) scale.next(normal(random));
  let value = 0;
  for (let t = 0; t < samples; t++) value = scale.next(0.1 * normal(random));
  return value;
}

/** Relative error of the scale of white noise, over many windows. */
function scaleError(): number {
  const random = generator(7);
  const errors: number[] = [];
  for (let run = 0; run < 60; run++) {
    const scale = createNoiseScale(1e-9);
    let value = 0;
    for (let t = 0; t < 200; t++) value = scale.next(normal(random));
    errors.push(value - 1);
  }
  return Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
}

const blocksOf = (samples: number) => {
  const history = createHistory(1e-4);
  for (let t = 0; t < samples; t++)
    history.push({ step: t, x: 0, error: Number.NaN, loss: 1, moves: 1, rises: 0 });
  return history.blocks().length;
};

const resolutionOf = (decimals: number) => {
  const watch = createLossWatch(1e6);
  for (let t = 0; t < 50; t++) watch.next(t, Number(Math.exp(-t / 40).toFixed(decimals)));
  return watch.facts().resolution;
};

/** Sharpens to a level with bursts of the loss at every fall, at which it stays. */
const plateauAt = (level: number) =>
  series(
    2000,
    (t) => Math.min(level, 0.3 + 0.001 * t) * (t > 700 && t % 150 < 20 ? 0.97 : 1),
    (t) => Math.exp(-t / 900) * (t > 700 && t % 150 < 20 ? 3 : 1),
  );

const noisyAt = (level: number, deviation: number, length = 1500) => {
  const random = generator(11);
  return series(length, () => level * (1 + deviation * normal(random)));
};

/** A run of 1000 steps that crosses the threshold at 613, measured so many times. */
const sparse = (times: number): Series => {
  const all = series(1000, (t) => 1 + (t - 613) / 1000);
  const pick = (values: readonly number[]) => values.filter((_, t) => t % (1000 / times) === 0);
  return {
    step: pick(all.step),
    loss: pick(all.loss),
    sharpness: pick(all.sharpness),
    threshold: pick(all.threshold),
  };
};

/**
 * ln L of a damped pendulum about the balance of sharpening and self-stabilization, with noise, as
 * blocks.
 */
function swings(count: number, noise: number): Block[] {
  const random = generator(9);
  const period = 100;
  const f0 = (Math.PI / period) ** 2;
  const blocks: Block[] = [];
  let [x, log] = [0, 0.2];
  for (let t = 0; t < 1500; t++) {
    // The balance is y = f/k, with f and so the balance shrinking by e in 3000 steps.
    const f = f0 * Math.exp(-t / 3000);
    x += f - 0.004 * x - f0 * Math.exp(log);
    log += 4 * x;
    const loss = 1e-3 * Math.exp(log + noise * normal(random));
    blocks.push({ firstStep: t, lastStep: t, x: 0, loss, moves: 1, rises: 0 });
  }
  // The last third is looked at.
  return blocks.slice(-Math.round(3 * count * period));
}

/**
 * A run that converges below the edge, S∞ − S = 0.3·√L, until its loss is this share of the first.
 */
const fallen = (share: number) =>
  series(
    600,
    (t) => 0.9 - 0.3 * share ** (t / 1200),
    (t) => share ** (t / 600),
  );

/**
 * Hovers at 0.985 from 300 on until it is over the threshold at 1500; the loss rises in so many of
 * ten steps.
 */
const hovers = (rises: number) => {
  let log = 0;
  return series(
    2000,
    (t) => (t < 300 ? 0.3 + (0.685 * t) / 300 : t < 1500 ? 0.985 + 0.004 * Math.sin(t / 9) : 1.012),
    (t) => {
      log += t > 300 && t % 10 < rises ? 0.01 : -0.02;
      return Math.exp(log / 4);
    },
  );
};

/** Upward crossings of the threshold by a series that swings to so many deviations beyond it. */
function cyclesOf(deviations: number): number {
  const motion = createEdgeMotion();
  for (let t = 0; t < 400; t++) motion.next(0.01 * deviations * Math.sin(t / 20), 0.01);
  return motion.cycle();
}

/**
 * Cause of a spike that rises in these shares of its height, so much of it energy at the edge, at a
 * ratio.
 */
function causeOf(rises: readonly number[], share = 1, ratio = 1.01): string {
  const losses = [...Array(12).fill(1), ...rises.map((_, i) => 1 + sum(rises.slice(0, i + 1))), 1];
  const lossRows = losses.map((loss, step) => ({
    ...{ step, loss, eta: 0.1, sharpness: 20 * ratio, ratio, directions: 1, measured: true },
    l1: share * (loss - 1),
  }));
  const peak = 11 + rises.length;
  const spike = { begin: 12, step: peak, end: peak, loss: 2, rise: 2, sharpness_ratio: ratio };
  return explainSpike(spike, lossRows, stabilityThreshold({}).stability, 9).cause;
}

/** Cause of a spike by losses behind a quiet start at 1, with what is known of each row. */
function causeOfRows(
  climb: readonly { loss: number; work: number | null; l1: number }[],
  batches = false,
): string {
  const quiet = { loss: 1, work: 0, l1: 0 };
  const lossRows = [...Array(12).fill(quiet), ...climb, quiet].map((row, step) => ({
    ...{ step, eta: 0.1, sharpness: 30, ratio: 1.5, directions: 1, measured: true },
    ...(row as typeof quiet),
  }));
  const peak = 11 + climb.length;
  const spike = { begin: 12, step: peak, end: peak, loss: 2, rise: 2, sharpness_ratio: 1.5 };
  const { stability } = stabilityThreshold({});
  return explainSpike(spike, lossRows, stability, 9, { batches }).cause;
}

/** A climb in equal steps, all of it work at the edge. */
const evenClimb = (steps: number) =>
  rows(steps).map((t) => ({ loss: 1 + (t + 1) / steps, work: 1 / steps, l1: 0 }));

/** Whether a run at a ratio, hundreds of steps behind a jump of the learning rate, is led by it. */
function ledAt(ratio: number): boolean {
  const jumps = createJumps();
  const step = rows(300);
  const eta = step.map((t) => (t < 10 ? 1 : 2));
  jumps.push({ step, eta, sharpness_ratio: eta.map((rate) => (ratio * rate) / 2) }, 0, 300);
  const peak = { loss: 1, rise: 2, sharpness_ratio: 1 };
  return jumps.led({ begin: 295, step: 299, end: 299, ...peak }, createSpikeRows());
}

/** Whether a spike so many rows behind the first is the jump's too, where the loss stays up. */
function stillLedAt(behind: number): boolean {
  const jumps = createJumps();
  const spikeRows = createSpikeRows();
  const step = rows(1000);
  const [eta, loss] = [step.map((t) => (t < 10 ? 1 : 2)), step.map((t) => (t < 12 ? 1 : 2))];
  const columns = { step, eta, loss, sharpness: loss, sharpness_ratio: step.map(() => 1) };
  jumps.push(columns, 0, 1000);
  spikeRows.push(columns, 0, 1000);
  const peak = { loss: 1, rise: 2, sharpness_ratio: 1 };
  const led = (at: number) => jumps.led({ begin: at, step: at, end: at, ...peak }, spikeRows);
  return led(20) && led(20 + behind);
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Whether the table of the docs has a row for this confidence. */
const inTable = (confidence: number | undefined) => docs.includes(`\n| ${confidence} | `);

/** Statements of which each notices that some constant is another. */
export const STATEMENTS: Readonly<Record<string, Statement>> = {
  'the noise scale follows a change within 50 samples': () => scaleAfter(50) < 0.25,
  'the noise scale is right to a fifth': () => scaleError() < 0.2,
  'the history resolves a seven-hundredth of the run': () => blocksOf(30_000) > 729,
  'the history holds 2187 blocks at most': () => blocksOf(6000) < 2187,
  'a threshold that changes by 7 % at once has jumped': () =>
    jumpsOf((t) => (t < 30 ? 1 : 1.07)).join() === '30',
  'one that changes by 3 % at once has not': () => jumpsOf((t) => (t < 30 ? 1 : 1.03)).length === 0,
  'after changes of 1 % one of 8 % is a jump': () =>
    jumpsOf((t) => (t < 30 ? 1.01 ** t : 1.08 * 1.01 ** t)).join() === '30',
  'after changes of 2 % one of 8 % is none': () =>
    jumpsOf((t) => (t < 30 ? 1.02 ** t : 1.059 * 1.02 ** t)).length === 0,
  'a rise of the loss by 15 % is a spike': () =>
    spikesOf((t) => (t > 99 && t < 104 ? 1.15 : 1), 300).length === 1,
  'a rise by 8 % is none': () => spikesOf((t) => (t > 99 && t < 104 ? 1.08 : 1), 300).length === 0,
  'ten deviations are a spike': () => {
    const random = generator(3);
    return (
      spikesOf((t) => Math.exp(0.04 * normal(random) + (t > 499 && t < 506 ? 0.4 : 0)), 900)
        .length === 1
    );
  },
  'noise of 4 % is none in 20,000 rows': () => {
    const random = generator(4);
    return spikesOf(() => Math.exp(0.04 * normal(random)), 20_000).length === 0;
  },
  'four low rows in ten do not make the level': () =>
    spikesOf((t) => (t > 99 && t % 10 < 4 ? 0.8 : 1), 300).length === 0,
  'a burst on a loss that falls fast is a spike': () =>
    spikesOf((t) => Math.exp(-t / 20) * (t > 99 && t < 104 ? 1.6 : 1), 200).length === 1,
  'what rounding leaves of zero has no spikes': () => {
    const random = generator(6);
    return spikesOf((t) => (t < 60 ? Math.exp(-t) : 3e-15 * (1 + random())), 600).length === 0;
  },
  'a burst at 1e-11 of the first loss is a spike': () =>
    spikesOf((t) => (t > 199 && t < 206 ? 5e-11 : Math.max(1e-11, Math.exp(-t / 5))), 400)
      .length === 1,
  'a loss of ten decimals is rounded': () => Math.abs(resolutionOf(10) / 1e-9 - 1) < 1e-9,
  'a loss of all digits is not': () => resolutionOf(20) === 0,
  'values that vanish after a rise by 15 have diverged': () =>
    phasesOf(
      series(
        210,
        (t) => 0.3 + t * 0.001,
        (t) => (t < 195 ? 1 : t < 200 ? 15 : Number.NaN),
      ),
    ).includes('diverged'),
  'values that are no longer logged after a rise by 7 have not': () =>
    !phasesOf(
      series(
        210,
        (t) => 0.3 + t * 0.001,
        (t) => (t < 195 ? 1 : t < 200 ? 7 : Number.NaN),
      ),
    ).includes('diverged'),
  'what is missing one and a half times as long as before is not gone': () =>
    !phasesOf(
      series(
        245,
        () => 0.3,
        (t) => ((t > 99 && t < 120) || t > 214 ? Number.POSITIVE_INFINITY : 1),
      ),
    ).includes('diverged'),
  'what is missing three times as long as before is': () =>
    phasesOf(
      series(
        280,
        () => 0.3,
        (t) => ((t > 99 && t < 120) || t > 214 ? Number.POSITIVE_INFINITY : 1),
      ),
    ).includes('diverged'),
  'a plateau at 0.9 of the threshold with bursts is the edge': () =>
    edgeOf(plateauAt(0.9)) !== undefined,
  'one at 0.85 is not': () => edgeOf(plateauAt(0.85)) === undefined,
  'a level of 0.98 with bursts is the threshold': () => detect(plateauAt(0.98)).effective === 1,
  'one of 0.955 is another': () => detect(plateauAt(0.955)).effective !== 1,
  'a noisy level of 0.95 is not at the edge': () => edgeOf(noisyAt(0.95, 0.02)) === undefined,
  'thirty rows that come to rest at the threshold are at the edge': () =>
    edgeOf(noisyAt(0.99, 0.003, 30)) !== undefined,
  'eighteen are too few': () => edgeOf(noisyAt(0.99, 0.003, 18)) === undefined,
  'a level of the last fifth of a run is none': () =>
    edgeOf(
      series(
        1000,
        (t) => 0.9 * Math.min(1, 0.4 + (0.6 * t) / 800) * (t > 800 && t % 40 < 5 ? 0.97 : 1),
        (t) => Math.exp(-t / 900) * (t > 800 && t % 40 < 5 ? 3 : 1),
      ),
    ) === undefined,
  'measurements a fiftieth of the run apart are not interpolated between': () =>
    edgeOf(sparse(50))!.first_step % 20 === 0,
  'those a twentieth apart are': () => edgeOf(sparse(20))!.first_step % 50 !== 0,
  'a sharpness that rises by 0.4 % is flat': () =>
    phasesOf(series(300, (t) => 0.5 * (1 + (0.006 * t) / 300))).join() === 'flat',
  'one that rises by 0.7 % is not': () =>
    phasesOf(series(300, (t) => 0.5 * (1 + (0.0105 * t) / 300))).join() !== 'flat',
  'four deviations over the threshold are a cycle': () => cyclesOf(4.5) > 1,
  'a loss of 0.7 % of the first is that of a training that is over': () =>
    phasesOf(fallen(0.007)).includes('convergence'),
  'one of 1.4 % is not': () => !phasesOf(fallen(0.014)).includes('convergence'),
  'a training whose loss rises in three of ten steps hovers': () =>
    edgeOf(hovers(3))!.first_step < 400,
  'one whose loss rises in one of ten does not': () => edgeOf(hovers(1.5))!.first_step > 1400,
  'a swing that is seen twice is a pendulum': () => pendulum(swings(2, 0)) !== null,
  'one that is seen one and a half times is none': () => pendulum(swings(1.7, 0)) === null,
  'a swing with a little noise is one': () => pendulum(swings(4, NOISY / 3)) !== null,
  'one with more is none': () => pendulum(swings(4, NOISY)) === null,
  'energy at the edge that is 0.4 of a rise is not its cause': () =>
    causeOf([0.3, 0.3, 0.4], 0.4) === 'other',
  'that of 0.7 is': () => causeOf([0.3, 0.3, 0.4], 0.7) === 'edge',
  'a rise half of which comes in a step is an oscillation': () =>
    causeOf([0.2, 0.3, 0.5]) === 'edge',
  'one of which 0.8 comes in a step is a kick': () => causeOf([0.1, 0.1, 0.8]) === 'kick',
  'but not at 1.6 times the threshold': () => causeOf([0.1, 0.1, 0.8], 1, 1.6) === 'edge',
  'where it takes all of the rise but a hundredth': () =>
    causeOf([0.005, 0.005, 0.99], 1, 1.6) === 'kick',
  'what rises at 0.9 of the threshold has another cause': () =>
    causeOf([0.3, 0.3, 0.4], 1, 0.9) === 'other',
  'energy that grows by 0.25 % of the loss a step is the cause of its rise': () => {
    const height = (t: number) => 1.0025 ** (t + 1);
    const climb = rows(80).map((t) => ({ loss: height(t), work: null, l1: height(t) - 1 }));
    return causeOfRows([{ loss: 1, work: 0, l1: 0 }, ...climb]) === 'edge';
  },
  'what energy loses in a step without work takes little away': () => {
    const steps = rows(4).map((t) => ({ loss: 1 + (t + 1) / 40, work: 0.058 / 4, l1: 0.02 }));
    return causeOfRows([...steps, { loss: 1.1001, work: null, l1: 0 }]) === 'edge';
  },
  'of mini-batches a rise in three rows is a kick': () =>
    causeOfRows(evenClimb(3), true) === 'kick',
  'one in four is an oscillation': () => causeOfRows(evenClimb(4), true) === 'edge',
  'a run at 0.6 of the threshold behind a jump is not at the edge': () => !ledAt(0.6),
  'one at 0.9 is': () => ledAt(0.9),
  'a spike 250 rows behind the first, while the loss stays up, is the same jump’s': () =>
    stillLedAt(250),
  'one 500 rows behind it is not': () => !stillLedAt(500),
  'a verdict from a plateau has the confidence of the table': () =>
    inTable(edgeOf(plateauAt(0.9))?.confidence),
  'one that batches make as well': () => inTable(edgeOf(hovers(3))?.confidence),
  'a date that moves by less than a hundredth of the run is told once': () =>
    [0, 1].includes(
      rows(3000).filter(
        ((detector) => (t: number) => {
          detector.next(t, Math.exp(-t / 3000), Math.min(1.02, 0.3 + t * 0.0004));
          return detector.changes.some(({ what }) => what === 'redated');
        })(createSeriesDetector()),
      ).length,
    ),
};
