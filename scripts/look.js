// Opens the page with every kind of input that a stranger may bring, in all sizes and looks, and
// keeps a picture of each: node scripts/look.js FOLDER [--only KIND,…] [--sizes WIDTH,…] [--all]
// [--whole]. It lists what no picture may have: errors, a page wider than its window, words that
// are cut off or broken.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { crc32c } from '../dist/pipeline/formats/platform.js';
import { drawn, openBrowser, serve } from './browser.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    sizes: { type: 'string' },
    all: { type: 'boolean' },
    whole: { type: 'boolean' },
  },
});
const [out] = positionals;
if (!out) throw new Error('say where the pictures shall go: node scripts/look.js FOLDER');
const inputs = mkdtempSync(join(tmpdir(), 'eos-look-'));

/** Sizes in which the page is looked at. */
const SIZES = [
  [1280, 720],
  [1440, 900],
  [3840, 2160],
  [820, 1180],
  [390, 844],
  [320, 640],
];
/** Milliseconds that a busy machine may take. */
const PATIENCE = 300_000;
const LOOKS = {
  light: {},
  dark: { theme: 'dark' },
  grey: { vision: 'achromatopsia' },
  forced: { forcedColors: 'active' },
};

/** Kinds that are looked at in each of these, and what suffices for the others. */
const FULL = [
  'run',
  'ten',
  'thousand',
  'sweep',
  'sweep-ratio',
  'csv',
  'tensorboard',
  'network',
  'lab',
];
const SOME = ['1280-light', '820-dark', '320-light'];

function eos(...args) {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin/run.js'), ...args], {
    cwd: inputs,
    encoding: 'utf8',
  });
  if (status !== 0 && status !== 1) throw new Error(`eos ${args.join(' ')}: ${stderr}`);
}
const stream = (name, ...args) => eos('stream', '--out', name, '-q', ...args);
/** A run that is ended by a signal after some seconds. */
const ended = (name, killSignal) =>
  spawnSync(
    process.execPath,
    [
      ...[join(root, 'bin/run.js'), 'stream', '--out', name, '-q'],
      ...['--pace', '500', '--flush-every', '0.2'],
    ],
    { cwd: inputs, timeout: 8000, killSignal },
  );
const sweep = (name, ...args) => eos('sweep', '--out', name, '-q', ...args);

/** A table of anybody, of these columns. */
function table(name, columns) {
  const columnData = Object.entries(columns).map(([column, data]) => ({
    name: column,
    data,
    type: typeof data[0] === 'string' ? 'STRING' : 'DOUBLE',
    nullable: data.includes(null),
  }));
  writeFileSync(join(inputs, name), new Uint8Array(parquetWriteBuffer({ columnData })));
}
const steps = (count, of = (t) => t) => Array.from({ length: count }, (_, t) => of(t));
const loss = (t) => Math.exp(-t / 300) * (1 + 0.2 * Math.sin(t / 9)) + 1e-6;
const curvature = (t) => 40 * (1 - Math.exp(-t / 200)) + Math.sin(t);
const python = (code) => {
  const made = spawnSync(join(root, '.venv/bin/python'), ['-c', code], { cwd: inputs });
  if (made.status !== 0) throw new Error(String(made.stderr));
};
const logRows = steps(1500, (t) => ({ step: t, loss: loss(t), sharpness: curvature(t), lr: 0.05 }));
/** A number in the variable length of protocol buffers. */
const varint = (n) => (n < 128 ? [n] : [(n % 128) | 128, ...varint(Math.floor(n / 128))]);
const little = (size, write) => {
  const bytes = Buffer.alloc(size);
  write(bytes);
  return [...bytes];
};
/** An event of TensorBoard with a scalar, framed as its files frame them. */
function event(step, tag, value) {
  const message = (number, bytes) => [number * 8 + 2, ...varint(bytes.length), ...bytes];
  const scalar = [0x15, ...little(4, (b) => b.writeFloatLE(value))];
  const summary = message(1, [...message(1, [...Buffer.from(tag)]), ...scalar]);
  const time = [0x09, ...little(8, (b) => b.writeDoubleLE(1.7e9 + step))];
  const data = Buffer.from([...time, 0x10, ...varint(step), ...message(5, summary)]);
  const masked = (bytes) => {
    const crc = crc32c(bytes);
    return little(4, (b) => b.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0));
  };
  const length = Buffer.from(little(8, (b) => b.writeBigUInt64LE(BigInt(data.length))));
  return Buffer.from([...length, ...masked(length), ...data, ...masked(data)]);
}
const LONG = `a-very-long-name-${'that-goes-on-and-on-'.repeat(8)}end.parquet`;

