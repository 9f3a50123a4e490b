import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { noChromium, openChromium } from './chromium.js';
import { type Demo, demo } from './demo.js';

describe(`the dashboard in a browser @long${noChromium === undefined ? '' : ` (skipped: ${noChromium})`}`, function () {
  this.timeout(60_000);
  let browser: Browser;
  const demos: Demo[] = [];
  before(async function () {
    if (noChromium !== undefined) this.skip();
    browser = await openChromium();
  });
  after(async () => {
    await browser?.close();
    for (const each of demos) await each.close();
  });

  /** A page, and what it complains about. */
  const opened = async (
    options: Parameters<Browser['newPage']>[0] = {},
    key?: string,
  ): Promise<{ readonly page: Page; readonly server: Demo; readonly problems: readonly string[] }> => {
    const server = demo(key);
    demos.push(server);
    const address = await server.app.listen({ port: 0, host: '127.0.0.1' });
    const page = await browser.newPage(options);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('401')) problems.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(address)) problems.push(`asks for ${request.url()}`);
    });
    await page.goto(`${address}/dashboard`);
    return { page, server, problems };
  };
  const overflow = (page: Page): Promise<number> =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  it('shows releases side by side, and new requests as they come', async () => {
    const { page, server, problems } = await opened({ viewport: { width: 1200, height: 900 } });
    expect(await page.locator('section h2').allInnerTexts()).to.deep.equal([
      'Release 3 current 80% of requests',
      'Release 4 canary 20% of requests',
    ]);
    const [one, other] = await Promise.all([0, 1].map((at) => page.locator('section').nth(at).boundingBox()));
    expect(one?.y).to.equal(other?.y);
    expect(await page.locator('section svg').count()).to.equal(8);
    expect(await page.locator('tbody tr th').allInnerTexts()).to.include('thumbs up');
    const requests = page
      .locator('section')
      .first()
      .locator('dl div', { hasText: /^requests/ });
    const before = Number((await requests.locator('dd').textContent())?.replaceAll(',', ''));
    server.ask('one-more');
    await requests.filter({ hasText: (before + 1).toLocaleString('en') }).waitFor();
    expect(problems).to.deep.equal([]);
    expect(await overflow(page)).to.equal(0);
    await server.app.close();
    await page.locator('#problem', { hasText: /^These figures are old/ }).waitFor();
  });

  it('puts charts side by side where one release has the whole width, rather than make them large', async () => {
    const { page } = await opened({ viewport: { width: 820, height: 900 } });
    const sections = await Promise.all([0, 1].map((at) => page.locator('section').nth(at).boundingBox()));
    expect(sections[0]?.x).to.equal(sections[1]?.x);
    const charts = await Promise.all([0, 1].map((at) => page.locator('svg').nth(at).boundingBox()));
    expect(charts[0]?.y).to.equal(charts[1]?.y);
    expect(charts[0]?.width).to.be.within(300, 480);
    expect(await overflow(page)).to.equal(0);
  });

  it('fits the width of a phone, and is dark where the system is', async () => {
    const { page, problems } = await opened({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
    expect(await overflow(page)).to.equal(0);
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).to.equal(
      'rgb(18, 22, 29)',
    );
    const boxes = await Promise.all([0, 1].map((at) => page.locator('section').nth(at).boundingBox()));
    expect(boxes[0]?.x).to.equal(boxes[1]?.x);
    expect(problems).to.deep.equal([]);
  });

  it('shows nothing without the key, and asks for it', async () => {
    const { page, problems } = await opened({}, 'sesame');
    await page.locator('#key').waitFor({ state: 'visible' });
    expect(await page.content()).not.to.include('Release 3');
    await page.locator('#key').fill('wrong');
    await page.keyboard.press('Enter');
    await page.locator('#problem', { hasText: 'The key is not right.' }).waitFor();
    await page.locator('#key').fill('sesame');
    await page.locator('button').click();
    await page.locator('section').first().waitFor();
    expect(await page.locator('#key').isVisible()).to.equal(false);
    expect(problems).to.deep.equal([]);
  });

  it('shows its figures without scripts', async () => {
    const { page } = await opened({ javaScriptEnabled: false });
    expect(await page.locator('section').count()).to.equal(2);
    expect(await page.locator('noscript meta').count()).to.equal(1);
  });

  it('has names for what is not text, and contrast that can be read', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await opened({ colorScheme });
      expect(await page.locator('svg:not([aria-label])').count()).to.equal(0);
      expect(await page.locator('svg').first().getAttribute('aria-label')).to.match(
        /^Latency in s \(of 30 s\) over 10 minutes: p50 from [\d.]+ to [\d.]+, [\d.]+ at last; p95/,
      );
      expect(await page.locator('table:not(:has(caption))').count()).to.equal(0);
      expect(await page.evaluate(CONTRASTS)).to.deep.equal([]);
    }
  });
});

/** Texts whose contrast with what is behind them is below 4.5, as WCAG 2.2 AA wants it. */
const CONTRASTS = `(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => colour.slice(0, 3).map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    const colour = rgb(getComputedStyle(element).backgroundColor);
    return colour.length === 4 && colour[3] === 0 && element.parentElement ? behind(element.parentElement) : colour;
  };
  return [...document.querySelectorAll('main *')]
    .filter((element) => element.checkVisibility() && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ''))
    .filter((element) => {
      const style = getComputedStyle(element);
      const colour = element.namespaceURI.endsWith('svg') ? style.fill : style.color;
      const [a, b] = [luminance(rgb(colour)), luminance(behind(element))].sort((one, other) => other - one);
      return (a + 0.05) / (b + 0.05) < 4.5;
    })
    .map((element) => element.outerHTML.slice(0, 80));
})()`;
