import fc from 'fast-check';
import { isObservable, lastValueFrom, type OperatorFunction, of, take } from 'rxjs';
import { expect, test } from 'vitest';
import { ConfigError } from '../src/pipeline/core/parameters.ts';
import { show } from '../src/pipeline/core/show.ts';
import * as files from '../src/pipeline/node/index.ts';
import * as library from '../src/pipeline/node/library.ts';
import { temporaryFolder } from './setup/eos.ts';

type Call = (...args: readonly unknown[]) => unknown;

const theta = { alpha: 1, beta1: 0.1, beta2: 0.2 };
const moments = { lambda1: 20, lambda2: 0.002, covariance: 0 };
const spectrum = library.spectrum(moments);
const { stability } = library.stabilityThreshold();
const config = library.resolveConfig({ steps: 10 });
const columns = { step: Float64Array.of(0, 1), alpha: Float64Array.of(1, 1) };
const log = { name: 'log', chunks: (async function* () {})() };
const network = { steps: 3, layers: '1-4-1' };
const nobody = () => {};
const theory = { theta, moments };

/** What each function of the library takes, by names that messages use. */
const TAKES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  arrowSink: { target: library.memoryTarget, options: {} },
  parquetSink: { target: library.memoryTarget, options: {} },
  balance: { theta },
  classifySharpness: { options: {} },
  collectRun: {},
  createFlow: { start: theta, moments, options: {} },
  createSeriesDetector: { options: {}, saved: undefined },
  detectMeasuredPhases: { report: nobody },
  detectPhases: { options: {} },
  edgeAlpha: { lambda1: 20, eta: 0.05, stability },
  explainSpikes: { report: nobody },
  fileTarget: { path: 'x.parquet', options: {} },
  flowEnd: { start: theta, moments, visit: nobody, options: {} },
  flowMinimum: theory,
  flowSolution: {},
  gradient: { ...theory, r: 0 },
  compiledDescent: { options: { steps: 3 }, source: {} },
  gradientDescent: { options: { steps: 3 }, source: {} },
  growingFile: { path: 'x.parquet' },
  hessian: theory,
  lossSplit: { ...theory, r: 0 },
  memoryTarget: {},
  networkDescent: { options: network, source: { batchSize: 2 } },
  networkPipeline: { report: nobody },
  openLog: { path: 'x.csv', options: {} },
  operator: { definition: { name: 'x', needs: {}, adds: [], start: nobody } },
  parseEta: { text: '0.1' },
  phaseLog: { report: nobody },
  predictedMeanL1: { alpha: 1, beta2: 0.2, lambda2: 0.002, alphaHat: 1.4 },
  predictedSlope: { moments, stability },
  readRun: { file: 'x.parquet', options: {} },
  relateToThreshold: {},
  resolveConfig: { options: {} },
  runBlocks: { options: { steps: 3 } },
  runTable: { config, columns, divergedAt: null },
  sampleMoments: { moments, n: 10, seed: 1 },
  sharpness: { theta, spectrum },
  solution: theory,
  solutionSharpness: { q: 0.1, moments, s: spectrum },
  spectrum: { moments },
  splitLoss: {},
  stabilityThreshold: { options: {} },
  standardPipeline: {},
  summarize: {},
  surrogateLoss: { alpha: 1, beta2: 0.2, lambda2: 0.002, alphaHat: 1.4 },
  thin: { every: 3 },
  toSteps: {},
  trainingLog: { input: log, options: {}, source: {} },
  trajectory: { dynamics: library.constrained, options: { steps: 3 }, source: {} },
  verifyRun: { table: library.runTable(config, columns) },
};

const exported = { ...library, ...files } as Readonly<Record<string, unknown>>;
const functionsOf = (surface: object) =>
  Object.entries(surface).filter(
    ([name, value]) => typeof value === 'function' && !name.endsWith('Error'),
  );

test('what each function takes stands in the table above', () => {
  const names = functionsOf(exported).map(([name]) => name);
  expect(Object.keys(TAKES).sort()).toEqual(names.sort());
});

/** Subscribes, awaits or iterates whatever a call gives. */
async function used(made: unknown): Promise<unknown> {
  if (isObservable(made)) return lastValueFrom(made.pipe(take(2)), { defaultValue: undefined });
  if (Object(made)[Symbol.iterator] && typeof Object(made).next === 'function')
    return (made as Generator).next();
  return made;
}

const failure = (call: () => unknown): Promise<Error | undefined> =>
  (async () => used(await call()))().then(
    () => undefined,
    (error: Error) => error,
  );

