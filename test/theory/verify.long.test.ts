import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, test } from 'vitest';
import type { RunOptions } from '../../src/pipeline/models/minimal/config.ts';
import type { CycleMean } from '../../src/pipeline/theory/checks/cycle-l1.ts';
import {
  type ConvergenceTime,
  convergenceTimes,
  globalConvergence,
} from '../../src/pipeline/theory/checks/global-convergence.ts';
import { longestStretch, notSeparated } from '../../src/pipeline/theory/premise.ts';
import { type RunTable, runTable, wholeCycles } from '../../src/pipeline/theory/run-table.ts';
import { CHECKS, verifyRun } from '../../src/pipeline/theory/verify.ts';
import { doctored, run, underflowed } from './run.ts';

const paper = await run({ preset: 'paper' });
const threePhases = await run({ preset: 'three-phases' });
const flow = await run({ preset: 'gradient-flow' });

const verdicts = (table: RunTable) =>
  Object.fromEntries(verifyRun(table).map(({ name, verdict }) => [name, verdict]));
const failing = (table: RunTable) =>
  verifyRun(table)
    .filter(({ verdict }) => verdict === 'fails')
    .map(({ name }) => name);
const finding = (table: RunTable, name: string) =>
  verifyRun(table).find((result) => result.name === name)!;

describe('what must hold', () => {
  test.each([
    ['paper', 0.005],
    ['figure3', 0.01],
    ['three-phases', 0.025],
  ] as const)('no check fails on %s', async (preset, slopeOff) => {
    const table = await run({ preset });
    const results = verifyRun(table);
    expect(results.filter(({ verdict }) => verdict === 'fails')).toEqual([]);
    expect(results.filter(({ verdict }) => verdict === 'does not apply')).toEqual([]);
    const slope = finding(table, 'decay-rate');
    expect(Math.abs(slope.measured! / slope.predicted! - 1)).toBeLessThan(slopeOff);
    const mean = finding(table, 'mean-l1');
    expect(Math.abs(mean.measured! / mean.predicted! - 1)).toBeLessThan(0.03);
  });

  test('every check holds on three-phases, with T(0.01, 1e-8) = 7691', () => {
    expect(new Set(Object.values(verdicts(threePhases)))).toEqual(new Set(['holds']));
    expect(finding(threePhases, 'global-convergence')).toMatchObject({
      measured: 7691,
      margin: 10_000 - 7691,
    });
  });

  test('on paper the end is not reached within its steps, and nothing fails', () => {
    expect(verdicts(paper)).toMatchObject({
      'global-convergence': 'not reached',
      'final-sharpness': 'not reached',
    });
    expect(failing(paper)).toEqual([]);
  });

  test('checks of the edge do not apply to a run that never comes there', () => {
    const found = verdicts(flow);
    for (const { name } of CHECKS.filter(({ edge }) => edge))
      expect(found[name], name).toBe('does not apply');
    expect(found['progressive-sharpening']).toBe('does not apply');
    expect(found).toMatchObject({
      'final-sharpness': 'holds',
      balance: 'holds',
      'gradient-flow': 'holds',
    });
    expect(failing(flow)).toEqual([]);
  });

  test('the transient of the paper takes 6 steps at most', () => {
    expect(finding(paper, 'progressive-sharpening').measured).toBeLessThanOrEqual(6);
    expect(finding(threePhases, 'progressive-sharpening').measured).toBeLessThanOrEqual(6);
  });

  test('excursions are counted, their overshoot averaged', () => {
    const { details } = finding(paper, 'edge-of-stability');
    expect(details).toMatchObject({ count: 25 });
    expect(details!.largest_overshoot).toBeCloseTo(0.07577, 5);
    expect(details!.mean_overshoot).toBeLessThan(0.07);
  });

  test('the distance to the constrained trajectory is measured', () => {
    const { details } = finding(paper, 'constrained-trajectory');
    expect(details!.max_distance_from_start).toBeCloseTo(1.01e-2, 4);
    expect(details!.max_distance_from_crossing).toBeCloseTo(3.6e-4, 5);
  });

  test.each<[string, RunOptions]>([
    ['mirrored', { preset: 'three-phases', init: [-0.3, 0.1, -0.3] }],
    ['plain', { preset: 'plain' }],
    ['covariance', { covariance: 0.02, floor: 0, steps: 3000 }],
    ['one step', { preset: 'paper', steps: 1 }],
    ['the start alone', { preset: 'paper', steps: 0 }],
    ['a start beyond the edge', { init: [0.65, 1e-6, 0.7], steps: 300 }],
    ['an excursion that the end cuts off, covariance ≠ 0', { samples: 1000, seed: 3 }],
    ['a path past the saddle', { init: [-0.3, -0.1, 0.3], steps: 20_000 }],
    ['a path whose α changes sign', { init: [-0.2, 0.05, 0.5], steps: 20_000 }],
    [
      'a spike that takes α across 0 and back',
      { preset: 'figure3', lambda2: 0.2581585562830547, steps: 1092 },
    ],
    ['λ₁ < λ₂', { lambda1: 1, lambda2: 3, eta: 0.5 }],
    [
      'an oscillation that neither grows nor decays, cut off',
      {
        lambda1: 1.597341874230131,
        lambda2: 0.0008088790274054387,
        eta: 7.505487354706652,
        init: [-0.1299691159883514, -0.00014763945541368894, 0.4273408338939771],
        floor: 1e-6,
        steps: 3174,
      },
    ],
    [
      'wide swings',
      {
        lambda1: 100,
        lambda2: 0.63,
        eta: 0.0487,
        init: [-0.678, 0.000255, 0.879],
        floor: 1e-6,
        steps: 8749,
      },
    ],
    [
      'the edge across β₁, near α = 0',
      {
        lambda1: 100,
        lambda2: 0.0806597428980752,
        eta: 0.05356390426681711,
        init: [0.4899408111535013, -0.11396326055530008, -1.1520095318555832],
        floor: 0,
        covariance: 0.9159198695847727,
        steps: 7783,
      },
    ],
  ])('nothing fails on %s', async (_, options) => {
    expect(failing(await run(options))).toEqual([]);
  });
});

