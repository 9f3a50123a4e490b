/** What installations have in common: a folder that gets its name only when it is whole. */
import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync, statfsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type InstalledFiles, MANIFEST, secondsOf } from '../../compute/libraries/damage.js';
import { runtimesFolder } from '../../compute/tensor/runtimes/tensorflow/installed.js';
import { diskTooSmall, installationRuns } from '../../language/diagnostics/catalogue/runtimes.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { discard, type OwnForm, removeEmpty, removeOwn, sweepOwn } from '../../language/host/own-files.js';
import { stateOf } from '../../language/host/process-identity.js';
import { bytes as bytesText } from '../../pipeline/planner/quantities.js';
import { syncFile, syncFolder, takeLock, writeWhole, writing } from '../../pipeline/store/index.js';
import { digestOf } from './transfer.js';

/** What an installation is at. `done` and `total` are bytes, where they are known. */
export interface InstallStep {
  readonly what: string;
  readonly done?: number;
  readonly total?: number;
}

/** What is installed as a whole. */
export interface Installable {
  /** Of its folder. */
  readonly name: string;
  /** As people call it. */
  readonly title: string;
  /** Names of what an installation keeps for the next try, next to its folder. */
  readonly kept?: readonly string[];
}

/**
 * Installs or removes a runtime while no other process does. `work` puts it together in a folder that goes with its end,
 * and what installations that were killed have left is removed. Throws a `UserError` that names the other process, or what
 * the disk refuses.
 */
export async function alone<T>(
  host: Host,
  { name, title }: Installable,
  work: (staging: string) => T | Promise<T>,
): Promise<T> {
  const root = runtimesFolder(host);
  const held = (_: string, holder: string): Diagnostic => installationRuns(title, holder);
  const lock = await takeLock({ root, lock: join(root, `.${name}.lock`), held }, randomUUID(), host.now);
  const staging = join(root, `.${name}-${process.pid}`);
  try {
    sweep(root, name);
    return await work(staging);
  } catch (error) {
    return writing((error as NodeJS.ErrnoException).path ?? root, undefined, () => {
      throw error;
    });
  } finally {
    discard(staging);
    lock.release();
  }
}

/** Throws a `UserError` if fewer than `needed` bytes are free. */
export function requireSpace(folder: string, needed: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < needed)
    throw new UserError(diskTooSmall(folder, bytesText(needed), bytesText(bavail * bsize)));
}

/**
 * Removes a runtime from its folder, with everything that an installation left; whether there was one. Throws a `UserError`
 * if that is not allowed.
 */
export async function removeRuntime(host: Host, what: Installable, folder: string): Promise<boolean> {
  if (host.stat(runtimesFolder(host))?.isFolder !== true) return false;
  return alone(host, what, () => {
    const was = host.stat(folder) !== undefined;
    const manifest = join(folder, MANIFEST);
    writing(folder, undefined, () => {
      // without its manifest it counts as none, should this be interrupted
      removeOwn(manifest, { name: /^/, kinds: ['file'] });
      removeOwn(folder, FOLDER);
    });
    for (const kept of what.kept ?? []) removeOwn(join(runtimesFolder(host), kept), FOLDER);
    return was;
  });
}

/** Removes wheels that were fetched, and their folder where nothing else is in it. */
export function removeWheels(downloads: string, isMeant: (name: string) => boolean = () => true): void {
  for (const name of readdirSync(downloads))
    if (isMeant(name)) removeOwn(join(downloads, name), { name: /\.whl$/, kinds: ['file'] });
  removeEmpty(downloads);
}

/** Adds the manifest to what was put together, and gives it the place of what was there. */
export function finish<M>(staging: string, folder: string, manifest: M): M {
  writeWhole(join(staging, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { sync: true });
  replaceFolder(staging, folder);
  return manifest;
}

/** A runtime, by its name; a file there is in its way. */
const FOLDER: OwnForm = { name: /^/, kinds: ['folder', 'file'] };

/** What an installation puts together or replaces, and its locks; the groups say which runtime's, and by which process. */
const LEFT: OwnForm = {
  name: /^\.([a-z.]+?)(?:-(\d+)(?:\.old)?|\.lock\.(?:stale\.)?(\d+)(?:\.[\w-]+)?)$/,
  kinds: ['folder', 'file'],
};

/**
 * Of this runtime all, as it is nobody's while the lock is held, and of the others what a process that is gone has left.
 * What an installer that was killed has started may still write, and goes the next time.
 */
function sweep(root: string, name: string): void {
  for (const left of readdirSync(root)) {
    const [, runtime, folder, lock] = LEFT.name.exec(left) ?? [];
    const isGone = (pid: string | undefined): boolean =>
      pid !== undefined && stateOf({ pid: Number(pid) }) === 'gone';
    if ((folder !== undefined && runtime === name) || isGone(folder ?? lock))
      sweepOwn(join(root, left), LEFT);
  }
}

/** Gives what was put together its name; what had it before is removed. */
function replaceFolder(from: string, to: string): void {
  const old = `${from}.old`;
  writing(to, undefined, () => {
    if (statSync(to, { throwIfNoEntry: false }) !== undefined) renameSync(to, old);
    renameSync(from, to);
    syncFolder(dirname(to));
  });
  discard(old);
}

/** All files below a folder, once each is on the disk for good. Throws what the system says, or the signal's reason. */
export async function filesIn(folder: string, signal: AbortSignal): Promise<InstalledFiles> {
  const found: Record<string, InstalledFiles[string]> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    signal.throwIfAborted();
    const path = join(entry.parentPath, entry.name);
    syncFile(path);
    const { size, mtimeMs } = statSync(path);
    found[relative(folder, path).replaceAll('\\', '/')] = {
      bytes: size,
      sha256: await digestOf(path),
      modified: secondsOf(mtimeMs),
    };
  }
  return found;
}

export const bytesOf = (files: InstalledFiles): number =>
  Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
