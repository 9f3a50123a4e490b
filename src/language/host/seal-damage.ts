/** Whether the files of a sealed folder are as they were sealed: one definition for store entries, releases and their bases. */
import { openCheckMemory } from './check-memory.js';
import { digestOf } from './digests.js';
import type { FileStat, Host } from './host.js';
import { HostError } from './host.js';
import { isChunk, placeOf, type SealedFile, type SealedFiles } from './sealed-file.js';
import { plainHost } from './verified-host.js';

/**
 * `all`: every byte is read. `changed`: of much, only what has changed since it was read last. `sizes`: of much, nothing.
 * What is little is always read.
 */
export type Look = 'all' | 'changed' | 'sizes';

/** Folders of up to this many bytes are read on every look: about 80 ms at most. */
export const ALWAYS_READ = 64 * 2 ** 20;

export interface LookOptions {
  readonly look: Look;
  /** Default: {@link ALWAYS_READ}. */
  readonly alwaysRead?: number;
}

/** What is wrong with a file, as a sentence goes on after its name. */
interface SealDamage {
  readonly name: string;
  readonly what: string;
}

/**
 * What differs, file by file, as it is found. A disk that cannot read a file has damaged it. Throws a `HostError` where
 * something else keeps it from being read.
 */
export function* sealDamages(
  asked: Host,
  folder: string,
  files: SealedFiles,
  { look, alwaysRead = ALWAYS_READ }: LookOptions,
): Iterable<SealDamage> {
  const host = plainHost(asked);
  const total = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  const all = look === 'all' || total <= alwaysRead;
  const memory = total <= alwaysRead ? undefined : openCheckMemory(host, folder);
  for (const [name, file] of Object.entries(files)) {
    const stat = host.stat(`${folder}/${name}`);
    const isRead =
      all || (look === 'changed' && stat !== undefined && !memory?.holds(name, stat, file.sha256));
    const what = damageOf(host, `${folder}/${name}`, file, stat, isRead);
    if (what !== undefined) yield { name, what };
    else if (isRead && stat !== undefined) memory?.keep(name, stat, file.sha256);
  }
  memory?.save();
}

function damageOf(
  host: Host,
  path: string,
  file: SealedFile,
  stat: FileStat | undefined,
  isRead: boolean,
): string | undefined {
  if (stat === undefined || stat.isFolder) return 'is missing';
  if (stat.size !== file.bytes) return `has ${stat.size} bytes instead of ${file.bytes}`;
  if (!isRead) return undefined;
  try {
    return digestOf(host, path) === file.sha256
      ? undefined
      : `does not have the content that was written${placeOf(firstBadChunk(host, path, file))}`;
  } catch (error) {
    if (error instanceof HostError && error.code === 'io') return `cannot be read: ${error.detail}`;
    throw error;
  }
}

/** Where it begins and ends. */
function firstBadChunk(
  host: Host,
  path: string,
  { bytes, chunks }: SealedFile,
): readonly [number, number] | undefined {
  if (chunks === undefined) return undefined;
  for (let start = 0; start < bytes; start += chunks.bytes) {
    const chunk = host.readBytes(path, start, chunks.bytes);
    if (!isChunk(chunk, chunks, start / chunks.bytes)) return [start, start + chunk.length];
  }
  return undefined;
}

/** The first thing that is wrong, as a sentence; `undefined` if nothing is. */
export function firstDamage(
  host: Host,
  folder: string,
  files: SealedFiles,
  options: LookOptions,
): string | undefined {
  for (const { name, what } of sealDamages(host, folder, files, options)) return `\`${name}\` ${what}`;
  return undefined;
}
