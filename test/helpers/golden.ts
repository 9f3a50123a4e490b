import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../src/language/host/node-host.js';

const root = nodeHost().packageFolder;

/** Compares with a committed file, by its path in the repository; `UPDATE_GOLDEN=1` writes it instead. */
export function expectGolden(path: string, actual: string): void {
  const file = join(root, path);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(file), { recursive: true });
    if (!existsSync(file) || readFileSync(file, 'utf8') !== actual) writeFileSync(file, actual);
    return;
  }
  expect(existsSync(file), `${path} is missing: run the tests with UPDATE_GOLDEN=1`).to.equal(true);
  expect(actual, `${path} (UPDATE_GOLDEN=1 writes it)`).to.equal(readFileSync(file, 'utf8'));
}
