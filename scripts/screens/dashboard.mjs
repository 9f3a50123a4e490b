/** Takes the pictures of the dashboard, with made-up traffic: wide and light, and of a phone in the dark. */
import { join } from 'node:path';
import { openChromium } from '../../dist/test/pipeline/serve/dashboard/chromium.js';
import { demo } from '../../dist/test/pipeline/serve/dashboard/demo.js';

const PICTURES = {
  dashboard: { viewport: { width: 1180, height: 1180 }, colorScheme: 'light' },
  'dashboard-phone': { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
};

export async function drawDashboard(folder) {
  const server = demo();
  const address = await server.app.listen({ port: 0, host: '127.0.0.1' });
  const browser = await openChromium();
  try {
    for (const [name, options] of Object.entries(PICTURES)) {
      const page = await browser.newPage(options);
      await page.goto(`${address}/dashboard`);
      await page.locator('section').first().waitFor();
      const path = join(folder, `${name}.png`);
      await page.screenshot({ path, fullPage: name === 'dashboard' });
      console.log(path);
    }
  } finally {
    await browser.close();
    await server.close();
  }
}