describe('random runs', () => {
  const generator = xoroshiro128plus(28_097);
  const uniform = (a: number, b: number) => a + (b - a) * uniformFloat64(generator);
  const logUniform = (a: number, b: number) => Math.exp(uniform(Math.log(a), Math.log(b)));
  const signed = (value: number) => (uniform(0, 1) < 0.5 ? -value : value);

  test('no check fails on any that does not diverge, and some of each kind apply', async () => {
    const seen = new Set<string>();
    for (let k = 0; k < 250; k++) {
      const lambda2 = 100 * logUniform(1e-5, 1e-2);
      const options: RunOptions = {
        lambda2,
        eta: logUniform(0.005, 0.12),
        init: [signed(uniform(0.02, 1)), signed(logUniform(1e-4, 0.3)), signed(uniform(0.02, 1.2))],
        floor: uniform(0, 1) < 0.7 ? logUniform(1e-10, 1e-3) : 0,
        covariance:
          uniform(0, 1) < 0.25 ? signed(logUniform(0.01, 0.5)) * Math.sqrt(100 * lambda2) : 0,
        steps: Math.round(logUniform(20, 12_000)),
      };
      const table = await run(options);
      const results = verifyRun(table);
      for (const { name, verdict, text, note } of results) {
        if (verdict === 'holds') seen.add(name);
        expect(`${Object.values(text).join()} ${note}`).not.toMatch(/NaN|Infinity/);
      }
      if (table.divergedAt === null) expect(failing(table), JSON.stringify(options)).toEqual([]);
    }
    expect(seen.size).toBe(CHECKS.length);
  });
});

