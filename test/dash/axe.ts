import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Rules that the page breaks, each with where. */
export async function violations(page: Page): Promise<string[]> {
  // Put in by the driver, past the page's policy; the page itself may load no such thing.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  // All rules run; of those that are kept, axe need not tell where. Two frames before, so that what
  // a new size of the window or of a table sets off has been done.
  const results = await page.evaluate(async () => {
    await new Promise<void>((done) =>
      requestAnimationFrame(() => requestAnimationFrame(() => done())),
    );
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    return axe.run({ resultTypes: ['violations'] });
  });
  return results.violations.map(
    ({ id, impact, nodes }) =>
      `${impact} ${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  );
}
