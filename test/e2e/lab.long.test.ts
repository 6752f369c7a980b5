import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOUR } from '../../src/dash/lab/tour.ts';
import { violations } from '../dash/axe.ts';
import {
  launch,
  openPage,
  plot,
  type Started,
  serve,
  settled,
  shownRuns,
} from '../dash/browser.ts';
import { eos, startEos, temporaryFolder } from '../setup/eos.ts';
import { describeWith } from '../setup/parts.ts';
import { expectSameRun } from '../sinks/read-back.ts';

const act = (page: Page, name: string) => page.locator(`.lab [data-act=${name}]`);
const stepOf = (page: Page) => page.locator('.lab').evaluate((lab) => Number(lab.dataset.step));

/** Waits until the run stands, at a step from this one on. */
const stands = (page: Page, step = 0) =>
  page.waitForFunction((least) => {
    const lab = document.querySelector<HTMLElement>('.lab');
    return lab?.dataset.playing === 'false' && Number(lab.dataset.step) >= least;
  }, step);

/** Plays at this many steps a second, 10 to so many, until there is such a step, and pauses. */
async function playTo(page: Page, step: number, power = 3.5): Promise<void> {
  await act(page, 'speed').fill(String(power));
  await act(page, 'play').click();
  await page.waitForFunction(
    (least) => Number(document.querySelector<HTMLElement>('.lab')?.dataset.step) >= least,
    step,
  );
  await act(page, 'play').click();
  await stands(page, step);
  await settled(page);
}

