import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { parquetReadColumn } from 'hyparquet/src/read.js';
import type { Browser } from 'playwright-core';
import { lastValueFrom } from 'rxjs';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as library from '../../src/pipeline/index.ts';
import { launch } from '../dash/browser.ts';
import { describeWith, root } from '../setup/parts.ts';

type Library = typeof library;

/** The library as one module for browsers. */
let bundle = '';

beforeAll(async () => {
  const result = await build({
    configFile: false,
    root,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      rolldownOptions: { output: { codeSplitting: false } },
      lib: { entry: join(root, 'src/pipeline/index.ts'), formats: ['es'], fileName: 'eos' },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((one) =>
    'output' in one ? one.output : [],
  );
  expect(outputs.map(({ type }) => type)).toEqual(['chunk']);
  for (const output of outputs) if (output.type === 'chunk') bundle = output.code;
});

test('the bundle needs nothing: no module of Node, no other module', () => {
  expect(bundle.length).toBeGreaterThan(100_000);
  expect(bundle).not.toMatch(/["']node:/);
  expect(bundle).not.toContain('__vite-browser-external');
  expect(bundle).not.toMatch(/^\s*import[\s{*"']/m);
});

/**
 * A run with both files in memory. Runs in the page as well, so it may use nothing from outside.
 */
async function streamInMemory(eos: Library, preset: 'paper' | 'plain') {
  const parquet = eos.memoryTarget();
  const arrow = eos.memoryTarget();
  const events: unknown[] = [];
  const run = await new Promise<{ readonly summary?: unknown }>((resolve, reject) => {
    let last: { readonly summary?: unknown } = {};
    eos
      .gradientDescent({ preset })
      .pipe(
        eos.splitLoss(),
        eos.classifySharpness(),
        eos.flowSolution(),
        eos.detectPhases(),
        eos.summarize(),
        eos.phaseLog((event) => events.push(event)),
        eos.parquetSink(parquet),
        eos.arrowSink(arrow),
      )
      .subscribe({
        next: (batch) => {
          last = batch.run;
        },
        error: reject,
        complete: () => resolve(last),
      });
  });
  const base64 = (bytes: Uint8Array) => {
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192)
      text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
  };
  return {
    summary: run.summary,
    events,
    parquet: base64(parquet.bytes()),
    arrow: base64(arrow.bytes()),
  };
}

/** Columns of a Parquet or an Arrow file. */
async function columnsOf(base64: string): Promise<Record<string, ArrayLike<unknown>>> {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  // Compares the checksums of all pages, which browsers compute in another way than Node.
  await library.readRun(bytes);
  const columns: Record<string, ArrayLike<unknown>> = {};
  for (const { name } of library.RUN_COLUMNS) {
    columns[name] =
      bytes[0] === 'P'.charCodeAt(0)
        ? await parquetReadColumn({ file: bytes.buffer, columns: [name] })
        : [...tableFromIPC(bytes).getChild(name)!];
  }
  return columns;
}

/** Two versions of V8 may differ in the last digit of Math.log10, and in nothing else. */
function alike(name: string, a: unknown, b: unknown): boolean {
  if (name !== 'log10_abs_beta1') return Object.is(a, b);
  return Math.abs(Number(a) - Number(b)) <= 4e-16 * Math.abs(Number(a));
}

describeWith(['chromium'], 'the library in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  test.each(['paper', 'plain'] as const)(
    '%s: summary, events and the values of both files are those of Node, bit for bit',
    async (preset) => {
      const page = await browser.newPage();
      const errors: Error[] = [];
      page.on('pageerror', (error) => errors.push(error));
      const inBrowser = (await page.evaluate(
        `(async () => {
        const url = URL.createObjectURL(new Blob([${JSON.stringify(bundle)}], { type: 'text/javascript' }));
        return (${streamInMemory})(await import(url), ${JSON.stringify(preset)});
      })()`,
      )) as Awaited<ReturnType<typeof streamInMemory>>;
      const inNode = await streamInMemory(library, preset);
      expect(errors).toEqual([]);
      expect(inBrowser.summary).toEqual(inNode.summary);
      expect(inBrowser.events).toEqual(inNode.events);
      for (const kind of ['parquet', 'arrow'] as const) {
        const [found, expected] = [await columnsOf(inBrowser[kind]), await columnsOf(inNode[kind])];
        expect(found.step?.length).toBe(preset === 'paper' ? 10_001 : 5_501);
        for (const { name } of library.RUN_COLUMNS) {
          const differs = Array.from(
            expected[name]!,
            (value, i) => !alike(name, value, found[name]![i]),
          );
          expect(differs.indexOf(true), `${kind} ${name}`).toBe(-1);
        }
      }
      await page.close();
    },
  );
});

describe('without the globals of Node', () => {
  test('a run computes in a bare context', async () => {
    const { runInNewContext } = await import('node:vm');
    const script = bundle.replace(/export\s*\{([^}]*)\};?\s*$/, (_, names: string) => {
      const pairs = names.split(',').map((name) => name.trim().split(/\s+as\s+/));
      return `;globalThis.eos = { ${pairs.map(([inner, outer]) => `${outer ?? inner}: ${inner}`).join(', ')} };`;
    });
    // What browsers have and the language itself does not.
    const context = {
      performance,
      TextEncoder,
      TextDecoder,
      setTimeout,
      clearTimeout,
      MessageChannel,
    } as {
      eos?: Library;
    };
    runInNewContext(script, context);
    const { gradientDescent, classifySharpness, toSteps } = context.eos!;
    const last = await lastValueFrom(
      gradientDescent({ preset: 'paper' }).pipe(classifySharpness(), toSteps()),
    );
    expect(last.step).toBe(10_000);
  });
});