/**
 * What is brought: how it is made, and what of it is opened (`drop` on the page, `link` by its
 * address).
 */
const KINDS = {
  run: () => {
    stream('run.parquet');
    return { link: 'run=data/run.parquet' };
  },
  also: () => {
    stream('also.parquet', '--also', 'gradient-flow,constrained,central');
    return {};
  },
  empty: () => {
    writeFileSync(join(inputs, 'empty.parquet'), '');
    return {};
  },
  'no-columns': () => {
    table('no-columns.parquet', { step: steps(50) });
    return {};
  },
  'no-steps': () => {
    table('no-steps.parquet', { loss: steps(50, loss) });
    return {};
  },
  'one-row': () => {
    stream('one-row.parquet', '--steps', '1', '--every', '10');
    return {};
  },
  'two-rows': () => {
    table('two-rows.parquet', { step: [0, 1], loss: [1, 0.5] });
    return {};
  },
  'all-nan': () => {
    const nan = steps(300, () => Number.NaN);
    table('all-nan.parquet', { step: steps(300), loss: nan, sharpness: nan });
    return {};
  },
  huge: () => {
    const grown = (t) => 10 ** (t - 300);
    table('huge.parquet', {
      step: steps(600),
      loss: steps(600, grown),
      sharpness: steps(600, grown),
    });
    return {};
  },
  'negative-zero': () => {
    const signs = [-0, 0, -1, -1e-9, 5];
    table('signs.parquet', {
      step: steps(200),
      loss: steps(200, (t) => signs[t % 5]),
      l_hat: steps(200, () => -0),
    });
    return {};
  },
  'one-spike': () => {
    const spiked = (t) => (t === 200 ? 1e12 : loss(t));
    table('one-spike.parquet', {
      step: steps(500),
      loss: steps(500, spiked),
      sharpness: steps(500, (t) => (t === 200 ? 1e9 : curvature(t))),
    });
    return {};
  },
  constant: () => {
    table('constant.parquet', {
      step: steps(100),
      loss: steps(100, () => 1),
      sharpness: steps(100, () => 40),
    });
    return {};
  },
  'not-ascending': () => {
    table('not-ascending.parquet', { step: [3, 2, 1], loss: [1, 2, 3] });
    return {};
  },
  damaged: () => {
    writeFileSync(join(inputs, 'damaged.parquet'), `PAR1${'x'.repeat(900)}PAR1`);
    return {};
  },
  columns: () => {
    const wide = Object.fromEntries(
      steps(120, (c) => [
        `a_rather_long_column_name_${c}`,
        steps(60, (t) => Math.sin(t / (c + 1))),
      ]),
    );
    table('columns.parquet', { step: steps(60), loss: steps(60, loss), ...wide });
    return { link: 'add=a_rather_long_column_name_7&add=a_rather_long_column_name_9' };
  },
  diverged: () => {
    stream('diverged.parquet', '--eta', '0.2', '--lambda2', '2', '--steps', '4000');
    return {};
  },
  thinned: () => {
    stream('thinned.parquet', '--every', '50');
    return {};
  },
  momentum: () => {
    stream('momentum.parquet', '--optimizer', 'momentum', '--momentum', '0.9', '--steps', '8000');
    return {};
  },
  gaussian: () => {
    stream('gaussian.parquet', '--samples', '100', '--steps', '8000');
    return {};
  },
  unfinished: () => {
    stream('whole.parquet', '--steps', '4000');
    copyFileSync(join(inputs, 'whole.parquet'), join(inputs, 'unfinished.parquet.partial'));
    rmSync(join(inputs, 'whole.parquet'));
    return {};
  },
  interrupted: () => {
    ended('interrupted.parquet', 'SIGINT');
    return {};
  },
  recovered: () => {
    ended('recovered.parquet', 'SIGKILL');
    eos('recover', 'recovered.parquet');
    return {};
  },
  arrow: () => {
    stream('arrow.parquet', '--arrow', 'run.arrow', '--steps', '3000');
    return { files: ['run.arrow'] };
  },
  network: () => {
    stream('network.parquet', '--preset', 'network', '--steps', '900');
    return {};
  },
  digits: () => {
    stream('digits.parquet', '--preset', 'digits', '--steps', '60');
    return {};
  },
  'deep-linear': () => {
    stream('deep-linear.parquet', '--preset', 'deep-linear', '--steps', '300');
    return {};
  },
  'network-adam': () => {
    stream('network-adam.parquet', '--preset', 'adam', '--steps', '300');
    return {};
  },
  'network-sgd': () => {
    stream('network-sgd.parquet', '--preset', 'sgd', '--steps', '300');
    return {};
  },
  sweep: () => {
    sweep('sweep', '--eta', '0.01:0.5:log:16', '--lambda2', '0.01:1:log:10', '--steps', '4000');
    return {};
  },
  'sweep-ratio': () => ({
    files: ['sweep'],
    link: 'map=max_sharpness_ratio',
    after: 'sweep',
  }),
  'sweep-seeds': () => {
    sweep(
      'seeds',
      '--eta',
      '0.02:0.3:log:8',
      '--samples',
      '60',
      '--seed',
      '1:6:6',
      '--steps',
      '2000',
    );
    return { files: ['seeds'] };
  },
  'sweep-network': () => {
    sweep(
      'nets',
      '--model',
      'mlp',
      '--layers',
      '1-8-1',
      '--eta',
      '0.05:1:log:4',
      '--activation',
      'tanh,relu',
      '--seed',
      '1,2',
      '--steps',
      '60',
      '-y',
    );
    return { files: ['nets'] };
  },
  csv: () => {
    writeFileSync(
      join(inputs, 'log.csv'),
      [
        'step,loss,sharpness,lr',
        ...logRows.map((r) => `${r.step},${r.loss},${r.sharpness},${r.lr}`),
        '',
      ].join('\n'),
    );
    return { drop: ['log.csv'] };
  },
  'rate-unsaid': () => {
    writeFileSync(
      join(inputs, 'rate-unsaid.csv'),
      ['step,loss,sharpness', ...logRows.map((r) => `${r.step},${r.loss},${r.sharpness}`), ''].join(
        '\n',
      ),
    );
    return { drop: ['rate-unsaid.csv'] };
  },
  'loss-only': () => {
    writeFileSync(
      join(inputs, 'loss-only.csv'),
      `epoch,train_loss\n${logRows.map((r) => `${r.step},${r.loss}`).join('\n')}\n`,
    );
    return { drop: ['loss-only.csv'] };
  },
  ndjson: () => {
    writeFileSync(join(inputs, 'log.ndjson'), logRows.map((r) => JSON.stringify(r)).join('\n'));
    return { drop: ['log.ndjson'] };
  },
  json: () => {
    writeFileSync(join(inputs, 'log.json'), JSON.stringify(logRows));
    return { drop: ['log.json'] };
  },
  text: () => {
    writeFileSync(
      join(inputs, 'log.txt'),
      logRows
        .map(
          (r) =>
            `Epoch ${r.step}: loss=${r.loss.toPrecision(5)}, ` +
            `sharpness=${r.sharpness.toPrecision(5)}`,
        )
        .join('\n'),
    );
    return { drop: ['log.txt'] };
  },
  gzip: () => {
    writeFileSync(
      join(inputs, 'log.csv.gz'),
      gzipSync(`step,loss\n${logRows.map((r) => `${r.step},${r.loss}`).join('\n')}\n`),
    );
    return { drop: ['log.csv.gz'] };
  },
  tensorboard: () => {
    const scalars = logRows.flatMap(({ step, loss, sharpness, lr }) => [
      event(step, 'train/loss', loss),
      event(step, 'sharpness', sharpness),
      event(step, 'lr', lr),
    ]);
    const name = 'events.out.tfevents.1732650000.host';
    writeFileSync(join(inputs, name), Buffer.concat(scalars));
    return { drop: [name] };
  },
  nonsense: () => {
    writeFileSync(join(inputs, 'nonsense.log'), 'this is not a log\n'.repeat(50));
    return { drop: ['nonsense.log'] };
  },
  npy: () => {
    python("import numpy as np; np.save('losses.npy', np.exp(-np.arange(400)/90))");
    return { drop: ['losses.npy'] };
  },
  foreign: () => {
    python(
      [
        'import pandas as pd, numpy as np',
        't=np.arange(800)',
        'columns={"step":t,"loss":np.exp(-t/200),"sharpness":40*(1-np.exp(-t/90))}',
        'd=pd.DataFrame(columns)',
        'for c in ["zstd","brotli","gzip","lz4"]:',
        '    d.to_parquet(f"foreign-{c}.parquet",compression=c)',
        'd.to_feather("foreign.arrow")',
      ].join('\n'),
    );
    return { files: readdirSync(inputs).filter((name) => name.startsWith('foreign')), all: true };
  },
  unicode: () => {
    stream('λ₂=½ · τρέξιμο 実行 🎲.parquet', '--steps', '3000');
    return { files: ['λ₂=½ · τρέξιμο 実行 🎲.parquet'] };
  },
  'long-name': () => {
    stream(LONG, '--steps', '3000');
    return { files: [LONG] };
  },
  ten: () => {
    mkdirSync(join(inputs, 'ten'));
    for (let i = 0; i < 10; i++)
      stream(`ten/eta-${i}.parquet`, '--eta', String(0.02 + 0.008 * i), '--steps', '4000');
    return { files: ['ten'], link: 'show=where&color=eta' };
  },
  thousand: () => {
    mkdirSync(join(inputs, 'thousand'));
    for (let i = 0; i < 50; i++)
      stream(`thousand/0-${i}.parquet`, '--eta', String(0.02 + 0.001 * i), '--steps', '600');
    for (let i = 50; i < 1000; i++)
      copyFileSync(
        join(inputs, `thousand/0-${i % 50}.parquet`),
        join(inputs, `thousand/${i}.parquet`),
      );
    return {
      files: ['thousand'],
      link: `color=eta&${steps(50, (i) => `run=data/0-${i}.parquet`).join('&')}`,
    };
  },
  mixed: () => ({
    files: ['run.parquet', 'network.parquet', 'diverged.parquet', 'one-spike.parquet', 'sweep'],
    all: true,
    after: 'run',
  }),
  nothing: () => {
    mkdirSync(join(inputs, 'nothing'));
    return { files: ['nothing'] };
  },
  lab: () => ({ files: ['nothing'], link: 'lab=' }),
};

