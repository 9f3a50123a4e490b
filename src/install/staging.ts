/** What installations have in common: a folder that gets its name only when it is whole. */
import { readdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { diskTooSmall } from '../diagnostics/catalogue/runtimes.js';
import { UserError } from '../diagnostics/types.js';
import { bytesText } from '../run/text.js';
import type { Host } from '../source/host.js';
import { writing } from '../store/index.js';
import { stateOf } from '../store/process-identity.js';

/** What an installation is at. `done` and `total` are bytes, where they are known. */
export interface InstallStep {
  readonly what: string;
  readonly done?: number;
  readonly total?: number;
}

/** Where an installation is put together. */
export const stagingFolder = (root: string, name: string): string => join(root, `.${name}-${process.pid}`);

/** Throws a `UserError` where fewer than `needed` bytes are free. */
export function requireSpace(folder: string, needed: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < needed)
    throw new UserError(diskTooSmall(folder, bytesText(needed), bytesText(bavail * bsize)));
}

/** Removes an installation, or what stands in its place. Throws a `UserError` where that is not allowed. */
export const removeFolder = (host: Host, folder: string, manifest: string): void =>
  writing(folder, undefined, () => {
    // without its manifest it counts as none, should this be interrupted
    if (host.stat(join(folder, manifest)) !== undefined) rmSync(join(folder, manifest));
    if (host.stat(folder) !== undefined) rmSync(folder, { recursive: true });
  });

/** Removes what installations that were killed have left. */
export function sweep(root: string): void {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  for (const name of readdirSync(root, { withFileTypes: true }).map((entry) => entry.name)) {
    const pid = /^\.[a-z]+-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && (Number(pid) === process.pid || stateOf({ pid: Number(pid) }) === 'gone'))
      discard(join(root, name));
  }
}

/** Removes as much as can be: what an installer that was killed has started may still write, and goes the next time. */
export function discard(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 2 });
  } catch {}
}

/** Gives what was put together its name; what had it before is removed. */
export function replaceFolder(from: string, to: string): void {
  const old = join(to, '..', `.old-${process.pid}`);
  writing(to, undefined, () => {
    if (statSync(to, { throwIfNoEntry: false }) !== undefined) renameSync(to, old);
    renameSync(from, to);
  });
  rmSync(old, { recursive: true, force: true });
}

export const bytesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
