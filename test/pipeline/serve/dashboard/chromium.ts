/** The Chromium of the system; tests that need one say so where there is none. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];

function chromiumPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why there is none to test with; `undefined` where there is one. */
export const noChromium: string | undefined =
  chromiumPath() === undefined ? `none of ${NAMES.join(', ')} is in PATH` : undefined;

/** Without its sandbox, which root may not have: it shows only pages of these tests. */
export const openChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath() ?? '', chromiumSandbox: process.getuid?.() !== 0 });
