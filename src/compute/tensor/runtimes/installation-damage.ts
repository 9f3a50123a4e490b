/** Whether an installation is intact: damaged native code ends the process that loads it, without a message. */
import { join } from 'node:path';
import { digestOf } from '../../../language/host/digests.js';
import { type Host, HostError } from '../../../language/host/host.js';

/** Describes an installation, in its folder: written last, and does not list itself. */
export const MANIFEST = 'manifest.json';

/** A file as it was installed. */
export interface InstalledFile {
  readonly bytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
  /** When it was last changed, in whole seconds since the epoch, which copies and archives keep. */
  readonly modified: number;
}

/** By their paths in the folder; manifests of earlier versions have none, and are trusted. */
export type InstalledFiles = Readonly<Record<string, InstalledFile>>;

/** `changed`: reads only files that were modified since, which is fast; `all`: every file. */
export type Look = 'changed' | 'all';

export const areFiles = (value: unknown): boolean =>
  value === undefined ||
  (typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((file) => typeof (file as InstalledFile | null)?.sha256 === 'string'));

export const secondsOf = (milliseconds: number): number => Math.floor(milliseconds / 1000);

/** What is wrong with the first damaged file of an installation; files that are not listed belong to a driver. */
export function damageOf(
  host: Host,
  folder: string,
  files: InstalledFiles = {},
  look: Look = 'changed',
): string | undefined {
  for (const [name, { bytes, sha256, modified }] of Object.entries(files)) {
    const path = join(folder, name);
    const stat = host.stat(path);
    if (stat === undefined) return `\`${name}\` is gone`;
    if (stat.isFolder || stat.size !== bytes)
      return `\`${name}\` has ${stat.size} bytes, and had ${bytes} when it was installed`;
    if (look === 'changed' && secondsOf(stat.modified) === modified) continue;
    try {
      if (digestOf(host, path) !== sha256) return `\`${name}\` has other content than was installed`;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      return `\`${name}\` cannot be read: ${error.detail}`;
    }
  }
  return undefined;
}
