import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import type { MeasuredSummary } from '../../src/pipeline/phases/measured/summary.ts';
import { eos } from '../setup/eos.ts';
import {
  describeWith,
  findPart,
  hasPackages,
  holdsPackages,
  part,
  python,
  root,
} from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'eos-python-'));
const at = (name: string) => join(folder, name);
afterAll(() => removeFolder(folder));
const run = promisify(execFile);

/** What `eos detect` says at the end. */
async function detected(args: readonly string[]): Promise<MeasuredSummary> {
  const outcome = await eos(['detect', ...args, '--log-format', 'json']);
  expect(outcome.code, outcome.stderr).toBe(0);
  return JSON.parse(outcome.stdout.trim().split('\n').at(-1)!) as MeasuredSummary;
}

test('the first command of docs/detect.md runs on the log that is in the repository', async () => {
  const docs = readFileSync(join(root, 'docs/detect.md'), 'utf8');
  const [first] = /npx eos (detect \S+ .*)/.exec(docs)![1]!.split(' && ');
  const [, log, ...flags] = first!.split(' ');
  const { outcome, first_crossing: edge } = await detected([join(root, log!), ...flags]);
  expect(outcome).toBe('edge-of-stability');
  expect(edge).toBe(640);
});

describeWith(['python'], 'own runs, and their files in DuckDB', () => {
  test('learning rate, optimizer, threshold come from the file; the rest is NULL', async () => {
    const flags = [
      '--layers',
      '1-10-1',
      '--optimizer',
      'momentum',
      '--eta',
      '0.05',
      '--steps',
      '300',
    ];
    const streamed = await eos([
      ...['stream', '--model', 'mlp', '--data', 'chebyshev:3:10', ...flags],
      ...['--measure', '10', '--quiet', '--out', at('own.parquet'), '--arrow', at('own.arrow')],
    ]);
    expect(streamed.code, streamed.stderr).toBe(0);
    for (const kind of ['parquet', 'arrow']) {
      const out = [`--out`, at(`${kind}.parquet`), '--arrow', at(`${kind}.arrow`)];
      const summary = await detected([at(`own.${kind}`), ...out]);
      expect(summary.measured).toBe(31);
      const read = (await python(
        `
import sys, json, duckdb, pyarrow as pa
folder, kind = sys.argv[1:]
tables = [f"'{folder}/own.parquet'", f"'{folder}/{kind}.parquet'", 'arrow']
arrow = pa.ipc.open_file(f'{folder}/{kind}.arrow').read_all()
ask = 'count(*), count(sharpness), count(*) filter (sharpness > 1), avg(sharpness), max(sharpness), min(eta), min(threshold)'
print(json.dumps([duckdb.sql(f'select {ask} from {table}').fetchall()[0] for table in tables]))
`,
        [folder, kind],
      )) as number[][];
      for (const [count, measured, over, mean, most, eta, threshold] of read) {
        expect([count, measured]).toEqual([301, 31]);
        expect(over).toBeLessThanOrEqual(31);
        expect(mean).toBeGreaterThan(0);
        expect(mean).toBeLessThan(most!);
        expect(eta).toBe(0.05);
        expect(threshold).toBeCloseTo(3.8 / 0.05, 9);
      }
    }
  });
});

/** Files that only Python reads: what makes one, and what it holds. */
const OTHERS = [
  ['pickle', [], "import pickle; pickle.dump(d, open(f, 'wb'))"],
  ['mat', ['scipy'], 'import scipy.io; scipy.io.savemat(f, d)'],
  [
    'h5',
    ['h5py'],
    "import h5py; g = h5py.File(f, 'w'); [g.__setitem__(k, v) for k, v in d.items()]; g.close()",
  ],
  [
    '7.3.mat',
    ['h5py'],
    "import h5py, numpy; g = h5py.File(f, 'w', userblock_size=512); [g.__setitem__(k, numpy.array([v])) for k, v in d.items()]; g.close(); h = open(f, 'r+b'); h.write(b'MATLAB 7.3 MAT-file, Platform: GLNXA64'.ljust(124) + b'\\0\\2IM')",
  ],
  ['pt', ['torch'], 'import torch; torch.save({k: torch.tensor(v) for k, v in d.items()}, f)'],
] as const;

