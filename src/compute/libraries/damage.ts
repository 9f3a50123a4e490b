/** Whether an installation is intact: damaged native code ends the process that loads it, without a message. */
import { join } from 'node:path';
import * as v from 'valibot';
import { digestOf } from '../../language/host/digests.js';
import { type Host, HostError } from '../../language/host/host.js';
import { count, finite, type JsonOf, record } from '../../language/host/json.js';

/** Describes an installation, in its folder: written last, and does not list itself. */
export const MANIFEST = 'manifest.json';

/** By their paths in the folder. */
export const INSTALLED_FILES = record(
  v.object({
    bytes: count,
    /** Any text: one that is no digest matches no file, so that the file counts as damaged. */
    sha256: v.string(),
    /** When it was last changed, in whole seconds since the epoch, which copies and archives keep. */
    modified: finite,
  }),
);
export type InstalledFiles = JsonOf<typeof INSTALLED_FILES>;

/** `changed`: reads only files that were modified since, which is fast; `all`: every file. */
export type Look = 'changed' | 'all';

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
