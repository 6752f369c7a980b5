import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labRun } from '../../src/dash/lab/lab-run.ts';
import { TOUR } from '../../src/dash/lab/tour.ts';
import { violations } from '../dash/axe.ts';
import {
  address,
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
import { expectSameRun, readBack } from '../sinks/read-back.ts';

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

  test('a newcomer presses play, and sees a spike foretold and come within 90 s', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0`);
    const start = performance.now();
    await page.locator('[data-act=lab]').click();
    await page.locator('.lab').waitFor();
    await act(page, 'play').click();
    const foretold = await page.waitForFunction(() => {
      const words = document.querySelector('.lab-words')?.textContent ?? '';
      return /The next spike peaks at step ([\d,]+)/.exec(words)?.[1];
    });
    const peak = Number((await foretold.jsonValue())!.replaceAll(',', ''));
    // At the speed that nobody has set, whatever the machine: half a minute.
    expect(peak / 10 ** Number(await act(page, 'speed').inputValue())).toBeLessThan(30);
    // It comes when it was said: then the words tell of it, and it is drawn.
    await page.waitForFunction((step) => {
      const lab = document.querySelector<HTMLElement>('.lab');
      const drawn = document.querySelector<HTMLElement>('[data-panel=split] .plot')?.dataset.drawn;
      return Number(lab?.dataset.step) > step && Number(drawn?.split(':')[1]) > step;
    }, peak);
    const seconds = (performance.now() - start) / 1000;
    process.stdout.write(`newcomer: a spike foretold and seen after ${seconds.toFixed(1)} s\n`);
    await act(page, 'play').click();
    await stands(page, peak);
    await settled(page);
    expect(await page.locator('.lab-words').textContent()).toMatch(
      /^Step [\d,]+\. Edge of stability, .*2\/η = 40/,
    );
    const l1 = await page.locator('[data-panel=split] .plot').getAttribute('data-y');
    expect(l1).toBeTruthy();
    // Its rows have all that the panels read, so none is said to lack values.
    expect(await page.locator('.missing').isVisible()).toBe(false);
    expect(problems).toEqual([]);
    await page.close();
  }, 600_000);

  describe.each([
    ['preset=paper', 1000],
    ['preset=three-phases', 2500],
    ['preset=plain', 1200],
    ['preset=figure3', 800],
    ['preset=gradient-flow', 500],
    ['preset=three-phases;eta=1/15;samples=50;seed=3', 800],
    ['optimizer=momentum;momentum=0.5', 900],
    ['model=mlp;layers=1-10-1;eta=0.1;also=gradient-flow,edge', 60],
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
      const args = [...command.split(' ').slice(1), '--arrow', 'run.arrow'];
      const { code } = await eos(args, { cwd });
      expect(code).toBe(0);
      await expectSameRun(saved, join(cwd, 'run.parquet'));
      const arrow = page.waitForEvent('download');
      await act(page, 'save-arrow').click();
      await (await arrow).saveAs(join(cwd, 'saved.arrow'));
      await expectSameRun(join(cwd, 'saved.arrow'), join(cwd, 'run.arrow'));
      expect(problems).toEqual([]);
      await page.close();
    });
  });

  test('goes a step, to the next spike, and on from a link', async () => {
    const { page } = await open('preset=paper;eta=1/18');
    await act(page, 'step').click();
    await stands(page, 1);
    expect(await stepOf(page)).toBe(1);
    // While it plays the key figures may lag; where it stands they are those of its row.
    for (const [step, power] of [
      [8, 1],
      [1500, 3.5],
    ] as const) {
      await playTo(page, step, power);
      const exact = labRun({ preset: 'paper', eta: '1/18' });
      exact.advance((await stepOf(page)) + 1);
      const loss = page.locator('[data-tile=final-loss] .figure');
      await expect.poll(() => loss.getAttribute('data-value')).toBe(String(exact.last('loss')));
    }
    const before = await stepOf(page);
    const words = (await page.locator('.lab-words').textContent())!;
    await act(page, 'spike').click();
    await stands(page, before + 2);
    const after = await stepOf(page);
    // Where a spike was foretold, it is the one that came: the run stands one step behind its peak.
    const told = /peaks at step ([\d,]+)/.exec(words);
    if (told) expect(after - 1).toBe(Number(told[1]!.replaceAll(',', '')));
    // The link tells how far it is, and opens there.
    const link = `preset=paper;eta=1/18;at=${after}`;
    await page.waitForFunction(
      (lab) => new URL(location.href).searchParams.get('lab') === lab,
      link,
    );
    await page.close();
    const { page: second } = await open(link);
    expect(await stepOf(second)).toBe(after);
    await second.close();
  });

  test('takes on a tour of seven stops, each a link, with its runs and formulas', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0&lab=&embed=1`);
    await act(page, 'tour').click();
    for (const [i, { title, formulas, runs }] of TOUR.entries()) {
      const tour = page.locator(`.tour[data-stop="${i + 1}"]`);
      await tour.waitFor();
      expect(await tour.locator('h2').textContent()).toBe(title);
      // Faster, and yet no further than to the end of the stop.
      await page.locator(`.tour[data-begun="${i + 1}"]`).waitFor();
      await act(page, 'speed').fill('7.5');
      await stands(page, runs[0]!.to);
      await settled(page);
      expect(await stepOf(page)).toBe(runs[0]!.to);
      expect(new URL(await address(page)).searchParams.get('tour')).toBe(String(i + 1));
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

  test('each stop of the tour fits 320 px with its formulas', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0&tour=1`, {
      width: 320,
    });
    for (const [i] of TOUR.entries()) {
      const tour = page.locator(`.tour[data-stop="${i + 1}"]`);
      await tour.waitFor();
      if (i === 0) await tour.locator('summary').click();
      await tour.locator('.formulas math').first().waitFor();
      // No line ends within a quotient or an option.
      const lines = await page
        .locator('.lab .whole')
        .evaluateAll((all) => all.map((each) => each.getClientRects().length));
      expect(new Set(lines.filter((count) => count > 1)), `stop ${i + 1}`).toEqual(new Set());
      if (i === 0) expect(lines.length).toBeGreaterThan(0);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(over, `stop ${i + 1}`).toBeLessThanOrEqual(0);
      const cut = await tour
        .locator('.formulas')
        .evaluate((box) => box.scrollWidth - box.clientWidth);
      expect(cut, `formulas of stop ${i + 1}`).toBeLessThanOrEqual(0);
      if (i + 1 < TOUR.length) await act(page, 'tour-next').click();
    }
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

  test('a stop of the tour opens from its link, and both its runs play to the end', async () => {
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
    await page.locator('.lab [data-act=command]:disabled').waitFor();
    await playTo(page, at + 500);
    await settled(page);
    expect(await page.locator('[data-panel=sharpness] .events').count()).toBe(1);
    expect(await page.locator('.lab-words').textContent()).toContain('2/η = 24');
    // What holds of the last learning rate alone is not drawn over all steps.
    const band = page.locator('[data-panel=sharpness] .regime-band > *');
    expect(await band.count()).toBe(0);
    await page.locator('.lab-folds summary', { hasText: 'Formulas' }).click();
    expect(await page.locator('.lab-folds math').count()).toBe(7);
    expect(await violations(page)).toEqual([]);
    await act(page, 'undo').click();
    await page.waitForFunction(
      (step) => Number(document.querySelector<HTMLElement>('.lab')?.dataset.step) === step,
      at,
    );
    await settled(page);
    expect(await act(page, 'command').isEnabled()).toBe(true);
    expect(await page.locator('.lab-words').textContent()).toContain('2/η = 40');
    expect(await band.count()).toBe(1);
    expect((await plot(page, 'sharpness').getAttribute('data-drawn'))!.split(':')[1]).toBe(
      String(at),
    );
    await eta.fill('-1');
    await eta.press('Enter');
    await page
      .locator('.lab-problem')
      .filter({ hasText: /^eta: -1 is not a positive/ })
      .waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  test.each([
    ['', 'paper'],
    ['model=mlp;layers=1-4-1', 'network'],
    ['preset=figure3', 'figure3'],
  ])('the run %s says that it begins with the preset %s', async (lab, preset) => {
    const { page } = await open(lab);
    expect(await page.locator('.lab [data-parameter=preset]').inputValue()).toBe(preset);
    await page.close();
  });

  test('a slider that moves on is drawn as the run of its link, with its figures', async () => {
    const { page, problems } = await open('preset=three-phases;at=3000');
    await act(page, 'whole').check();
    /** The figures, what values the plots show, and what the controls say. */
    const shown = (of: Page) =>
      of.evaluate(() => [
        ...[...document.querySelectorAll('.tile')].map((tile) => tile.textContent),
        ...[...document.querySelectorAll<HTMLElement>('.panel .plot')].map(
          ({ dataset: { drawn, y } }) => `${drawn} ${y}`,
        ),
        ...[...document.querySelectorAll('svg.main, .range-picture svg')].map((svg) =>
          svg.outerHTML.replace(/plot-clip-\d+/g, 'clip'),
        ),
        ...[...document.querySelectorAll('.legend, .run-row, [data-act=phase] option')].map(
          (each) => each.textContent,
        ),
        document.querySelector<HTMLElement>('.run-row.shown .run-name')?.title,
        document.querySelector('.lab-words')?.textContent,
        document.querySelector<HTMLInputElement>('[data-parameter=eta]')?.value,
      ]);
    const slide = async (place: string) => {
      await page.locator('[data-slider=eta]').fill(place);
      await page.waitForFunction(
        (eta) => new URL(location.href).searchParams.get('lab')?.includes(`eta=${eta}`),
        String(Number((10 ** Number(place) / 20).toPrecision(3))),
      );
    };
    await slide('-0.1');
    await settled(page);
    const kept = await page.evaluateHandle(() => [
      ...document.querySelectorAll('[data-tile=max-ratio] .figure, .run-row, svg.main'),
    ]);
    expect(await kept.evaluate((elements) => elements.length)).toBeGreaterThan(5);
    // What says the same stays as it is: written anew, it would be laid out anew.
    const written = await page.evaluateHandle(() => {
      const found: string[] = [];
      const value = Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value')!;
      Object.defineProperty(HTMLSelectElement.prototype, 'value', {
        ...value,
        set(this: HTMLSelectElement, chosen: string) {
          if (this.value === chosen) found.push(`${this.outerHTML} ${chosen}`);
          value.set!.call(this, chosen);
        },
      });
      const watcher = new MutationObserver((changes) => {
        for (const { target } of changes) found.push(target.textContent ?? '');
      });
      for (const same of document.querySelectorAll('title, .menu-items, [data-act=play]'))
        watcher.observe(same, { childList: true, characterData: true, subtree: true });
      return found;
    });
    for (const place of ['-0.2', '-0.3', '0.1']) await slide(place);
    await settled(page);
    const link = new URL(await address(page)).searchParams.get('lab')!;
    expect(link).toBe('preset=three-phases;eta=0.0629;at=3000');
    const { page: second } = await open(link);
    expect(await shown(page)).toEqual(await shown(second));
    expect(await written.jsonValue()).toEqual([]);
    // What only says something else is written anew, not made anew.
    expect(await kept.evaluate((all) => all.every(({ isConnected }) => isConnected))).toBe(true);
    expect(problems).toEqual([]);
    await page.close();
    await second.close();
  });

  test('a run starts anew with its own parameters, and Undo brings it back', async () => {
    const { page, problems } = await open('preset=three-phases;eta=0.06;at=700');
    const words = page.locator('.lab-words');
    const before = await words.textContent();
    await act(page, 'anew').click();
    await words.filter({ hasText: /^Step 0\. Progressive sharpening: / }).waitFor();
    await settled(page);
    expect(new URL(await address(page)).searchParams.get('lab')).toBe(
      'preset=three-phases;eta=0.06',
    );
    expect((await plot(page, 'sharpness').getAttribute('data-drawn'))!.split(':')[1]).not.toBe(
      '700',
    );
    await act(page, 'undo').click();
    await stands(page, 700);
    await settled(page);
    expect(await words.textContent()).toBe(before);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('another optimizer takes over under way, and the file tells of it', async () => {
    const { page, problems } = await open('preset=paper;at=1500');
    await page.locator('.lab-more > summary').click();
    await page.locator('.lab [data-parameter=optimizer]').selectOption('momentum');
    const beta = page.locator('.lab [data-parameter=momentum]');
    await page.waitForFunction(() =>
      document.querySelector('.lab-words')?.textContent?.includes('(2 + 2β)/η = 76'),
    );
    await beta.fill('0.5');
    await beta.press('Enter');
    await page.waitForFunction(() =>
      document.querySelector('.lab-words')?.textContent?.includes('(2 + 2β)/η = 60'),
    );
    await playTo(page, 1800);
    const at = await stepOf(page);
    expect(await page.locator('[data-panel=sharpness] .events').count()).toBe(1);
    const link = new URL(await address(page)).searchParams.get('lab');
    expect(link).toBe(`preset=paper;at=1500;optimizer=momentum;momentum=0.5;at=${at}`);
    const cwd = temporaryFolder();
    const saved = join(cwd, 'changed.parquet');
    const download = page.waitForEvent('download');
    await act(page, 'save').click();
    await (await download).saveAs(saved);
    const file = await readBack(saved);
    expect(file.rows).toBe(at + 1);
    const config = JSON.parse(file.metadata['eos.config']!);
    expect(config).toMatchObject({
      ...{ optimizer: 'gd', steps: at },
      changes: [{ after: 1500, options: { optimizer: 'momentum', momentum: '0.5' } }],
    });
    expect(file.metadata['eos.summary']).toBe(undefined);
    const verified = await eos(['verify', saved]);
    expect([verified.code, verified.stderr]).toEqual([2, expect.stringContaining('changes')]);
    // The same run from its link is the same file.
    const { page: second } = await open(link!);
    const again = second.waitForEvent('download');
    await act(second, 'save').click();
    await (await again).saveAs(join(cwd, 'again.parquet'));
    expect(readFileSync(join(cwd, 'again.parquet')).equals(readFileSync(saved))).toBe(true);
    expect(problems).toEqual([]);
    await page.close();
    await second.close();
  });

  test('the start is dragged in the plane, moved by keys, and Undo takes it back', async () => {
    const { page, problems } = await open('preset=three-phases;at=800');
    const init = page.locator('.lab [data-parameter=init]');
    await page.locator('.lab-more > summary').click();
    const before = await init.inputValue();
    const changedFrom = (value: string) =>
      page.waitForFunction(
        (old) =>
          document.querySelector<HTMLInputElement>('[data-parameter=init]')?.value !== old &&
          document.documentElement.dataset.busy === 'false',
        value,
      );
    const start = page.locator('.plane-start');
    await start.focus();
    await page.keyboard.press('ArrowUp');
    await changedFrom(before);
    const up = (await init.inputValue()).split(',').map(Number);
    expect(up[0]).toBeGreaterThan(0.3);
    expect(up.slice(1)).toEqual([0.1, 0.3]);
    expect(await start.getAttribute('aria-label')).toContain(`α ${up[0]}`);
    expect(await stepOf(page)).toBe(800);
    await settled(page);
    await start.scrollIntoViewIfNeeded();
    const box = (await start.boundingBox())!;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 40, y, { steps: 4 });
    await page.mouse.up();
    await changedFrom(up.join(','));
    await settled(page);
    const dragged = (await init.inputValue()).split(',').map(Number);
    expect(dragged[2]).toBeGreaterThan(0.3);
    expect(dragged[1]).toBe(0.1);
    for (let i = 0; i < 4 && (await init.inputValue()) !== before; i++) {
      const now = await init.inputValue();
      await act(page, 'undo').click();
      await changedFrom(now);
      await settled(page);
    }
    expect(await init.inputValue()).toBe(before);
    expect(await stepOf(page)).toBe(800);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('dynamics go along, and runs of different η go side by side over ηt', async () => {
    const { page, problems } = await open('preset=three-phases;also=central;at=600');
    const flow = page.locator('[data-along=gradient-flow]');
    // What is drawn before the worker has it does not take the choice back.
    const stays = await flow.evaluate((box: HTMLInputElement) => {
      box.click();
      document.querySelector('[data-act=speed]')!.dispatchEvent(new Event('input'));
      return box.checked;
    });
    expect(stays).toBe(true);
    for (const name of ['central', 'gradient-flow'])
      await page.locator(`[data-panel=plane] [data-series=${name}]`).waitFor();
    expect(await violations(page)).toEqual([]);
    await act(page, 'command').click();
    expect(await page.locator('.lab-command').textContent()).toContain(
      '--also gradient-flow,central',
    );
    // They begin again with the run.
    await page.locator('.lab-more > summary').click();
    const lambda = page.locator('.lab [data-parameter=lambda1]');
    await lambda.fill('90');
    await lambda.press('Enter');
    await page.waitForFunction(() =>
      new URL(location.href).searchParams.get('lab')?.includes('lambda1=90'),
    );
    await settled(page);
    expect(await page.locator('[data-along]:checked').count()).toBe(2);
    await page.locator('[data-panel=plane] [data-series=central]').waitFor();
    await act(page, 'compare').click();
    await page.waitForFunction(
      () => document.querySelectorAll('[data-act=which] option').length === 2,
    );
    const eta = page.locator('.lab [data-parameter=eta]');
    await eta.fill('1/40');
    await eta.press('Enter');
    await page.waitForFunction(() =>
      document.querySelector('.lab-words')?.textContent?.includes('2/η = 80'),
    );
    expect(await stepOf(page)).toBe(0);
    await playTo(page, 1500);
    expect(new URL(await address(page)).searchParams.get('x')).toBe('time');
    // The one of half the learning rate has taken twice as many steps.
    await page.waitForFunction(() =>
      new URL(location.href).searchParams.get('lab')?.includes(';;'),
    );
    await settled(page);
    const steps = new URL(await address(page)).searchParams
      .get('lab')!
      .split(';;')
      .map((run) => Number(/at=(\d+)$/.exec(run)![1]));
    expect(steps[1]! / steps[0]!).toBeGreaterThan(1.5);
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  test.each([
    ['eta=-1', 'link: eta: -1 is not a positive number'],
    ['preset=paper;at=1000000000000', 'at: step 1,000,000,000,000 is too far to be computed anew'],
    ['model=mlp;layers=1-99999-99999-1', 'link: such a run needs more memory than there is'],
  ])('the link %s means no run, which is said, and one is started', async (lab, text) => {
    const { page } = await open(lab);
    await page.locator('.notice').filter({ hasText: text }).waitFor();
    await page.locator('.lab').waitFor();
    expect(await stepOf(page)).toBe(0);
    await page.close();
  });

  test('one file on disk has the lab in it, without a server', async () => {
    const cwd = temporaryFolder();
    const [run, file] = [join(cwd, 'run.parquet'), join(cwd, 'page.html')];
    expect((await eos(['stream', '--steps', '20', '--out', run, '--quiet'])).code).toBe(0);
    const args = ['dash', 'build', '--data', run, '--single-file', '--out', file, '--quiet'];
    expect((await eos(args)).code).toBe(0);
    const lab = encodeURIComponent('model=mlp;layers=1-6-1;at=20');
    const { page, problems } = await openPage(browser, `${pathToFileURL(file).href}#lab=${lab}`);
    await page.locator('.lab').waitFor();
    expect(await stepOf(page)).toBe(20);
    const download = page.waitForEvent('download');
    await act(page, 'save').click();
    await (await download).saveAs(join(cwd, 'saved.parquet'));
    expect((await readBack(join(cwd, 'saved.parquet'))).rows).toBe(21);
    expect(problems).toEqual([]);
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
    expect(await violations(page)).toEqual([]);
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
      // What stands beside the bar of steps is in its frame.
      const room = await page.evaluate(() => {
        const right = (each: string) => document.querySelector(each)!.getBoundingClientRect().right;
        return right('.range-dock') - right('.range-dock [data-act=reset] svg');
      });
      expect(room).toBeGreaterThan(0);
      expect(problems).toEqual([]);
      await page.close();
    },
  );

  describe('axe finds nothing', () => {
    const STATES = [
      '',
      'model=mlp;layers=1-6-1;at=30',
      'preset=three-phases;also=gradient-flow,constrained,central,edge;at=600',
      'preset=paper;at=800;eta=1/12;at=1200;optimizer=momentum;momentum=0.5;at=1500',
      'preset=three-phases;at=600;;preset=three-phases;eta=1/40;at=1200',
    ].map((lab) => `lab=${encodeURIComponent(lab)}`);
    const stops = TOUR.map((_, i) => `tour=${i + 1}`);
    const LOOKS = [
      ['dark', 'none', 390],
      ['light', 'active', 1440],
    ] as const;
    test.each([...STATES, ...stops, 'lab=&embed=1'])(
      'in ?%s, standing, and open and playing in the dark and in forced colours',
      async (link) => {
        const { page, problems } = await openPage(browser, `${server.url}?refresh=0&${link}`);
        await stands(page);
        await settled(page);
        expect(await violations(page)).toEqual([]);
        for (const fold of await page.locator('.lab summary:visible').all()) await fold.click();
        await act(page, 'speed').fill('0');
        await act(page, 'play').click();
        await page.waitForFunction(
          () => document.querySelector<HTMLElement>('.lab')?.dataset.playing === 'true',
        );
        for (const [colorScheme, forcedColors, width] of LOOKS) {
          await page.emulateMedia({ colorScheme, forcedColors });
          await page.setViewportSize({ width, height: 900 });
          expect(await violations(page)).toEqual([]);
          const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          expect(over).toBeLessThanOrEqual(0);
        }
        expect(problems).toEqual([]);
        await page.close();
      },
    );
  });

  test('the keyboard alone opens the lab, plays, changes, forks, and takes the tour', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0`);
    const { keyboard } = page;
    const focused = () =>
      page.evaluate(() => {
        const { activeElement } = document;
        const { act, parameter, slider, along } = (activeElement as HTMLElement).dataset;
        return act ?? parameter ?? slider ?? along ?? activeElement?.textContent ?? '';
      });
    /** Goes to a control: by Tab from row to row, and within each by arrow keys. */
    async function to(name: string): Promise<void> {
      await page.evaluate(() => (document.activeElement as HTMLElement).blur());
      for (let stop = 0; stop < 60; stop++) {
        await keyboard.press('Tab');
        let now = await focused();
        let before: string | undefined;
        for (let i = 0; i < 40; i++) {
          if (now === name) return;
          const roves = await page.evaluate(
            () =>
              document.activeElement?.matches('button, select, summary, [type=checkbox]') &&
              !document.activeElement.closest('.panel, #rangebar, #runs'),
          );
          if (!roves || now === before) break;
          before = now;
          // A row is entered where it was left.
          await keyboard.press(i === 0 ? 'Home' : 'ArrowRight');
          now = await focused();
          if (i === 0) before = undefined;
        }
      }
      throw new Error(`no key leads to ${name}`);
    }
    await to('lab');
    await keyboard.press('Enter');
    await page.locator('.lab').waitFor();
    await to('play');
    await keyboard.press('Enter');
    await page.waitForFunction(
      () => Number(document.querySelector<HTMLElement>('.lab')?.dataset.step) > 50,
    );
    await keyboard.press('Enter');
    await stands(page, 50);
    await to('eta');
    await keyboard.press('Control+A');
    await keyboard.type('1/15');
    await keyboard.press('Enter');
    const says = (text: string) => page.locator('.lab-words').filter({ hasText: text }).waitFor();
    await says('2/η = 30');
    await to('undo');
    await keyboard.press('Enter');
    await says('2/η = 40');
    await to('fork');
    await keyboard.press('Enter');
    await page.locator('[data-act=which] option').nth(1).waitFor({ state: 'attached' });
    await to('Data, start and optimizer');
    await keyboard.press('Enter');
    await page.locator('.lab-more[open]').waitFor();
    await to('tour');
    await keyboard.press('Enter');
    await page.locator('.tour[data-begun="1"]').waitFor();
    await to('tour-next');
    await keyboard.press('Enter');
    await page.locator('.tour[data-begun="2"]').waitFor();
    await to('tour-leave');
    await keyboard.press('Enter');
    await page.waitForFunction(() => !new URL(location.href).searchParams.has('tour'));
    expect(problems).toEqual([]);
    await page.close();
  });

  test('a run that goes on and on needs no more memory, nor elements', async () => {
    const { page } = await open('preset=three-phases');
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    async function used(): Promise<{ readonly heap: number; readonly nodes: number }> {
      await session.send('HeapProfiler.collectGarbage');
      const { metrics } = await session.send('Performance.getMetrics');
      const of = (name: string) => metrics.find((each) => each.name === name)!.value;
      return { heap: of('JSHeapUsedSize'), nodes: of('Nodes') };
    }
    await playTo(page, 3_000_000, 7.5);
    const first = await used();
    await playTo(page, 15_000_000, 7.5);
    const second = await used();
    expect(second.heap).toBeLessThan(1.3 * first.heap + 2e6);
    expect(second.nodes).toBeLessThan(1.3 * first.nodes + 1000);
    await page.close();
  });

  test('Tab stops fewer than 30 times beside the table, arrow keys reach all else', async () => {
    const { page } = await open('preset=three-phases;at=300');
    const focused = () =>
      page.evaluate(() => {
        const { activeElement: element, body } = document;
        if (!element || element === body) return undefined;
        return {
          name: element.getAttribute('aria-label') ?? element.textContent,
          listed: element.closest('#runs') !== null,
          roves: element.matches('.lab :is(button, select, summary, [type=checkbox])'),
        };
      });
    const press = async (key: string) => {
      await page.keyboard.press(key);
      return focused();
    };
    let stops = 0;
    for (let stop = await press('Tab'); stop; stop = await press('Tab')) if (!stop.listed) stops++;
    expect(stops).toBeGreaterThan(20);
    expect(stops).toBeLessThan(30);
    const reached: string[] = [];
    for (const first of ['play', 'model']) {
      await act(page, first).focus();
      const last = first === 'play' ? 'Tour' : 'Formulas';
      for (let i = 0; i < 30 && reached.at(-1) !== last; i++) {
        const there = await press('ArrowRight');
        expect(there?.roves).toBe(true);
        reached.push(there!.name);
      }
      expect(reached.at(-1)).toBe(last);
    }
    for (const name of ['Fork here', 'Save Arrow', 'Data, start and optimizer'])
      expect(reached).toContain(name);
    expect(reached.length).toBeGreaterThan(15);
    await page.close();
  });
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
