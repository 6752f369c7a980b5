import fc from 'fast-check';
import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { blockSize, SLICE } from '../../src/dash/lab/block-size.ts';
import { companion, isDefined } from '../../src/dash/lab/companions.ts';
import { history } from '../../src/dash/lab/history.ts';
import { labCommand, readLab, writeLab } from '../../src/dash/lab/lab-link.ts';
import type { LabOptions } from '../../src/dash/lab/lab-parameters.ts';
import { labRun } from '../../src/dash/lab/lab-run.ts';
import { narrate, nextSpike } from '../../src/dash/lab/narrate.ts';
import { pacer } from '../../src/dash/lab/pacer.ts';
import { replay } from '../../src/dash/lab/replay.ts';
import { memoryApi } from '../../src/dash/load/queries.ts';
import { ConfigError } from '../../src/pipeline/core/parameters.ts';
import { findDynamics } from '../../src/pipeline/dynamics/index.ts';
import { RUN_COLUMNS } from '../../src/pipeline/models/minimal/columns.ts';
import type { RunConfig, RunOptions } from '../../src/pipeline/models/minimal/config.ts';
import { PRESET_NAMES } from '../../src/pipeline/models/minimal/presets/index.ts';
import { networkOptions } from '../../src/pipeline/models/network/config.ts';
import { runSchema, standardPipeline } from '../../src/pipeline/operators/standard.ts';
import { gradientDescent } from '../../src/pipeline/sources/descent/gradient-descent.ts';
import { networkTrajectory } from '../../src/pipeline/sources/network-trajectory.ts';
import { networkTraining } from '../../src/pipeline/sources/trainings/network.ts';

const NAMES = runSchema().map(({ name }) => name);

/** Every column of the run as the pipeline streams it. */
async function streamed(options: RunOptions): Promise<Record<string, number[]>> {
  const batches = await lastValueFrom(gradientDescent(options).pipe(standardPipeline(), toArray()));
  return Object.fromEntries(
    NAMES.map((name) => [
      name,
      batches.flatMap(({ columns, length }) =>
        Array.from((columns as unknown as Record<string, Float64Array>)[name]!.subarray(0, length)),
      ),
    ]),
  );
}

/** The same as the lab holds it. */
async function held(run: ReturnType<typeof labRun>): Promise<Record<string, number[]>> {
  const table = run.table();
  const columns = table.columns.map(async ({ name }) => {
    const groups = await Promise.all(table.groups.map((_, group) => table.read(name, group)));
    return [name, groups.flatMap((values) => [...values])] as const;
  });
  return Object.fromEntries(await Promise.all(columns));
}

const STEPS = 3000;

describe.each(PRESET_NAMES)('%s', (preset) => {
  test('is the run of the pipeline to the bit, in blocks of any size', async () => {
    const exact = await streamed({ preset, steps: STEPS });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(1, 7, 60, 1000), { minLength: 1, maxLength: 12 }),
        async (sizes) => {
          const run = labRun({ preset });
          let rows = 0;
          for (const size of sizes) {
            run.advance(size);
            rows += size;
          }
          const lab = await held(run);
          const count = Math.min(rows, STEPS);
          expect(run.step).toBe(rows - 1);
          for (const name of NAMES)
            expect(lab[name]!.slice(0, count)).toEqual(exact[name]!.slice(0, count));
        },
      ),
      { numRuns: 8 },
    );
  });
});

test('a changed learning rate holds from the next step, until it is undone', async () => {
  const run = labRun({ preset: 'paper' });
  run.advance(500);
  const before = await held(run);
  run.change({ eta: '0.07' });
  expect(run.recipe.changes).toEqual([{ after: 499, options: { eta: '0.07' } }]);
  run.advance(500);
  const after = await held(run);
  expect(after.step).toHaveLength(1000);
  expect(after.threshold!.slice(498, 502)).toEqual([40, 40, 2 / 0.07, 2 / 0.07]);
  // Row 500 is still the step that η = 1/20 took from row 499; from there on η is 0.07.
  const fresh = labRun({ preset: 'paper' });
  fresh.advance(1000);
  const unchanged = await held(fresh);
  expect(after.alpha!.slice(0, 500)).toEqual(before.alpha);
  expect(after.alpha![600]).not.toBe(unchanged.alpha![600]);
  const from = (row: number, eta: number) =>
    after.alpha![row]! -
    eta *
      (100 * after.alpha![row]! * after.beta1![row]! ** 2 +
        0.01 * after.beta2![row]! * (after.alpha![row]! * after.beta2![row]! - 1));
  expect(after.alpha![700]).toBeCloseTo(from(699, 0.07), 12);
  expect(run.undo()).toBe(true);
  expect(run.undo()).toBe(false);
  expect(await held(run)).toEqual(before);
  run.advance(500);
  expect(await held(run)).toEqual(unchanged);
});

