import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of its own for each test, gone afterwards. */
export function freshFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ftpc-store-')));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
