import { execFileSync, spawnSync } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, openPage } from './dash/browser.ts';
import { describeWith, root } from './setup/parts.ts';
import { removeFolder } from './setup/remove-folder.ts';

/** What a contributor adds: one file each, and nothing else. */
const ADDED: Readonly<Record<string, string>> = {
  'src/pipeline/operators/columns/output.ts': `
import { operator } from '../../core/operator.ts';
import type { ModelRun } from '../../models/minimal/run.ts';

/** What the network makes of the relevant feature. */
export const output = () =>
  operator({
    name: 'output',
    needs: { alpha: 'gradientDescent', beta2: 'gradientDescent' },
    adds: [{ name: 'output', type: 'DOUBLE', symbol: 'αβ₂', unit: '1', meaning: 'what the network answers' }],
    start: (_: ModelRun) => ({
      next({ alpha, beta2 }, length, into) {
        for (let i = 0; i < length; i++) into.output[i] = alpha[i]! * beta2[i]!;
      },
    }),
  });
`,
  'src/pipeline/operators/weight-norm.ts': `
import { operator } from '../core/operator.ts';
import type { ModelRun } from '../models/minimal/run.ts';

/** Adds the \`weight_norm\` of each step, √(α² + β₁² + β₂²). */
export const weightNorm = () =>
  operator({
    name: 'weightNorm',
    needs: { alpha: 'gradientDescent', beta1: 'gradientDescent', beta2: 'gradientDescent' },
    adds: [{ name: 'weight_norm', type: 'DOUBLE', symbol: '‖θ‖₂', unit: '1', meaning: 'size of θ' }],
    start: (_: ModelRun) => ({
      next({ alpha, beta1, beta2 }, length, { weight_norm }) {
        for (let i = 0; i < length; i++)
          weight_norm[i] = Math.sqrt(alpha[i]! ** 2 + beta1[i]! ** 2 + beta2[i]! ** 2);
      },
    }),
  });
`,
  'src/pipeline/optimizers/halved.ts': `
import { log1p } from '../numeric/elementary.ts';
import { factorOverEta, type Optimizer } from './optimizer.ts';

/** θ ← θ − ½η∇L. Stable up to 4/η. */
export const halved: Optimizer = {
  name: 'halved',
  about: 'gradient descent at half the learning rate',
  aliases: [],
  parameters: {},
  slots: 0,
  stability: () => factorOverEta('halved', 4, '4/η', (x) => log1p(-x)),
  step(theta, gradient, _slots, { eta }) {
    for (let i = 0; i < theta.length; i++) theta[i]! -= 0.5 * eta * gradient[i]!;
  },
};
`,
  'src/pipeline/optimizers/thirds.ts': `
import { log1p } from '../numeric/elementary.ts';
import { factorOverEta, type PreconditionedOptimizer } from './optimizer.ts';

/** θ ← θ − η∇L/3: P = 3. Stable while λ_max of P⁻¹H is under 2/η. */
export const thirds: PreconditionedOptimizer = {
  name: 'thirds',
  about: 'gradient descent whose steps are divided by three',
  aliases: [],
  parameters: {},
  slots: 0,
  stability: () => factorOverEta('thirds', 2, '2/η', (x) => log1p(-x)),
  metric(_gradient, _slots, _values, into) {
    into.fill(1 / Math.sqrt(3));
  },
  step(theta, gradient, _slots, { eta }) {
    for (let i = 0; i < theta.length; i++) theta[i]! -= (eta * gradient[i]!) / 3;
  },
};
`,
  'src/pipeline/models/network/kernel/activations/square.ts': `
/** z², of quadratic networks. */
export function squareLayer(z: usize, slope: usize, bend: usize, bytes: usize): void {
  const two = f64x2.splat(2);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(z + i);
    v128.store(z + i, f64x2.mul(x, x));
    v128.store(slope + i, f64x2.mul(two, x));
    v128.store(bend + i, two);
  }
}
`,
  'src/pipeline/dynamics/resting.ts': `
import { log } from '../numeric/elementary.ts';
import type { Dynamics } from './dynamics.ts';

/** The start, at every step. */
export const resting: Dynamics = {
  name: 'resting',
  about: 'the start, which never moves',
  start({ init: [alpha, beta1, beta2] }) {
    const theta = { alpha, beta1, beta2 };
    return { theta, logBeta1: log(Math.abs(beta1)), advance() {} };
  },
};
`,
  'src/pipeline/models/xy.ts': `
import type { Model } from './model.ts';

/** L = ½(xy − 1)². */
export const xy: Model = {
  name: 'xy',
  about: 'the product of two numbers, L = ½(xy − 1)²',
  parameters: {
    x: { type: 'number', symbol: 'x₀', meaning: 'x at the start', group: 'MODEL', default: 2 },
    y: { type: 'number', symbol: 'y₀', meaning: 'y at the start', group: 'MODEL', default: 0.1 },
  },
  defaults: { eta: 0.1, steps: 200 },
  columns: [
    { name: 'x', type: 'DOUBLE', symbol: 'x', unit: '1', meaning: 'one factor' },
    { name: 'y', type: 'DOUBLE', symbol: 'y', unit: '1', meaning: 'the other factor' },
  ],
  start(values) {
    const { x, y } = values as { readonly x: number; readonly y: number };
    return {
      theta: Float64Array.of(x, y),
      objective: {
        loss: ([x = 0, y = 0]) => 0.5 * (x * y - 1) ** 2,
        gradient([x = 0, y = 0], into) {
          into[0] = (x * y - 1) * y;
          into[1] = (x * y - 1) * x;
        },
        sharpness([x = 0, y = 0]) {
          // The Hessian is (y², 2xy − 1; 2xy − 1, x²).
          const mean = (x * x + y * y) / 2;
          return mean + Math.hypot((x * x - y * y) / 2, 2 * x * y - 1);
        },
      },
    };
  },
};
`,
  'src/pipeline/theory/checks/learns.ts': `
import { type Check, round } from '../check.ts';

/** The loss at the end is not above that of the start. */
export const learns: Check = {
  name: 'learns',
  statement: 'the loss of the last step is below that of the first',
  needs: ['loss'],
  run(table) {
    const loss = table.column('loss');
    const [first, last] = [loss[0]!, loss[table.length - 1]!];
    return {
      verdict: last < first ? 'holds' : 'fails',
      measured: last,
      predicted: first,
      margin: first - last,
      text: { measured: round(last), predicted: \`below \${round(first)}\`, margin: round(first - last) },
    };
  },
};
`,
  'src/pipeline/models/minimal/presets/gentle.ts': `
import type { Preset, ShownPreset } from '../../../core/preset.ts';

export const gentle = {
  name: 'gentle',
  parameters: { lambda1: 100, lambda2: 0.01, eta: 1 / 1000, init: [0.3, 0.1, 0.3], floor: 0, steps: 500 },
} as const satisfies Preset;

export const shownGentle = (): ShownPreset => ({
  ...gentle,
  shows: 'a learning rate a hundredth of the largest that the start allows',
});
`,
  'src/cli/commands/threshold.ts': `
import { Args, Command } from '../oclif.ts';

export default class Threshold extends Command {
  static override summary = 'Say where gradient descent turns unstable';

  static override args = { eta: Args.string({ description: 'learning rate', required: true }) };

  async run(): Promise<void> {
    const { args } = await this.parse(Threshold);
    const { stabilityOf } = await import('../../pipeline/optimizers/index.ts');
    this.log(String(stabilityOf({ optimizer: 'gd' }).threshold(Number(args.eta))));
  }
}
`,
  'src/dash/plots/series/output.ts': `
import type { TimeSeries } from '../time-series.ts';

/** What the network answers, which is to become 1. */
export const output: TimeSeries = {
  id: 'output',
  title: 'Answer of the network',
  unit: 'dimensionless',
  axis: 'αβ₂',
  scale: 'linear',
  order: 9,
  description: 'What the network makes of the relevant feature; 1 is right.',
  series: [{ key: 'output', label: 'αβ₂', column: 'output', color: 'loss' }],
};
`,
};