/** What no state of the page may have. */
function faultsOf() {
  const seen = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth)
    seen.push(`is ${scrollWidth - clientWidth} px wider than its window`);
  for (const element of document.querySelectorAll(
    'h1, h2, button, .tile *, .notice, label, th, .legend *',
  )) {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || getComputedStyle(element).visibility === 'hidden') continue;
    if (element.closest('.scroll, [hidden], .visually-hidden, .sr-only')) continue;
    if (box.right > clientWidth + 1 && !element.closest('table, .table'))
      seen.push(
        `${element.tagName} ${element.className} reaches out: ${element.textContent?.slice(0, 40)}`,
      );
  }
  return [...new Set(seen)].slice(0, 5);
}

const browser = await openBrowser();
mkdirSync(out, { recursive: true });
try {
  for (const [kind, make] of Object.entries(KINDS)) {
    if (values.only && !values.only.split(',').includes(kind)) continue;
    const { files, link = '', drop = [], all } = make();
    const named =
      files ??
      (drop.length > 0
        ? ['.']
        : [`${kind === 'negative-zero' ? 'signs' : kind}${kind === 'sweep' ? '' : '.parquet'}`]);
    const shown = all ? named.filter((name) => /\.(parquet|arrow)$/.test(name)) : [];
    const query = [
      link,
      ...shown.map((name) => `run=data/${encodeURIComponent(name)}`),
      'refresh=0',
    ]
      .filter(Boolean)
      .join('&');
    const server =
      drop.length > 0
        ? await serve([mkdtempSync(join(inputs, 'nothing-'))])
        : await serve(named.map((name) => join(inputs, name)));
    const sizes = SIZES.filter(
      ([width]) => !values.sizes || values.sizes.split(',').includes(String(width)),
    );
    for (const [width, height] of sizes)
      for (const [look, { theme, vision, forcedColors }] of Object.entries(LOOKS)) {
        if (!values.all && !FULL.includes(kind) && !SOME.includes(`${width}-${look}`)) continue;
        const context = await browser.newContext({
          viewport: { width, height },
          colorScheme: theme ?? 'light',
          forcedColors: forcedColors ?? 'none',
        });
        const page = await context.newPage();
        page.setDefaultTimeout(PATIENCE);
        const said = [];
        page.on('pageerror', (error) => said.push(error.message));
        page.on(
          'console',
          (message) => ['error', 'warning'].includes(message.type()) && said.push(message.text()),
        );
        await page.goto(`${server.url}?${drop.length > 0 ? 'refresh=0' : query}`);
        await drawn(page);
        if (drop.length > 0) {
          await page.setInputFiles(
            'input[type=file]',
            drop.map((name) => join(inputs, name)),
          );
          await page.waitForFunction(() => {
            const said = [...document.querySelectorAll('.log-told')];
            return said.some(({ textContent }) => textContent !== 'Reading …');
          });
          await drawn(page);
        }
        if (vision) {
          const session = await context.newCDPSession(page);
          await session.send('Emulation.setEmulatedVisionDeficiency', { type: vision });
        }
        const path = join(out, `${kind}-${width}-${look}.png`);
        await page.screenshot({ path, fullPage: values.whole === true });
        for (const fault of [...said, ...(await page.evaluate(faultsOf))])
          console.log(`${kind} at ${width} px, ${look}: ${fault}`);
        await context.close();
      }
    await server.stop();
  }
} finally {
  await browser.close();
  rmSync(inputs, { recursive: true, force: true });
}