describe('what is checked of them', () => {
  test('an excursion cut off by the end is open: with more steps it is brought back', async () => {
    const cut = finding(await run({ samples: 1000, seed: 3 }), 'edge-of-stability');
    expect(cut).toMatchObject({
      verdict: 'holds',
      text: { measured: '25 of 26 brought back', predicted: 'all but one under way' },
    });
    const longer = finding(
      await run({ samples: 1000, seed: 3, steps: 10_200 }),
      'edge-of-stability',
    );
    expect(longer.text.measured).toBe('26 of 26 brought back');
    const first = finding(await run({ samples: 1000, seed: 3, steps: 2050 }), 'edge-of-stability');
    expect(first.verdict).toBe('not reached');
  });

  test('past the saddle, S rises strictly from where it is λ₁α² on', async () => {
    const table = await run({ init: [-0.3, -0.1, 0.3], steps: 20_000 });
    expect(finding(table, 'progressive-sharpening')).toMatchObject({
      verdict: 'holds',
      measured: 3388,
    });
    const still = doctored(table, {
      sharpness: (s) => {
        s[4000] = s[3999]!;
      },
    });
    expect(failing(still)).toEqual(['progressive-sharpening']);
    expect(finding(table, 'mean-l1-per-cycle').note).not.toContain('Infinity');
  });

  test('where λ₁ ≫ λ₂ is not so, its checks do not apply; the bound of §5 can fail', async () => {
    const table = await run({ lambda1: 1, lambda2: 3, eta: 0.5 });
    for (const { name } of CHECKS.filter(({ separated }) => separated)) {
      expect(finding(table, name)).toMatchObject({ verdict: 'does not apply' });
      expect(finding(table, name).note).toContain(
        'λ₁ ≫ λ₂, at least 100 times, and here λ₁/λ₂ is 0.333',
      );
    }
    expect(finding(table, 'flow-solution-sharpness')).toMatchObject({ verdict: 'holds' });
    const creeping = doctored(table, {
      gfs_sharpness: (s) => {
        s[500] = s[499]! + 0.1;
      },
    });
    expect(failing(creeping)).toContain('flow-solution-sharpness');
  });

  test('λ₁ = 100·λ₂ is far enough apart, 99 times is not', async () => {
    const separated = async (lambda2: number) =>
      notSeparated((await run({ lambda2, steps: 5 })).config.moments) === undefined;
    expect([await separated(1), await separated(100 / 99)]).toEqual([true, false]);
  });

  test('averages speak of cycles in which their error is small, whatever they are', async () => {
    const wide = await run({
      lambda2: 0.63,
      eta: 0.0487,
      init: [-0.678, 0.000255, 0.879],
      steps: 8749,
    });
    const { verdict, note, details } = finding(wide, 'mean-l1-per-cycle');
    expect(verdict).toBe('holds');
    const [, told, whole] = /^(\d+) of (\d+) whole cycles/.exec(note!)!.map(Number);
    expect(whole).toBe(wholeCycles(wide).length);
    expect(told).toBeLessThan(whole!);
    expect(details!.cycles).toHaveLength(told!);
    // Which they are does not depend on what is averaged.
    const other = doctored(wide, { l1: (l1) => l1.set(l1.map((value, t) => value * (1 + t))) });
    expect(longestStretch(other)).toEqual(longestStretch(wide));
    expect(finding(other, 'mean-l1-per-cycle').verdict).toBe('fails');
    expect(longestStretch(paper)!.cycles).toHaveLength(24);
  });
});

describe('the phase of convergence', () => {
  const rising = (table: RunTable) =>
    finding(table, 'convergence-phase').details as { rises: number; largest: number };

  test('L falls in each of its steps where S stays under 2/η', () => {
    expect(finding(threePhases, 'convergence-phase').verdict).toBe('holds');
    expect(rising(threePhases).rises).toBe(0);
  });

  test('L may rise where S is between 2/η and (2 + δ)/η, which is convergence still', async () => {
    const table = await run({
      lambda1: 61.945692254948334,
      lambda2: 1.9418362303160535,
      eta: 0.0576656548013596,
      init: [0.12694776755781656, 0.19733567140703623, 0.8712696067603805],
      floor: 1e-9,
      steps: 1933,
      delta: 0.11227891180279051,
    });
    expect(finding(table, 'convergence-phase').verdict).toBe('holds');
    expect(rising(table).largest).toBeGreaterThan(0.1);
    const more = doctored(table, {
      loss: (loss) => {
        loss[66] = 1.01 * loss[66]!;
      },
    });
    expect(finding(more, 'convergence-phase').verdict).toBe('fails');
  });

  test('with a covariance the floor may raise it, by no more than that', async () => {
    const table = await run({
      lambda1: 519.0562061236493,
      lambda2: 287.35419699984135,
      covariance: 168.46061655744842,
      eta: 0.002052551129990341,
      init: [-0.4422514752257509, -0.026153327007992916, -0.7146056341185316],
      floor: 0.001,
      steps: 262,
    });
    expect(finding(table, 'convergence-phase').verdict).toBe('holds');
    expect(rising(table).largest).toBeGreaterThan(1);
    const without = runTable(
      { ...table.config, floor: 0 },
      {
        step: table.step,
        alpha: table.column('alpha'),
        beta1: table.column('beta1'),
        beta2: table.column('beta2'),
      },
    );
    expect(finding(without, 'convergence-phase').verdict).toBe('fails');
  });

  test('S over (2 + δ)/η is none', () => {
    const over = doctored(threePhases, {
      sharpness: (s) => {
        s[6000] = 40.21;
      },
    });
    expect(finding(over, 'convergence-phase')).toMatchObject({
      verdict: 'fails',
      note: expect.stringContaining('S is over (2 + δ)/η = 40.2 in 1 step, first at step 6,000'),
    });
  });
});