describeWith(['chromium'], 'the lab', () => {
  let browser: Browser;
  let server: Started;
  beforeAll(async () => {
    server = await serve([]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  const open = (lab: string, options: Parameters<typeof openPage>[2] = {}) =>
    openPage(browser, `${server.url}?refresh=0&lab=${encodeURIComponent(lab)}`, options);

  test('a newcomer presses play, and sees the edge come and what happens there', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0`);
    await page.locator('[data-act=lab]').click();
    await page.locator('.lab').waitFor();
    await playTo(page, 3000);
    expect(await page.locator('.lab-words').textContent()).toMatch(
      /^Step [\d,]+\. (Edge of stability, (sharpening|self-stabilization)): .*2\/η = 40/,
    );
    // The run is drawn in the panels that files are shown in, up to where it stands.
    const drawn = await plot(page, 'sharpness').getAttribute('data-drawn');
    // Beside the sample run, of 10,000 steps.
    expect(drawn).toBe(`0:${Math.max(10_000, await stepOf(page))}`);
    expect(problems).toEqual([]);
    await page.close();
  });

  describe.each([
    ['preset=three-phases;eta=1/15', 2500],
    ['preset=plain', 1200],
    ['preset=figure3;samples=50;seed=3', 800],
    ['optimizer=momentum;momentum=0.5', 900],
    ['preset=gradient-flow', 500],
    ['model=mlp;layers=1-10-1;eta=0.1', 60],
    ['model=mlp;preset=sgd;layers=1-6-6-1', 60],
  ])('%s', (lab, step) => {
    test('saves the very rows of the command that it tells', async () => {
      const { page, problems } = await open(lab);
      await playTo(page, step, lab.startsWith('model') ? 2 : 3.5);
      await act(page, 'command').click();
      const command = (await page.locator('.lab-command').textContent())!;
      expect(command).toContain(`--steps ${await stepOf(page)} --out run.parquet`);
      const download = page.waitForEvent('download');
      await act(page, 'save').click();
      const cwd = temporaryFolder();
      const saved = join(cwd, 'saved.parquet');
      await (await download).saveAs(saved);
      const { code } = await eos(command.split(' ').slice(1), { cwd });
      expect(code).toBe(0);
      await expectSameRun(saved, join(cwd, 'run.parquet'));
      expect(problems).toEqual([]);
      await page.close();
    });
  });

  test('goes a step, to the next spike, and on from a link', async () => {
    const { page } = await open('preset=paper;eta=1/18');
    await act(page, 'step').click();
    await stands(page, 1);
    expect(await stepOf(page)).toBe(1);
    await playTo(page, 1500);
    const before = await stepOf(page);
    const words = (await page.locator('.lab-words').textContent())!;
    await act(page, 'spike').click();
    await stands(page, before + 2);
    const after = await stepOf(page);
    // Where a spike was foretold, it is the one that came: the run stands one step behind its peak.
    const told = /peaks at step ([\d,]+)/.exec(words);
    if (told) expect(after - 1).toBe(Number(told[1]!.replaceAll(',', '')));
    expect(new URL(page.url()).searchParams.get('lab')).toBe('preset=paper;eta=1/18');
    await page.close();
  });

  test('takes on a tour of seven stops, each a link, with its runs and formulas', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0&lab=&embed=1`);
    await act(page, 'tour').click();
    for (const [i, { title, formulas, runs }] of TOUR.entries()) {
      const tour = page.locator(`.tour[data-stop="${i + 1}"]`);
      await tour.waitFor();
      expect(await tour.locator('h2').textContent()).toBe(title);
      await stands(page, runs[0]!.to);
      await settled(page);
      expect(await stepOf(page)).toBe(runs[0]!.to);
      expect(new URL(page.url()).searchParams.get('tour')).toBe(String(i + 1));
      await tour.locator('summary').click();
      const sizes = await tour
        .locator('math')
        .evaluateAll((all) => all.map((each) => each.getBoundingClientRect().height));
      expect(sizes.length).toBe(formulas.length);
      expect(Math.min(...sizes)).toBeGreaterThan(10);
      await tour.locator('summary').click();
      expect(await page.locator('#controls').isVisible()).toBe(false);
      if (i + 1 < TOUR.length) await act(page, 'tour-next').click();
    }
    expect(await violations(page)).toEqual([]);
    expect(await act(page, 'tour-next').isDisabled()).toBe(true);
    await act(page, 'tour-leave').click();
    await page.waitForFunction(() => !new URL(location.href).searchParams.has('tour'));
    expect(problems).toEqual([]);
    await page.close();
  });

  test('a tour that is clicked through in a hurry stands at the last stop', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0&tour=4`);
    await act(page, 'tour-next').evaluate((next, clicks) => {
      for (let i = 0; i < clicks; i++) (next as HTMLButtonElement).click();
    }, TOUR.length - 4);
    await stands(page, TOUR.at(-1)!.runs[0]!.to);
    await settled(page);
    expect(await page.locator('.tour').getAttribute('data-stop')).toBe(String(TOUR.length));
    // Of the runs of the stops in between none is left, nor comes later.
    expect(await act(page, 'model').inputValue()).toBe('mlp');
    expect((await shownRuns(page)).length).toBe(1);
    expect(await page.locator('.lab [role=alert]').textContent()).toBe('');
    expect(problems).toEqual([]);
    await page.close();
  });

  test('a stop of the tour opens from its link, and both of its runs play to their ends', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0&tour=6`);
    await stands(page, TOUR[5]!.runs[0]!.to);
    await settled(page);
    expect(await act(page, 'which').locator('option').count()).toBe(2);
    const last = TOUR[5]!.runs[0]!.to;
    expect(await plot(page, 'sharpness').getAttribute('data-drawn')).toBe(`0:${last}`);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('η changes under way, is marked, and is taken back', async () => {
    const { page, problems } = await open('');
    await playTo(page, 2500);
    const at = await stepOf(page);
    const eta = page.locator('.lab [data-parameter=eta]');
    await eta.fill('1/12');
    await eta.press('Enter');
    await page.locator('.lab [data-act=save]:disabled').waitFor();
    await playTo(page, at + 500);
    await settled(page);
    expect(await page.locator('[data-panel=sharpness] .events').count()).toBe(1);
    expect(await page.locator('.lab-words').textContent()).toContain('2/η = 24');
    await act(page, 'undo').click();
    await page.waitForFunction(
      (step) => Number(document.querySelector<HTMLElement>('.lab')?.dataset.step) === step,
      at,
    );
    await settled(page);
    expect(await act(page, 'save').isEnabled()).toBe(true);
    expect(await page.locator('.lab-words').textContent()).toContain('2/η = 40');
    expect((await plot(page, 'sharpness').getAttribute('data-drawn'))!.split(':')[1]).toBe(
      String(at),
    );
    await eta.fill('-1');
    await eta.press('Enter');
    await page
      .locator('.lab-problem')
      .filter({ hasText: 'eta: -1 is not a positive number' })
      .waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  test('a link that means no run says so, and one is started', async () => {
    const { page } = await open('eta=-1');
    const notice = page.locator('.notice').filter({ hasText: 'eta: -1 is not a positive number' });
    await notice.waitFor();
    await page.locator('.lab').waitFor();
    expect(await stepOf(page)).toBe(0);
    await page.close();
  });

  test('a second run goes on from a step with another η, beside the first', async () => {
    const { page, problems } = await open('preset=three-phases');
    await playTo(page, 1000);
    await act(page, 'fork').click();
    await page.locator('#runs .run-row.shown').nth(1).waitFor();
    const eta = page.locator('.lab [data-parameter=eta]');
    await eta.fill('1/30');
    await eta.press('Enter');
    await page.waitForFunction(() =>
      document.querySelector('.lab-words')?.textContent?.includes('2/η = 60'),
    );
    await playTo(page, 2000);
    await page.locator('.lab [data-act=which]').selectOption('0');
    await page.waitForFunction(() =>
      document.querySelector('.lab-words')?.textContent?.includes('2/η = 40'),
    );
    expect(problems).toEqual([]);
    await page.close();
  });

  test.each([
    [1280, 'light'],
    [390, 'light'],
    [320, 'dark'],
  ] as const)(
    'fits %d px (%s), axe finds nothing, and the keyboard plays it',
    async (width, theme) => {
      const { page, problems } = await open('preset=three-phases', { width, theme });
      await act(page, 'play').focus();
      await page.keyboard.press('Enter');
      await page.waitForFunction(
        () => document.querySelector<HTMLElement>('.lab')?.dataset.playing === 'true',
      );
      await page.keyboard.press('Enter');
      await stands(page);
      await page.locator('.lab-more > summary').click();
      await settled(page);
      expect(await violations(page)).toEqual([]);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(over).toBeLessThanOrEqual(0);
      expect(problems).toEqual([]);
      await page.close();
    },
  );
});

test('eos lab prints the address of the run, and refuses what cannot be', async () => {
  const lab = startEos(['lab', '--preset', 'figure3', '--eta', '1/12', '--no-open', '--port', '0']);
  await lab.says('lab=preset=figure3;eta=');
  lab.child.kill('SIGINT');
  expect((await lab.done).code).toBe(0);
  // A preset and an optimizer that only networks have.
  const network = startEos([
    'lab',
    '--preset',
    'network',
    '--optimizer',
    'adam',
    '--no-open',
    '--port',
    '0',
  ]);
  await network.says('lab=preset=network;optimizer=adam');
  network.child.kill('SIGINT');
  expect((await network.done).code).toBe(0);
  const refused = await eos(['lab', '--eta', '-1', '--no-open']);
  expect([refused.code, refused.stderr]).toEqual([
    2,
    'eos: --eta: -1 is not a positive number; give the learning rate, such as 0.05 or 1/20\n',
  ]);
  expect((await eos(['lab', '--layers', '1-2-1', '--no-open'])).code).toBe(2);
});