test('another run goes on from a checkpoint, with parameters of its own', async () => {
  const run = labRun({ preset: 'three-phases' });
  run.advance(2000);
  const fork = labRun(
    { preset: 'three-phases' },
    { checkpoint: run.checkpoint(), recipe: run.recipe },
  );
  run.advance(300);
  fork.advance(300);
  const [whole, part] = [await held(run), await held(fork)];
  expect(part).toEqual(
    Object.fromEntries(Object.entries(whole).map(([name, values]) => [name, values.slice(2000)])),
  );
});

test.each([
  [{ preset: 'paper' }, { eta: '1/15' }],
  [{ preset: 'paper' }, { optimizer: 'momentum', momentum: '0.5' }],
  [{ model: 'mlp', layers: '1-5-1' }, { optimizer: 'adam' }],
])(
  'a run forks before the first step behind a change, and behind Undo (%j, %j)',
  async (options, change) => {
    const run = labRun(options);
    run.advance(40);
    const told = run.summary();
    const forks = (of: ReturnType<typeof labRun>) =>
      labRun(options, { checkpoint: of.checkpoint(), recipe: of.recipe });
    run.change(change);
    const changed = forks(run);
    run.undo();
    expect(run.summary()).toEqual(told);
    const back = forks(run);
    back.advance(30);
    run.advance(30);
    const whole = await held(run);
    for (const [name, values] of Object.entries(await held(back)))
      expect(values, name).toEqual(whole[name]!.slice(40));
    const again = labRun(options);
    again.advance(40);
    again.change(change);
    again.advance(30);
    changed.advance(30);
    const rest = await held(again);
    for (const name of ['step', 'loss', 'sharpness'])
      expect((await held(changed))[name], name).toEqual(rest[name]!.slice(40));
  },
);

test('a run that takes the place of another of as many rows is drawn from its own', async () => {
  const [first, second] = ['1/20', '1/15'].map((eta) => labRun({ preset: 'paper', eta }));
  for (const run of [first!, second!]) run.advance(500);
  let now = first!;
  const api = memoryApi(
    () => now.config.eta.toString(),
    () => now.table(),
  );
  await api.open({ kind: 'blob', blob: new Blob() });
  const lines = () => api.lines(['sharpness'], 0, 499, 1000);
  const before = await lines();
  now = second!;
  await api.refresh();
  const after = await lines();
  expect(after[0]!.y.at(-1)).toBe(second!.last('sharpness'));
  expect(after).not.toEqual(before);
});

test('the memory of a run that nobody reads any more is that of the next', async () => {
  const memory = async (run: ReturnType<typeof labRun>) => {
    const { columns, read } = run.table();
    return Promise.all(columns.map(async ({ name }) => (await read(name, 0)).buffer));
  };
  const first = labRun({ preset: 'figure3' });
  first.advance(2000);
  const before = await memory(first);
  const beside = labRun({ preset: 'paper' });
  beside.advance(500);
  const alone = await held(beside);
  first.release();
  const second = labRun({ preset: 'paper', eta: '1/15' });
  for (let i = 0; i < 3; i++) second.advance(100);
  const shared = (await memory(second)).filter((each) => before.includes(each));
  expect(shared.length).toBeGreaterThan(10);
  const exact = await streamed({ preset: 'paper', eta: 1 / 15, steps: 1000 });
  const rows = await held(second);
  for (const name of NAMES) expect(rows[name], name).toEqual(exact[name]!.slice(0, 300));
  // Of one that is still read it takes none.
  expect(await held(beside)).toEqual(alone);
});