describe('T(δ, ε)', () => {
  test('grows as δ or ε shrinks', () => {
    const deltas = [1e-4, 0.001, 0.01, 0.1, 1];
    const epsilons = [1e-8, 1e-6, 1e-4, 1e-2];
    const times = convergenceTimes(threePhases, deltas, epsilons);
    for (const a of times) {
      for (const b of times) {
        if (a.delta <= b.delta && a.epsilon <= b.epsilon && a.step !== null)
          expect(b.step).toBeLessThanOrEqual(a.step);
      }
    }
  });

  test('is the first step from which on both hold', () => {
    const { step } = convergenceTimes(threePhases, [0.01], [1e-8])[0]!;
    const [loss, sharpness] = [threePhases.column('loss'), threePhases.column('sharpness')];
    const fits = (t: number) => loss[t]! <= 1e-8 && sharpness[t]! <= 2.01 * 20;
    expect(fits(step! - 1)).toBe(false);
    for (let t = step!; t < threePhases.length; t++) expect(fits(t)).toBe(true);
  });

  test('a run that leaves again near its end has none', () => {
    const left = doctored(threePhases, {
      loss: (values) => {
        values[9_999] = 1e-3;
      },
    });
    expect(convergenceTimes(left, [0.01], [1e-8])[0]).toMatchObject({
      step: 10_000,
      verdict: 'holds',
    });
    const gone = doctored(threePhases, {
      loss: (values) => {
        values[10_000] = 1e-3;
      },
    });
    expect(convergenceTimes(gone, [0.01], [1e-8])[0]).toMatchObject({
      step: null,
      verdict: 'not reached',
    });
  });
});

describe('a run on the stable set of the saddle', async () => {
  const saddle = await run({ init: [0.3, 0, -0.3], floor: 0, steps: 300 });

  test('has T for each ε that the saddle meets, and none ahead for the others', () => {
    const { details, note } = globalConvergence.run(saddle);
    for (const { epsilon, step, verdict } of details!.grid as ConvergenceTime[]) {
      expect([epsilon, step, verdict]).toEqual(
        epsilon === 1e-2 ? [1e-2, 0, 'holds'] : [epsilon, null, 'fails'],
      );
    }
    expect(note).toBe(
      'the run is on the stable set of the saddle α = β₂ = 0 and heads for it, where the loss is ½λ₂ = 0.005',
    );
  });

  test('is no run of the theory: β₁ = 0 and no floor never oscillate', () => {
    for (const name of ['global-convergence', 'edge-of-stability', 'final-sharpness'])
      expect(finding(saddle, name)).toMatchObject({
        verdict: 'does not apply',
        note: expect.stringContaining('β₁ is 0 at the start'),
      });
    expect(finding(saddle, 'progressive-sharpening').note).toContain('heads for the saddle');
    expect(failing(saddle)).toEqual([]);
  });
});

describe('a run made to underflow', () => {
  const dead = underflowed(paper);

  test('fails global convergence: it heads for 2.48 × 2/η', () => {
    expect(dead.column('beta1')[2000]).toBeCloseTo(0, 300);
    expect(failing(dead)).toContain('global-convergence');
    expect(failing(dead)).toContain('edge-of-stability');
    expect(failing(dead)).toContain('final-sharpness');
    expect(finding(dead, 'global-convergence').note).toContain('2.48 × 2/η');
  });

  test('fails it too where the file says nothing of log₁₀|β₁|', () => {
    const bare = withoutLogarithm(dead);
    expect(finding(bare, 'global-convergence')).toMatchObject({ verdict: 'fails' });
    expect(finding(bare, 'global-convergence').note).toContain('2.48 × 2/η');
    expect(failing(bare)).toContain('edge-of-stability');
  });
});

