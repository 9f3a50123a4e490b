/**
 * Which files of a sealed folder were read and found as they were sealed, in the user's cache: a large file is then read once
 * per change. A memory that cannot be read, or is damaged, remembers nothing; one that cannot be written is not kept.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import { cacheFolder } from './cache-folder.js';
import { writeCachedText } from './cached-text.js';
import { isSame, isSettled, STORED_DIGEST, type StoredDigest, storedDigest } from './digests.js';
import { type FileStat, type Host, HostError } from './host.js';
import { JsonFault, record, version } from './json.js';
import { realPath } from './real-path.js';
import { checkedText, parseChecked } from './self-check.js';

const MEMORY = v.object({ version: version(1), folder: v.string(), files: record(STORED_DIGEST) });

interface CheckMemory {
  /** Whether this file was read and found to have this digest, and has not been changed since. */
  holds(name: string, stat: FileStat, sha256: string): boolean;
  /** The file has just been read; `stat` is from before. */
  keep(name: string, stat: FileStat, sha256: string): void;
  /** Writes what was kept. */
  save(): void;
}

/** `folder`: absolute. */
export function openCheckMemory(host: Host, folder: string): CheckMemory {
  const real = realPath(folder);
  const name = createHash('sha256').update(real).digest('hex').slice(0, 32);
  const path = join(cacheFolder(host), 'checked', `${name}.json`);
  let files: Map<string, StoredDigest> | undefined;
  let grown = false;
  const opened = (): Map<string, StoredDigest> => {
    files ??= new Map(Object.entries(filesIn(host, path, real)));
    return files;
  };
  return {
    holds: (file, stat, sha256) => {
      const known = opened().get(file);
      return known?.sha256 === sha256 && isSame(stat, known);
    },
    keep: (file, stat, sha256) => {
      if (!isSettled(host, stat)) return;
      opened().set(file, storedDigest(stat, sha256));
      grown = true;
    },
    save: () => {
      if (!grown) return;
      grown = false;
      writeCachedText(path, checkedText({ version: 1, folder: real, files: Object.fromEntries(opened()) }));
    },
  };
}

function filesIn(host: Host, path: string, folder: string): Readonly<Record<string, StoredDigest>> {
  try {
    const memory = parseChecked(MEMORY, host.readText(path));
    return memory instanceof JsonFault || memory.folder !== folder ? {} : memory.files;
  } catch (error) {
    if (error instanceof HostError) return {};
    throw error;
  }
}
