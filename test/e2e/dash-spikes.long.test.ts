import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { memoryTarget } from '../../src/pipeline/formats/byte-target.ts';
import { parquetSink } from '../../src/pipeline/formats/parquet/parquet-sink.ts';
import type { NetworkSummary } from '../../src/pipeline/operators/network-run.ts';
import { findTraining } from '../../src/pipeline/sources/trainings/index.ts';
import { launch, openPage, serve, settled } from '../dash/browser.ts';
import { temporaryFolder } from '../setup/eos.ts';
import { describeWith } from '../setup/parts.ts';

describeWith(['chromium'], 'the spikes of a network in a browser', () => {
  test('stand in a table with their causes, and in the tooltip of the loss', async () => {
    const options = { model: 'mlp', layers: '1-20-15-1', eta: 0.2, steps: 2000 };
    const runs = await findTraining(options).open();
    const config = runs.resolve(options);
    let summary: NetworkSummary | undefined;
    const target = memoryTarget();
    await lastValueFrom(
      runs.rows(config, {}).pipe(
        runs.pipeline(config, (event) => {
          if (event.event === 'done') summary = event as unknown as NetworkSummary;
        }),
        parquetSink(target),
      ),
    );
    const file = join(temporaryFolder(), 'net.parquet');
    await writeFile(file, target.bytes());
    const server = await serve([file]);
    const browser = await launch();
    try {
      const { page, problems } = await openPage(browser, `${server.url}?refresh=0`);
      const rows = page.locator('[data-panel=spikes] tbody tr');
      expect(await rows.count()).toBe(summary!.spikes.length);
      expect(summary!.spikes.length).toBeGreaterThan(1);
      const [first] = summary!.spikes;
      expect(await rows.first().textContent()).toContain('of the rise in one direction at');
      expect(await rows.first().locator('[data-value]').getAttribute('data-value')).toBe(
        String(first!.rise),
      );
      expect(await page.locator('[data-panel=spikes] .note').textContent()).toContain(
        'over what its spikes bear',
      );
      await rows.first().click();
      await settled(page);
      await page.locator('[data-panel=loss] .plot').focus();
      await page.keyboard.press('ArrowRight');
      await expect.poll(() => page.locator('#tooltip').textContent()).toContain('spike: ');
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
      await server.stop();
    }
  });
});
