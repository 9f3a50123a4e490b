/** SHA-256 of files, remembered by path, size and times of change, so that a plan need not read a large file twice. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import { cacheFolder } from './cache-folder.js';
import { writeCachedText } from './cached-text.js';
import { type FileStat, type Host, HostError } from './host.js';
import { anyObject, finite, JsonFault, type JsonOf, sha256, tryJsonFile } from './json.js';
import { worked } from './long-work.js';
import { checkedText, parseChecked } from './self-check.js';

export const STORED_DIGEST = v.object({
  size: finite,
  modified: finite,
  /** As in `FileStat`: files of an archive or an image often have one time of modification, and weights one size. */
  changed: v.optional(finite),
  inode: v.optional(finite),
  sha256,
});
export type StoredDigest = JsonOf<typeof STORED_DIGEST>;

/** Absolute path → digest: the content of `.ftp/digests.json`. */
export type DigestTable = Readonly<Record<string, StoredDigest>>;

export interface Digests {
  /** Throws a `HostError` if the file cannot be read. */
  of(path: string): string;
  /** The table with what was added; `undefined` if nothing was. The caller writes it, if it writes at all. */
  changed(): DigestTable | undefined;
}

const WINDOW = 1 << 22;

/** A file changed this recently may change again within the resolution of the file system's clock (git's "racy" files). */
const SETTLED = 2_000;

/** `saved` is the table that an earlier run left, `known` what has been found out since. */
export function openDigests(host: Host, saved: DigestTable = {}, known: DigestTable = {}): Digests {
  const table = new Map<string, StoredDigest>([...Object.entries(saved), ...Object.entries(known)]);
  const fresh = new Map<string, StoredDigest>();
  let grown = Object.entries(known).some(([path, { sha256 }]) => saved[path]?.sha256 !== sha256);
  return {
    of(path) {
      const stat = host.stat(path);
      const known = table.get(path) ?? fresh.get(path);
      if (stat !== undefined && known !== undefined && isSame(stat, known)) return known.sha256;
      const kept = stat && keptDigest(host, path, stat);
      const digest = kept?.sha256 ?? digestOf(host, path);
      if (stat !== undefined) {
        const entry = storedDigest(stat, digest);
        const settled = isSettled(host, stat);
        if (settled) grown = true;
        if (settled && kept === undefined) keepDigest(host, path, stat, entry);
        (settled ? table : fresh).set(path, entry);
      }
      return digest;
    },
    changed: () => (grown ? Object.fromEntries(table) : undefined),
  };
}

/**
 * Whether a file is still the one that had this digest: no program can set the time at which it changed last. The device is
 * no part of it, since a network file system has another number after each mount; the path is.
 */
export const isSame = (stat: FileStat, known: StoredDigest): boolean =>
  known.size === stat.size &&
  known.modified === stat.modified &&
  known.changed === stat.changed &&
  (known.inode === undefined || known.inode === stat.inode);

export const storedDigest = ({ size, modified, changed, inode }: FileStat, sha256: string): StoredDigest => ({
  size,
  modified,
  ...(changed === undefined ? {} : { changed }),
  ...(inode === undefined ? {} : { inode }),
  sha256,
});

/** Whether a change that comes now would show in the times of the file. */
export const isSettled = (host: Pick<Host, 'now'>, { modified, changed }: FileStat): boolean =>
  host.now() - Math.max(modified, changed ?? 0) > SETTLED;

/** Throws a `HostError`. */
export function digestOf(host: Host, path: string): string {
  const hash = createHash('sha256');
  for (let start = 0; ; start += WINDOW) {
    const chunk = host.readBytes(path, start, WINDOW);
    hash.update(chunk);
    worked(chunk.length);
    if (chunk.length < WINDOW) return hash.digest('hex');
  }
}

/** Bytes of a file that takes long enough to read that its digest is worth a file of the user's cache. */
const LARGE = 2 ** 26;

const KEPT = v.object({ version: v.literal(1), path: v.string(), ...STORED_DIGEST.entries });

const keptPath = (host: Host, path: string): string =>
  join(cacheFolder(host), 'digests', `${createHash('sha256').update(path).digest('hex').slice(0, 32)}.json`);

/** Whether another file of the same name and size could be told from it. */
const isKept = ({ size, changed, inode }: FileStat): boolean =>
  size >= LARGE && changed !== undefined && inode !== undefined;

/** What an earlier plan of any project has read: a plan that nothing was run after leaves no `.ftp`. */
function keptDigest(host: Host, path: string, stat: FileStat): StoredDigest | undefined {
  const file = keptPath(host, path);
  if (!isKept(stat) || host.stat(file) === undefined) return undefined;
  try {
    const kept = parseChecked(KEPT, host.readText(file));
    return kept instanceof JsonFault || kept.path !== path || !isSame(stat, kept) ? undefined : kept;
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

function keepDigest(host: Host, path: string, stat: FileStat, entry: StoredDigest): void {
  if (isKept(stat)) writeCachedText(keptPath(host, path), checkedText({ version: 1, path, ...entry }));
}

/** The table that an earlier run left. What is damaged in it is left out, and read again. */
export const readDigestTable = (host: Host): DigestTable =>
  Object.fromEntries(
    Object.entries(tryJsonFile(anyObject, host, digestTablePath(host.cwd)) ?? {}).flatMap(([path, entry]) =>
      v.is(STORED_DIGEST, entry) ? [[path, entry]] : [],
    ),
  );

export const digestTablePath = (cwd: string): string => `${cwd}/.ftp/digests.json`;