test('its memory is bounded, and every spike is still seen', async () => {
  const names = ['step', 'l1', 'alpha'];
  const schema = RUN_COLUMNS.filter(({ name }) => names.includes(name));
  const most = 1000;
  const exact = await streamed({ preset: 'figure3', steps: 10_000 });
  const kept = history(schema, 'l1', most);
  for (let first = 0; first < 10_000; first += 37) {
    const part = names.map((name) => [name, exact[name]!.slice(first, first + 37)] as const);
    kept.append(Object.fromEntries(part), Math.min(37, 10_000 - first));
    expect(kept.rows).toBeLessThanOrEqual(most);
  }
  expect(kept.stride).toBe(16);
  const table = kept.table({});
  const read = async (name: string) =>
    (await Promise.all(table.groups.map((_, group) => table.read(name, group)))).flatMap(
      (values) => [...values],
    );
  const [step, l1, alpha] = await Promise.all([read('step'), read('l1'), read('alpha')]);
  const gaps = step!.slice(1).map((t, i) => t - step![i]!);
  expect(Math.min(...gaps)).toBeGreaterThan(0);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(4 * kept.stride);
  expect(alpha).toEqual(step!.map((t) => exact.alpha![t]));
  // The peak of each cycle is there to the bit.
  const cycles = exact.cycle!.slice(0, 9_900);
  for (let cycle = 1; cycle < Math.max(...cycles); cycle++) {
    const peak = Math.max(...exact.l1!.filter((_, t) => exact.cycle![t] === cycle));
    expect(l1).toContain(peak);
  }
});

test('a run that diverges stands where it did', async () => {
  const { run: exact } = await lastValueFrom(gradientDescent({ lambda2: 0.02, eta: 1 / 3 }));
  const run = labRun({ lambda2: '0.02', eta: '1/3' });
  for (let i = 0; i < 100 && run.divergedAt === null; i++) run.advance(1000);
  expect(run.divergedAt).toBe(exact.divergedAt);
  run.advance(10);
  expect(run.step).toBe(exact.divergedAt! - 1);
  expect(narrate(run)).toContain('blew up');
  expect(run.undo()).toBe(false);
});

test('of an oscillation that a step leaves as it is nothing grows', () => {
  const run = labRun({ eta: '1e-320' });
  run.advance(1);
  expect(narrate(run)).toContain('so each step leaves 100 % of the oscillation');
});

test('the words name what is stronger where S first falls, and then where it rises', () => {
  const run = labRun({ preset: 'three-phases' });
  run.advance(1);
  const start = narrate(run);
  expect(start).toMatch(/pushes harder than the relevant feature pulls: \|α\| shrinks by/);
  run.advance(60);
  expect(narrate(run)).toMatch(/\. The relevant feature pulls: \|α\| grows by/);
});

test.each([
  [{ preset: 'paper' }, 'minimal'],
  [{ model: 'mlp', layers: '1-20-20-1' }, 'mlp'],
] as const)('a share of the loss that nobody sees is told in words (%j)', (options, model) => {
  const run = labRun(options);
  const told = (l1: number, loss: number) =>
    narrate({
      ...run,
      config: run.config,
      divergedAt: null,
      step: 100,
      last: (column) => ({ l1, loss, edge_directions: 1 })[column] ?? 1,
      word: () => 'eos-self-stabilization',
    });
  expect(run.config.model).toBe(model);
  expect(told(2.48e-16, 1)).toContain(' next to nothing of the loss');
  expect(told(0, 0)).toContain(' next to nothing of the loss');
  expect(told(0.25, 1)).toContain(' 25 % of the loss');
});

test('a network that has diverged at its start says so', () => {
  const run = labRun({ model: 'mlp', layers: '1-6-1', 'init-scale': '1e300' });
  run.advance(1);
  expect([run.divergedAt, run.step]).toEqual([0, Number.NaN]);
  expect(narrate(run)).toContain('blew up at step 0');
});

test('the next spike comes when it was said, and the words tell of it', async () => {
  const run = labRun({ preset: 'three-phases' });
  const exact = await streamed({ preset: 'three-phases', steps: 6000 });
  const l1 = exact.l1!;
  let told = 0;
  for (let i = 0; i < 5000; i += 97) {
    run.advance(97);
    const text = narrate(run);
    const { step } = run;
    const point = {
      step,
      alpha: run.last('alpha'),
      beta1: run.last('beta1'),
      beta2: run.last('beta2'),
    };
    const spike = nextSpike(point, run.config as RunConfig);
    expect(text).toMatch(
      /^(Progressive sharpening|Edge of stability, (sharpening|self-stabilization)|Convergence): .* 2\/η = 40/,
    );
    if (spike === undefined || spike > 5990) continue;
    expect(l1[spike]!).toBeGreaterThanOrEqual(l1[spike - 1]!);
    expect(l1[spike]!).toBeGreaterThanOrEqual(l1[spike + 1]!);
    if (run.word('phase') !== 'eos-sharpening') continue;
    told++;
    expect(text).toContain(`peaks at step ${spike.toLocaleString('en-US')}`);
  }
  expect(told).toBeGreaterThan(10);
});