const interpreter = findPart('jax') ?? findPart('python') ?? process.env.EOS_PYTHON ?? '';
const makes = OTHERS.filter(([, needs]) => holdsPackages(interpreter, needs));

describe.runIf(makes.length > 0)('the line of Python for files that are not read here', () => {
  test.each(makes)('.%s', async (name, _, save) => {
    const file = at(`log.${name}`);
    const make = `import sys; f = sys.argv[1]; d = {'loss': [2.5, 2.2, 2.0], 'sharpness': [3.0, 4.0, 5.0]}; ${save}`;
    await run(interpreter, ['-c', make, file]);
    const refused = await eos(['detect', file, '--eta', '0.1']);
    expect(refused.code).toBe(2);
    const line = /python -c "(.*)"/.exec(refused.stderr.replace(/\n\s*/g, ' '))![1]!;
    await run(interpreter, ['-c', line.replace('FILE', file)], { cwd: folder });
    const { columns, rows, measured } = await detected([at('log.csv'), '--eta', '0.1']);
    expect(columns).toEqual({ loss: 'loss', sharpness: 'sharpness' });
    expect([rows, measured]).toEqual([3, 3]);
  });
});

/** Networks that ask something of second derivatives. */
const NETWORKS = {
  mse_loss: 'nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))',
  BatchNorm: 'nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1))',
  attention: 'Attention()',
};

describe.runIf(hasPackages('torch'))('the recipe for PyTorch in docs/detect.md', () => {
  test.each(Object.entries(NETWORKS))('%s', async (name, network) => {
    const docs = readFileSync(join(root, 'docs/detect.md'), 'utf8');
    const recipe = /```python\n(import json\nimport torch\n[\s\S]*?)```/.exec(docs)![1]!;
    const program = `
import sys, torch
from torch import nn
torch.manual_seed(1)
class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.out = nn.MultiheadAttention(4, 2, batch_first=True), nn.Linear(4, 1)
    def forward(self, x):
        x = x.reshape(-1, 1, 4).repeat(1, 3, 1) * torch.arange(1.0, 4.0).reshape(1, 3, 1)
        return self.out(self.inner(x, x, x, need_weights=False)[0].mean(1))
model = ${network}
x, y = torch.randn(16, 4), torch.randn(16, 1)
loss = lambda: nn.functional.mse_loss(model(x), y)
optimizer, steps = torch.optim.SGD(model.parameters(), lr=0.05), 20
${recipe}
weights = list(model.parameters())
flat = torch.cat([w.detach().reshape(-1) for w in weights])
def at(theta):
    parts = torch.split(theta, [w.numel() for w in weights])
    named = {k: p.reshape(w.shape) for (k, w), p in zip(model.named_parameters(), parts)}
    with sdpa_kernel(SDPBackend.MATH):
        return nn.functional.mse_loss(torch.func.functional_call(model, named, (x,)), y)
exact = torch.linalg.eigvalsh(torch.autograd.functional.hessian(at, flat))[-1].item()
value, _ = sharpness(model, loss, vector, most=2000)
print(json.dumps({"exact": exact, "value": value}), file=sys.stderr)
`;
    writeFileSync(at(`${name}.py`), program);
    const { stdout, stderr } = await run(part('jax'), ['-u', at(`${name}.py`)]);
    writeFileSync(at(`${name}.ndjson`), stdout);
    const { rows, measured, columns } = await detected([at(`${name}.ndjson`), '--eta', '0.05']);
    expect([rows, measured]).toEqual([20, 20]);
    expect(columns).toEqual({ step: 'step', loss: 'loss', sharpness: 'sharpness' });
    const { exact, value } = JSON.parse(stderr.trim().split('\n').at(-1)!) as Record<
      string,
      number
    >;
    expect(Math.abs(value! / exact! - 1)).toBeLessThan(0.01);
  });
});