describe('a true run whose β₁ is 0 as a float64 may come back, and fails nothing', () => {
  test.each<[string, RunOptions]>([
    ['in an excursion that is under way', { preset: 'plain', steps: 4237 }],
    [
      'at rest over 2/η before it grows',
      { lambda2: 1, eta: 0.021, init: [0.6, 1e-306, 0.6], floor: 0, steps: 400 },
    ],
  ])('%s', async (_, options) => {
    const bare = withoutLogarithm(await run(options));
    expect(bare.column('beta1').at(-1)).toBe(0);
    expect(failing(bare)).toEqual([]);
  });
});

/** What a file with the weights alone holds. */
function withoutLogarithm(table: RunTable): RunTable {
  const bare = runTable(
    { ...table.config, floor: 0 },
    {
      step: table.step,
      alpha: table.column('alpha'),
      beta1: table.column('beta1'),
      beta2: table.column('beta2'),
    },
  );
  expect(bare.has('log10_abs_beta1')).toBe(false);
  return bare;
}

describe('a run that diverges', () => {
  test('is no run that theory speaks of', async () => {
    const table = await run({ eta: 0.5, floor: 0 });
    expect(table.divergedAt).not.toBeNull();
    expect(failing(table)).toEqual([]);
    expect(finding(table, 'global-convergence')).toMatchObject({
      verdict: 'does not apply',
      note: expect.stringMatching(/diverges at step \d+/),
    });
  });
});

/** For each check, a run that breaks it and no other. */
const broken: Readonly<Record<string, () => RunTable | Promise<RunTable>>> = {
  // Oscillation dead, S still below 2/η: the theorem fails already, and nothing else does.
  'global-convergence': async () =>
    underflowed(await run({ preset: 'paper', floor: 0, steps: 1500 })),
  'progressive-sharpening': () =>
    doctored(paper, {
      sharpness: (s) => {
        s[1000] = s[999]!;
      },
    }),
  'edge-of-stability': () =>
    doctored(paper, {
      sharpness: (s) => s.fill(42, 9800),
      l1: (l1) => l1.fill(0, 9990),
      log10_abs_beta1: (log) => log.fill(-9, 9990),
    }),
  'surrogate-falls': () =>
    doctored(paper, {
      l_hat: (l) => {
        l[5000] = l[4999]! * 1.0001;
      },
    }),
  'decay-rate': () =>
    doctored(paper, {
      l_hat: (l) => l.set(l.map((value, t) => value * Math.exp(-2e-5 * t))),
    }),
  // Each cycle within what it may be off, all of them to the same side.
  'mean-l1': () => {
    const { cycles } = finding(paper, 'mean-l1-per-cycle').details as {
      cycles: readonly (CycleMean & { allowed: number })[];
    };
    return doctored(paper, {
      l1: (l1) => {
        for (const { first_step, last_step, allowed, deviation } of cycles) {
          const factor = (1 + 0.95 * allowed) / (1 + deviation);
          for (let t = first_step; t <= last_step; t++) l1[t] = factor * l1[t]!;
        }
      },
    });
  },
  'mean-l1-per-cycle': () => {
    const cycles = wholeCycles(paper);
    return doctored(paper, {
      l1: (l1) => {
        for (const [k, factor] of [
          [10, 1.2],
          [11, 0.8],
        ] as const) {
          for (let t = cycles[k]![0]; t < cycles[k]![1]; t++) l1[t] = factor * l1[t]!;
        }
      },
    });
  },
  'convergence-phase': () =>
    doctored(threePhases, {
      loss: (loss) => {
        loss[5000] = loss[4999]!;
      },
    }),
  'flow-solution-sharpness': () =>
    doctored(paper, {
      gfs_sharpness: (s) => {
        s[3001] = s[3000]! + 1e-5;
      },
    }),
  balance: () =>
    doctored(paper, {
      balance: (q) => {
        q[4321] = q[4321]! + 1e-10;
      },
    }),
  'gradient-flow': () =>
    doctored(paper, { gfs_sharpness: (s) => s.set(s.map((value) => value * (1 - 1e-7))) }),
  // Without β₁ the laws of single steps cannot be checked, which a shifted β₂ would break as well.
  'constrained-trajectory': () =>
    doctored(paper, {
      beta1: null,
      l1: null,
      beta2: (b) => b.set(b.map((value, t) => (t > 2015 ? 0.975 * value : value))),
    }),
  'final-sharpness': () =>
    doctored(flow, {
      beta1: null,
      loss: null,
      sharpness: (s) => {
        s[20_000] = 125;
      },
    }),
};

