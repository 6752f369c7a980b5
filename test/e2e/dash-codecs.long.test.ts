import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, openPage, type Started, serve, settled, shownRange } from '../dash/browser.ts';
import { eos } from '../setup/eos.ts';
import { describeWith, python } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const WRITE = `
import sys, json, pyarrow as pa, pyarrow.parquet as pq, pyarrow.feather as feather
folder = sys.argv[1]
n = 2000
table = pa.table({"step": pa.array(range(n)), "eigenvalues": pa.array([[i, 2.0 * i] for i in range(n)]),
    "params": pa.array([{"a": {"lr": 0.1, "name": "x"}}] * n), "loss": pa.array([None if i % 7 == 3 else 1 / (1 + i) for i in range(n)]),
    "sharpness": pa.array([10 + i / 100 for i in range(n)]), "phase": pa.array(["convergence"] * n)})
names = []
for codec in ["zstd", "gzip", "brotli", "lz4"]:
    names.append(codec + ".parquet")
    pq.write_table(table, folder + "/" + names[-1], compression=codec, data_page_version="2.0" if codec == "gzip" else "1.0")
for codec in ["zstd", "lz4"]:
    names.append(codec + ".arrow")
    feather.write_feather(table, folder + "/" + names[-1], compression=codec)
print(json.dumps(names))
`;

describeWith(['chromium', 'python'], 'files of pyarrow on the page', () => {
  let folder: string;
  let names: readonly string[];
  let browser: Browser;
  let server: Started;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-codecs-'));
    names = (await python(WRITE, [folder])) as readonly string[];
    server = await serve(names.map((name) => join(folder, name)));
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    removeFolder(folder);
  });

  test('are drawn however compressed, with columns of lists and structs beside', async () => {
    expect(names).toHaveLength(6);
    for (const name of names) {
      const { page, problems } = await openPage(browser, `${server.url}?run=data/${name}`);
      expect([name, await shownRange(page)]).toEqual([name, [0, 1999]]);
      expect([name, await page.getByText('sharpness').count()]).not.toEqual([name, 0]);
      expect([name, problems]).toEqual([name, []]);
      await page.close();
    }
  });

  test('are drawn from a page in one file, whose policy forbids all requests', async () => {
    const out = join(folder, 'page.html');
    const built = await eos([
      ...['dash', 'build', '--data', join(folder, 'zstd.parquet'), '--single-file'],
      ...['--out', out],
    ]);
    expect([built.code, built.stderr]).toEqual([0, expect.any(String)]);
    const { page, problems } = await openPage(browser, pathToFileURL(out).href);
    await settled(page);
    expect(await shownRange(page)).toEqual([0, 1999]);
    expect(problems).toEqual([]);
    await page.close();
  });
});