const RAW =
  /Cannot (read|destructure|convert|set|mix)|^\S+ is not (a function|iterable)|\[object|null bytes|\n/;

/** One line that names the function, or the parameter of a run, and nothing of what is inside. */
function expectClear(name: string, parameter: string, error: Error) {
  // What was given is fine, but there is no such file, or no row in it.
  if (error instanceof library.LogError || /no such file/.test(error.message)) return;
  expect(error.message, name).not.toMatch(RAW);
  const named = [`${name}: `, `${parameter}: `, `${parameter}.`].some((begin) =>
    error.message.startsWith(begin),
  );
  expect(named || error instanceof ConfigError, `${name}, ${parameter}: ${error.message}`).toBe(
    true,
  );
}

const NONSENSE = [
  ...[undefined, null, Number.NaN, -1.5, 'x\0y', '', true, 10n, Symbol('s'), [], [undefined]],
  ...[{}, { nonsense: 1 }, Object.create(null), new Map(), new Date(Number.NaN), nobody],
];

/** Values that none of these parameters can be. */
const isNever = (given: unknown) =>
  [null, 'x\0y', true, 10n].some((value) => value === given) ||
  Number.isNaN(given) ||
  typeof given === 'symbol' ||
  given instanceof Date ||
  Array.isArray(given) ||
  Object.hasOwn(Object(given), 'nonsense');

const cases = Object.entries(TAKES).flatMap(([name, takes]) =>
  Object.keys(takes).map((parameter) => [name, parameter] as const),
);

test.each(cases)('%s tells what its %s cannot be, in one line', async (name, parameter) => {
  const takes = TAKES[name]!;
  const at = Object.keys(takes).indexOf(parameter);
  for (const given of NONSENSE) {
    const args = Object.values(takes).with(at, given);
    const error = await failure(() => (exported[name] as Call)(...args));
    if (error) expectClear(name, parameter, error);
    else {
      const open = parameter === 'divergedAt' && given === null;
      expect(open || !isNever(given), `${name}(${parameter} = ${show(given)})`).toBe(true);
    }
  }
});

/** Names of options of one function or another. */
const OPTIONS = [
  ...['tolerance', 'project', 'flushEvery', 'columns', 'force', 'onFlush', 'compression', 'format'],
  ...[
    'preset',
    'eta',
    'floor',
    'init',
    'lambda1',
    'covariance',
    'samples',
    'optimizer',
    'precision',
  ],
  ...['pace', 'signal', 'data', 'band', 'delta'],
  ...['follow', 'onWait', 'lock', 'beta', 'dampening', 'weightDecay', 'expression', 'noiseFloor'],
  ...[
    'detector',
    'pattern',
    'run',
    'secondRun',
    'stride',
    'loss',
    'seed',
    'activation',
    'schedule',
  ],
];

test('anything at all in any place gives a value or one clear line', async () => {
  const anything = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true });
  const call = fc.constantFrom(...cases).chain(([name, parameter]) =>
    fc.record({
      name: fc.constant(name),
      parameter: fc.constant(parameter),
      // Names of options with any value, too.
      given: fc.oneof(
        anything,
        fc.dictionary(
          fc.constantFrom(...OPTIONS, ...Object.keys(Object(TAKES[name]![parameter]))),
          anything,
          { maxKeys: 3 },
        ),
      ),
    }),
  );
  await fc.assert(
    fc.asyncProperty(call, async ({ name, parameter, given }) => {
      const takes = TAKES[name]!;
      const args = Object.values(takes).with(Object.keys(takes).indexOf(parameter), given);
      const error = await failure(() => (exported[name] as Call)(...args));
      if (error) expectClear(name, parameter, error);
    }),
    {
      numRuns: 400,
      // What was found once.
      examples: [
        [{ name: 'runBlocks', parameter: 'options', given: { dampening: {} } }],
        [{ name: 'gradientDescent', parameter: 'options', given: { averaging: Symbol('x') } }],
        [{ name: 'gradientDescent', parameter: 'source', given: { pace: 1n } }],
      ],
    },
  );
});

const { operator: _, ...operators } = Object.fromEntries(
  Object.entries({
    splitLoss: library.splitLoss(),
    classifySharpness: library.classifySharpness(),
    detectPhases: library.detectPhases(),
    summarize: library.summarize(),
    thin: library.thin(3),
    toSteps: library.toSteps(),
    phaseLog: library.phaseLog(nobody),
    relateToThreshold: library.relateToThreshold(),
    detectMeasuredPhases: library.detectMeasuredPhases(),
    explainSpikes: library.explainSpikes(),
    parquetSink: library.parquetSink(library.memoryTarget),
    arrowSink: library.arrowSink(library.memoryTarget),
  }),
);

test.each(Object.entries(operators))('%s tells what is not a batch', async (name, operator) => {
  for (const given of [1, 'x', null, undefined, {}, { step: 1 }, [], { columns: {} }]) {
    const rows = of(given).pipe(operator as unknown as OperatorFunction<unknown, unknown>);
    await expect(lastValueFrom(rows)).rejects.toThrow(`${name}: `);
    await expect(lastValueFrom(rows)).rejects.toThrow(/is not a batch of rows/);
  }
});

test('a name whose ending says another format than the one written is refused', () => {
  const path = (name: string) => `${temporaryFolder()}/${name}`;
  expect(() => library.parquetSink(path('a.arrow'))).toThrow(
    /^parquetSink: '.*a\.arrow' ends in \.arrow, but what is written is parquet; .* arrowSink$/,
  );
  expect(() => library.arrowSink(path('a.parquet'))).toThrow(/or use parquetSink$/);
  expect(() => library.arrowSink(path('a.csv'))).toThrow(/name it \.arrow$/);
});