test('a network is trained as by eos stream, and its rate may change under way', async () => {
  const options = { model: 'mlp', layers: '1-8-8-1', eta: '0.2' };
  const run = labRun(options);
  run.advance(100);
  run.advance(1);
  run.advance(99);
  const training = await networkTraining.open();
  const config = training.resolve({ ...options, steps: 199 });
  const batches = await lastValueFrom(
    training.rows(config, {}).pipe(
      training.pipeline(config, () => {}),
      toArray(),
    ),
  );
  const lab = await held(run);
  for (const { name } of training.schema(config)) {
    const exact = batches.flatMap(({ columns, length }) =>
      Array.from((columns as unknown as Record<string, Float64Array>)[name]!.subarray(0, length)),
    );
    expect(lab[name], name).toEqual(exact);
  }
  expect(narrate(run)).toMatch(/S = [\d.]+ is [\d.]+ % under 2\/η = 10/);
  run.change({ eta: '0.02' });
  run.advance(10);
  expect((await held(run)).threshold!.slice(198, 202)).toEqual([10, 10, 100, 100]);
  expect(run.undo()).toBe(true);
  expect(await held(run)).toEqual(lab);
});

test('blocks are as large as fits into a slice of time, and settle', () => {
  for (const perRow of [1e-5, 1e-3, 0.3, 5, 100]) {
    let size = 1;
    let changes = 0;
    for (let i = 0; i < 100; i++) {
      const next = blockSize(16_384, size, size * perRow);
      if (next !== size) changes++;
      size = next;
    }
    expect(size).toBeGreaterThanOrEqual(1);
    expect(size).toBeLessThanOrEqual(16_384);
    expect(size === 1 || size * perRow <= SLICE).toBe(true);
    // What is done once a block, as remembering where it stands, is little beside its rows.
    expect(size === 16_384 || size * perRow >= SLICE / 2).toBe(true);
    expect(changes).toBeLessThan(12);
  }
  expect(blockSize(100, 64, 0)).toBe(100);
});

describe('the pace of a run', () => {
  /** A run whose rows take so many milliseconds each, by a clock that only they move on. */
  function played(first: number) {
    let [cost, time, step, longest] = [first, 0, 0, 0];
    const pace = pacer(
      {
        step: () => step,
        goes: () => true,
        upTo: (rows) => rows,
        advance(rows) {
          step += rows;
          time += rows * cost;
        },
      },
      () => time,
    );
    return {
      pace,
      step: () => step,
      longest: () => longest,
      becomes: (milliseconds: number) => (cost = milliseconds),
      /** As the worker does: on at once where more is due, else with the next frame. */
      until(end: number) {
        while (time < end) {
          const before = time;
          const behind = pace.slice();
          longest = Math.max(longest, time - before);
          if (!behind) time += 1000 / 60;
        }
        return time;
      },
    };
  }

  test('is the one that was asked for where that can be had, else as fast as it goes', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 7, noNaN: true }).map((exponent) => 10 ** exponent),
        fc.double({ min: -5, max: 2, noNaN: true }).map((exponent) => 10 ** exponent),
        (speed, cost) => {
          const run = played(cost);
          run.pace.keep(speed, 0);
          const seconds = run.until(20_000 + 100 * cost) / 1000;
          const rate = Math.min(speed, 1000 / cost);
          // A block of a frame, and what a frame begins with, are the grain of it.
          expect(run.step()).toBeLessThanOrEqual(speed * seconds + speed / 60 + 1);
          expect(run.step()).toBeGreaterThan(0.8 * rate * seconds - speed / 60 - 2);
        },
      ),
    );
  });

  test('leaves the worker free to listen after a slice and one block', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-5, max: 2, noNaN: true }), (cost) => {
        const run = played(cost);
        run.pace.keep(1e7, 0);
        run.until(2000);
        expect(run.longest()).toBeLessThanOrEqual(2 * SLICE + cost);
      }),
    );
  });

  test('does not make up for what it could not keep up with', () => {
    const run = played(1);
    run.pace.keep(10_000, 0);
    const time = run.until(10_000);
    run.becomes(1e-4);
    const there = run.step();
    run.until(time + 1000);
    expect(run.step() - there).toBeLessThan(11_000);
  });
});

