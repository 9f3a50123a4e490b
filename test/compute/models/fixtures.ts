import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root, from the compiled test's place in a build folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');

export function fixturePath(name: string): string {
  return join(root, 'test', 'fixtures', name);
}

export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(fixturePath(name), 'utf8')) as T;
}

export function readFixtureBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(fixturePath(name)));
}