/** An operator of the library stands in its list as well. */
const LISTED = "export { weightNorm } from './operators/weight-norm.ts';\n";

/** What somebody makes of it who uses the library: compiled, and run. */
const USED = `
import { gradientDescent, weightNorm } from 'eos-stream';

gradientDescent({ steps: 2 })
  .pipe(weightNorm())
  .subscribe(({ columns }) => console.log(columns.weight_norm.join(' ')));
`;

const temporary = await mkdtemp(join(tmpdir(), 'eos-extension-'));
const folder = join(temporary, 'eos');

/** Runs a program of the copy; what it prints on both streams. */
function run(...args: string[]): string {
  const options = { cwd: folder, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
  expect([status, status === 0 ? '' : stdout + stderr], args.join(' ')).toEqual([0, '']);
  return stdout + stderr;
}

const eos = (...args: string[]) => run('bin/run.js', ...args);

async function rows(name: string): Promise<Readonly<Record<string, unknown>>[]> {
  const file = await asyncBufferFromFile(join(folder, name));
  return parquetReadObjects({ file, compressors });
}

beforeAll(async () => {
  const listed = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
  for (const file of listed.split('\0').filter(Boolean)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(join(root, file), join(folder, file));
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(ADDED)) await writeFile(join(folder, path), text);
  await appendFile(join(folder, 'src/pipeline/index.ts'), LISTED);
  run('scripts/build.js');
  await writeFile(join(folder, 'test/weight-norm.ts'), USED);
  run('scripts/docs.js');
  eos('stream', '--preset', 'three-phases', '--also', 'resting', '--out', 'data/run.parquet');
});

afterAll(() => removeFolder(temporary));

describe('one new file each', () => {
  test('compiles with the rest', () => {
    run('node_modules/typescript/bin/tsc', '--noEmit');
  });

  test('adds a column to files and to the docs', async () => {
    const last = (await rows('data/run.parquet')).at(-1)!;
    expect(last.output).toBe((last.alpha as number) * (last.beta2 as number));
    expect(eos('inspect', 'data/run.parquet')).toContain('output DOUBLE');
    expect(await readFile(join(folder, 'docs/columns.md'), 'utf8')).toContain(
      '| `output` | DOUBLE | αβ₂ | 1 | what the network answers |',
    );
  });

  test('adds an operator of the library', () => {
    const printed = run('--input-type=module', '--eval', USED).trim().split(' ').map(Number);
    expect(printed[0]).toBeCloseTo(Math.sqrt(0.3 ** 2 + 0.1 ** 2 + 0.3 ** 2), 15);
    expect(printed).toHaveLength(3);
  });

  test('adds an optimizer, with its threshold in the log and the file', async () => {
    expect(eos('stream', '--help')).toContain('halved');
    const args = ['--optimizer', 'halved', '--steps', '3000'];
    expect(eos('stream', ...args, '--dry-run')).toContain('4/η = 80');
    eos('stream', ...args, '--out', 'data/halved.parquet');
    const { sharpness, sharpness_ratio } = (await rows('data/halved.parquet'))[0]!;
    expect(sharpness_ratio).toBeCloseTo((sharpness as number) / 80, 12);
    const catalogue = await readFile(join(folder, 'docs/catalogue.md'), 'utf8');
    expect(catalogue).toContain('| `halved` | gradient descent at half the learning rate | 4/η |');
  });

  test('adds an optimizer of networks, also one that divides its steps', async () => {
    expect(eos('stream', '--help')).toContain('thirds');
    const first = async (optimizer: string) => {
      const flags = ['--model', 'mlp', '--layers', '1-6-1', '--eta', '0.05', '--steps', '30'];
      const out = `data/net-${optimizer}.parquet`;
      eos('stream', ...flags, '--optimizer', optimizer, '--out', out);
      expect(eos('verify', out)).toMatch(/✓ curvature +holds/);
      return (await rows(out))[0]!;
    };
    const plain = await first('gd');
    expect(plain.threshold).toBe(40);
    expect(await first('halved')).toMatchObject({ threshold: 80, sharpness: plain.sharpness });
    const { threshold, sharpness } = await first('thirds');
    expect(threshold).toBe(40);
    expect(sharpness).toBeCloseTo((plain.sharpness as number) / 3, 6);
  });

  test('adds an activation', async () => {
    expect(eos('stream', '--help').replace(/\s+/g, ' ')).toContain('linear, square');
    const out = 'data/square.parquet';
    const flags = ['--model', 'mlp', '--layers', '1-6-1', '--eta', '0.01', '--steps', '50'];
    eos('stream', ...flags, '--activation', 'square', '--out', out);
    expect(eos('inspect', out)).toContain('activation square');
    // By differences of its loss and gradients.
    expect(eos('verify', out)).toMatch(/✓ gradient +holds[\s\S]*✓ curvature +holds/);
    const catalogue = await readFile(join(folder, 'docs/catalogue.md'), 'utf8');
    expect(catalogue).toContain('| `square` | z², of quadratic networks. |');
  });

  test('adds a dynamics', async () => {
    expect(eos('stream', '--help').replace(/\s+/g, ' ')).toContain('resting');
    const moved = await rows('data/run.resting.parquet');
    expect(moved.length).toBe(10_001);
    expect(moved.at(-1)).toMatchObject({ alpha: 0.3, beta1: 0.1, beta2: 0.3 });
    expect(moved.at(-1)!.output, 'a column that is added applies here too').toBeCloseTo(0.09, 15);
    const catalogue = await readFile(join(folder, 'docs/catalogue.md'), 'utf8');
    expect(catalogue).toContain('| `resting` | the start, which never moves |');
  });

  test('adds a model', async () => {
    expect(eos('stream', '--help')).toContain('xy');
    expect(eos('stream', '--model', 'xy', '--dry-run')).toContain('start   xy: η = 0.1');
    eos('stream', '--model', 'xy', '--out', 'data/xy.parquet');
    const last = (await rows('data/xy.parquet')).at(-1)!;
    expect((last.x as number) * (last.y as number)).toBeCloseTo(1, 6);
    expect(last.sharpness).toBeCloseTo((last.x as number) ** 2 + (last.y as number) ** 2, 5);
    const catalogue = await readFile(join(folder, 'docs/catalogue.md'), 'utf8');
    expect(catalogue).toContain('| `xy` | the product of two numbers, L = ½(xy − 1)² |');
  });

  test('adds a check', async () => {
    expect(eos('verify', 'data/run.parquet')).toMatch(/✓ learns +holds/);
    const catalogue = await readFile(join(folder, 'docs/catalogue.md'), 'utf8');
    expect(catalogue).toContain(
      '| `learns` | the loss of the last step is below that of the first |',
    );
  });

  test('adds a preset', async () => {
    expect(eos('presets')).toMatch(/^gentle +a learning rate a hundredth/m);
    expect(eos('stream', '--help')).toContain('gentle');
    expect(eos('stream', '--preset', 'gentle', '--dry-run')).toContain('η = 0.001');
    const catalogue = await readFile(join(folder, 'docs/catalogue.md'), 'utf8');
    expect(catalogue).toContain('| `gentle` | a learning rate a hundredth of');
  });

  test('adds a command', () => {
    expect(eos('--help')).toMatch(/threshold +Say where gradient descent turns unstable/);
    expect(eos('threshold', '0.05')).toBe('40\n');
  });

  describeWith(['chromium'], 'on the page', () => {
    test('shows the panel with its column, the dynamics, and the run of the model', async () => {
      const build = (name: string) => {
        eos(
          'dash',
          'build',
          '--data',
          `data/${name}.parquet`,
          '--single-file',
          '--out',
          `${name}.html`,
        );
        return pathToFileURL(join(folder, `${name}.html`)).href;
      };
      const browser = await launch();
      try {
        const { page, problems } = await openPage(browser, build('run'));
        const panel = page.locator('[data-panel=output]');
        await panel.waitFor();
        expect(await panel.textContent()).toContain('Answer of the network');
        expect(await page.locator('[data-panel=plane]').textContent()).toContain('resting');
        const small = await openPage(browser, build('xy'));
        // biome-ignore lint/performance/useDomNodeTextContent: what is seen, not the data
        expect(await small.page.locator('body').innerText()).toContain('xy.parquet');
        expect(await small.page.locator('[data-panel=sharpness]').isVisible()).toBe(true);
        problems.push(...small.problems);
        expect(problems).toEqual([]);
      } finally {
        await browser.close();
      }
    });
  });
});