test('that it stands is no warning', async () => {
  const run = labRun({ preset: 'plain' });
  run.advance(100);
  const { warnings } = JSON.parse(run.table().metadata['eos.summary']!);
  expect(warnings).toEqual([]);
});

test('a link says what was said and changed, and how far the run is', () => {
  const options = { model: 'mlp', preset: 'digits', eta: '0.5', optimizer: 'adam' };
  const alone = { recipe: { options, changes: [] }, to: 0 };
  expect(writeLab([alone])).toBe('model=mlp;preset=digits;eta=0.5;optimizer=adam');
  expect(readLab(writeLab([alone]))).toEqual([alone]);
  expect(readLab('')).toEqual([{ recipe: { options: {}, changes: [] }, to: 0 }]);
  const changes = [
    { after: 20, options: { eta: '1/30', optimizer: 'momentum' } },
    { after: 70, options: { momentum: '0.5' } },
  ];
  const changed = { recipe: { options: { preset: 'paper' }, changes }, to: 90 };
  const runs = [changed, { ...changed, to: 70 }, alone];
  expect(writeLab([changed])).toBe(
    'preset=paper;at=20;eta=1/30;optimizer=momentum;at=70;momentum=0.5;at=90',
  );
  expect(readLab(writeLab(runs))).toEqual(runs);
  expect(writeLab([{ ...changed, to: 70 }])).toBe(
    'preset=paper;at=20;eta=1/30;optimizer=momentum;at=70;momentum=0.5',
  );
  expect(readLab(writeLab([...runs, alone, alone]))).toEqual(runs);
  // A link that no address could hold begins the runs and leaves out how they went on.
  const often = Array.from({ length: 500 }, (_, i) => ({ after: i + 1, options: { eta: '0.1' } }));
  const long = { recipe: { options: { preset: 'paper' }, changes: often }, to: 900 };
  expect(writeLab([long, alone])).toBe(`preset=paper;;${writeLab([alone])}`);
  expect(readLab(Array(900).fill('eta=1').join(';'))).toBe(undefined);
  for (const text of ['model=cnn', 'layers=1-2-1', 'eta', 'eta=', 'x=1', 'steps=10', 'at=-1'])
    expect(readLab(text), text).toBe(undefined);
  expect(readLab('at=9;eta=1;at=8')).toBe(undefined);
  // Under way only an optimizer changes, and only dynamics that there are go along.
  for (const text of ['at=9;lambda1=5', 'at=9;model=mlp', 'at=9;preset=paper', 'also=nope'])
    expect(readLab(text), text).toBe(undefined);
  for (const text of [
    'at=9;optimizer=momentum;momentum=0.5',
    'also=central,edge',
    'at=9;also=edge',
  ])
    expect(readLab(text) !== undefined, text).toBe(!text.startsWith('at=9;also'));
  expect(labCommand({ preset: 'figure3', init: '0.3,0.1,0.3' }, 500)).toBe(
    'eos stream --preset figure3 --init 0.3,0.1,0.3 --steps 500 --out run.parquet',
  );
});

test.each([
  [{ preset: 'paper' }, { optimizer: 'momentum', momentum: '0.5' }],
  [{ preset: 'paper', optimizer: 'nesterov' }, { optimizer: 'gd' }],
  [{ preset: 'paper', optimizer: 'momentum' }, { optimizer: 'nesterov' }],
] as readonly (readonly [LabOptions, LabOptions])[])(
  'goes on from the same weights under another optimizer: %j, then %j',
  async (options, said) => {
    const run = labRun(options);
    run.advance(500);
    const before = await held(run);
    // The row that comes next is computed already: it is the last step of the optimizer before.
    const whole = labRun(options);
    whole.advance(501);
    run.change(said);
    run.advance(300);
    const all = await held(run);
    for (const name of ['alpha', 'beta1', 'beta2'])
      expect(all[name]!.slice(0, 501)).toEqual((await held(whole))[name]);
    // From there on it is the run that begins at that point, the velocity being 0.
    const start = ['alpha', 'beta1', 'beta2'].map((name) => all[name]![500]!);
    const fresh = labRun({ ...options, ...said, init: start.join(',') });
    fresh.advance(300);
    const own = await held(fresh);
    for (let i = 1; i < 300; i++)
      expect(all.alpha![500 + i]! / own.alpha![i]!, String(i)).toBeCloseTo(1, 12);
    expect(run.undo()).toBe(true);
    expect(await held(run)).toEqual(before);
  },
);