describe('a check that cannot fail is no check', () => {
  test('there is a broken run for each', () => {
    expect(Object.keys(broken).sort()).toEqual(CHECKS.map(({ name }) => name).sort());
  });

  test.each(Object.entries(broken))('%s', async (name, make) => {
    expect(failing(await make())).toEqual([name]);
  });

  test('S∞ that does not fall across a spike fails too', () => {
    const cycles = wholeCycles(paper);
    const [from, to] = cycles[5]!;
    const flat = doctored(paper, {
      gfs_sharpness: (s) => {
        s[to] = s[from]! * (1 + 1e-9);
      },
    });
    const { verdict, note } = finding(flat, 'flow-solution-sharpness');
    expect(verdict).toBe('fails');
    expect(note).toContain(`does not fall over the cycle from step ${from}`);
  });

  test('a wrong step of the dynamics fails the balance', () => {
    const wrong = doctored(paper, {
      beta1: (b) => {
        b[3] = b[3]! * 1.001;
      },
      balance: null,
    });
    expect(finding(wrong, 'balance')).toMatchObject({ verdict: 'fails', recomputed: ['balance'] });
  });

  test('a projection that is not made fails the balance', async () => {
    const table = await run({ preset: 'paper', floor: 0, steps: 500 });
    const pretended = runTable(
      { ...table.config, floor: 1e-3 },
      {
        step: table.step,
        alpha: table.column('alpha'),
        beta1: table.column('beta1'),
        beta2: table.column('beta2'),
      },
    );
    expect(finding(pretended, 'balance').verdict).toBe('fails');
  });
});

describe('files that have not everything', () => {
  const theta = {
    step: paper.step,
    alpha: paper.column('alpha'),
    beta1: paper.column('beta1'),
    beta2: paper.column('beta2'),
  };

  test('what follows from θ is recomputed, said, and comes to the same', () => {
    const bare = runTable(paper.config, theta);
    expect(verdicts(bare)).toEqual(verdicts(paper));
    const said = verifyRun(bare).flatMap(({ recomputed }) => recomputed);
    expect(said).toEqual(
      expect.arrayContaining(['loss', 'sharpness', 'l_hat', 'phase', 'l1', 'balance']),
    );
  });

  test('a whole file has only flows recomputed', () => {
    const said = verifyRun(paper).flatMap(({ recomputed }) => recomputed);
    expect(said).toEqual([
      'the central flow',
      'gradient flow from 9 points',
      'the constrained trajectory',
    ]);
  });

  test('a thinned run says which checks cannot be done, and why', () => {
    const rows = Array.from(paper.step).filter((t) => t % 10 === 0);
    const pick = (values: Float64Array) => Float64Array.from(rows, (t) => values[t]!);
    const thinned = runTable(paper.config, {
      step: pick(paper.step),
      alpha: pick(paper.column('alpha')),
      beta1: pick(paper.column('beta1')),
      beta2: pick(paper.column('beta2')),
    });
    for (const { name } of CHECKS.filter(({ everyStep }) => everyStep)) {
      expect(finding(thinned, name)).toMatchObject({ verdict: 'does not apply' });
      expect(finding(thinned, name).note).toContain('every step');
    }
    expect(finding(thinned, 'gradient-flow').verdict).toBe('holds');
    expect(failing(thinned)).toEqual([]);
  });

  test('columns that do not follow from the rest are named', () => {
    const bare = runTable(paper.config, { step: paper.step, sharpness: paper.column('sharpness') });
    expect(finding(bare, 'balance')).toMatchObject({ verdict: 'does not apply' });
    expect(finding(bare, 'balance').note).toContain('alpha, beta1, beta2, balance');
  });

  test.each([
    ['no rows', []],
    ['a step twice', [0, 1, 1]],
    ['steps that fall', [2, 1]],
  ])('%s is no run', (_, steps) => {
    expect(() => runTable(paper.config, { step: Float64Array.from(steps) })).toThrow(RangeError);
  });
});

test('formulas for covariance 0 say that they do not apply to another', async () => {
  const table = await run({ covariance: 0.02, floor: 0, steps: 3000 });
  for (const { name } of CHECKS.filter(({ noCovariance }) => noCovariance)) {
    expect(finding(table, name)).toMatchObject({ verdict: 'does not apply' });
    expect(finding(table, name).note).toContain('covariance');
  }
});