test('a network goes on under Adam, its moments and their bias beginning there', async () => {
  const options = { model: 'mlp', layers: '1-6-1', eta: '0.05' };
  const run = labRun(options);
  run.advance(30);
  run.change({ optimizer: 'adam', eta: '0.001' });
  run.advance(3);
  const { loss, sharpness } = await held(run);
  // Adam's first steps move each weight by η at most, and lower the loss: with a bias of 30 steps
  // they would be 30 times as short.
  const [first, second] = [loss![30]! - loss![31]!, loss![31]! - loss![32]!];
  expect(first).toBeGreaterThan(0);
  expect(second / first).toBeGreaterThan(0.5);
  expect(second / first).toBeLessThan(2);
  expect(sharpness!.every(Number.isFinite)).toBe(true);
  run.change({ optimizer: 'gd' });
  run.advance(3);
  expect(run.step).toBe(35);
});

test('a run is computed anew to the last digit with all of its changes', async () => {
  const run = labRun({ preset: 'three-phases' });
  run.advance(700);
  run.change({ eta: '1/15' });
  run.change({ eta: '1/18' });
  run.advance(250);
  run.change({ optimizer: 'momentum' });
  run.change({ momentum: '0.3' });
  run.advance(400);
  expect(run.recipe.changes).toEqual([
    { after: 699, options: { eta: '1/18' } },
    { after: 949, options: { optimizer: 'momentum', momentum: '0.3' } },
  ]);
  const again = await replay(run.recipe, run.step);
  expect(await held(again)).toEqual(await held(run));
});

test('tens of millions of steps fit into the rows of one screen', () => {
  const run = labRun({ preset: 'three-phases' });
  for (let i = 0; i < 4000; i++) run.advance(4096);
  expect(run.step).toBe(16_384_000 - 1);
  expect(run.kept.rows).toBeLessThanOrEqual(262_144);
  expect(run.kept.stride).toBe(64);
});

test('dynamics go along from the start, and after a change from there', async () => {
  const run = labRun({ preset: 'three-phases' });
  run.advance(500);
  const flow = companion('gradient-flow', run);
  for (let i = 0; i < 3; i++) flow.advance();
  expect(flow.step).toBe(255);
  const { metadata, rows } = flow.table();
  expect(JSON.parse(metadata['eos.config']!)).toMatchObject({ dynamics: 'gradient-flow' });
  expect(rows).toBe(256);
  run.change({ eta: '1/10' });
  const constrained = companion('constrained', run);
  expect(constrained.step).toBe(500 + 63);
  const read = async (column: string) => (await constrained.table().read(column, 0))[0]!;
  run.advance(1);
  expect(await read('step')).toBe(500);
  expect(await read('beta2')).toBe(run.last('beta2'));
  const network = labRun({ model: 'mlp', layers: '1-6-1', eta: '0.2' });
  network.advance(20);
  const edge = companion('edge', network);
  for (let i = 0; i < 9; i++) edge.advance();
  const config = networkOptions({ layers: '1-6-1', eta: '0.2', steps: 9 });
  const streamed = await lastValueFrom(networkTrajectory(findDynamics('edge')!, config));
  const flown = async (column: string) => [...(await edge.table().read(column, 0))];
  for (const column of ['step', 'loss', 'l1', 'sharpness'] as const)
    expect(await flown(column)).toEqual([...streamed.columns[column].subarray(0, 10)]);
  // After a change it begins at the weights of the run, where its loss has none of an oscillation.
  network.change({ eta: '0.1' });
  const later = companion('gradient-flow', network);
  expect(later.step).toBe(20);
  network.advance(1);
  expect((await later.table().read('loss', 0))[0]).toBe(network.last('loss'));
  expect(isDefined('central', network)).toBe(false);
  const momentum = labRun({ optimizer: 'momentum', covariance: '0.1' });
  expect(isDefined('central', momentum)).toBe(false);
});

test.each([{ eta: '0' }, { lambda1: 'x' }, { layers: '1-2-1' }, { model: 'cnn' }])(
  'says what cannot be: %j',
  (options) => {
    expect(() => labRun(options as Record<string, string>)).toThrow(ConfigError);
  },
);
