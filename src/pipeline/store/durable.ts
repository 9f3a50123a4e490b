/** Writes that survive a power cut: a file counts only after fsync, a name only after its folder's fsync. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeFolders } from '../../language/host/node-folders.js';
import { discard, type OwnForm, sweepOwn } from '../../language/host/own-files.js';
import { MARK, markOf, mayWrite } from '../../language/host/process-identity.js';
import { writing } from './store-diagnostics.js';

type FileContent = string | Uint8Array | Iterable<Uint8Array>;

/** At most this much a system call. */
const WRITE_WINDOW = 1 << 26;

interface WriteOptions {
  /** Forced to disk. */
  readonly sync: boolean;
  /** What errors call the file, if not by its path. */
  readonly named?: string;
}

/** Writes a whole file. On failure nothing is at `path`, and a `UserError` says why. */
export function writeWhole(path: string, content: FileContent, options: WriteOptions): void {
  const bytes =
    typeof content === 'string'
      ? Buffer.byteLength(content)
      : content instanceof Uint8Array
        ? content.byteLength
        : undefined;
  writing(options.named ?? path, bytes, () => {
    makeFolders(dirname(path));
    const file = openSync(path, 'w');
    try {
      for (const chunk of chunksOf(content)) writeAll(file, chunk);
      if (options.sync) fsyncSync(file);
    } catch (error) {
      discard(path);
      throw error;
    } finally {
      closeSync(file);
    }
  });
}

/** Every byte of `chunk`: a short write is continued, not lost. */
export function writeAll(file: number, chunk: Uint8Array): void {
  let done = 0;
  while (done < chunk.byteLength)
    done += writeSync(file, chunk, done, Math.min(WRITE_WINDOW, chunk.byteLength - done));
}

function* chunksOf(content: FileContent): Iterable<Uint8Array> {
  if (typeof content === 'string') yield Buffer.from(content);
  else if (content instanceof Uint8Array) yield content;
  else yield* content;
}

/**
 * A file that is replaced in one step: readers see the old content or the new one. A link stays a link to it; a device
 * or a pipe, as `/dev/null`, stays what it is and is written to.
 */
export function replaceFile(path: string, content: string): void {
  const there = writing(path, undefined, () => statSync(path, { throwIfNoEntry: false }));
  if (there !== undefined && !there.isFile() && !there.isDirectory()) {
    writing(path, Buffer.byteLength(content), () => writeFileSync(path, content));
    return;
  }
  const target = there === undefined ? path : writing(path, undefined, () => realpathSync(path));
  const temporary = `${target}.${markOf()}.tmp`;
  writeWhole(temporary, content, { sync: true, named: path });
  writing(path, undefined, () => {
    try {
      renameSync(temporary, target);
    } catch (error) {
      discard(temporary);
      throw error;
    }
  });
  syncFolder(dirname(target));
}

/** Removes what processes that were killed while they replaced this file have left next to it. */
export function sweepReplacements(path: string): void {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const [, writer] = (name.startsWith(prefix) && REPLACING.name.exec(name.slice(prefix.length - 1))) || [];
    if (writer !== undefined && !mayWrite(writer)) sweepOwn(join(folder, name), { ...REPLACING, name: /^/ });
  }
}

/** The end of the name of a file that takes the place of another. */
const REPLACING: OwnForm = { name: new RegExp(`^\\.${MARK}\\.tmp$`), kinds: ['file'] };

/** Forces the content of a file to disk. Throws a `UserError` if the disk refuses. */
export function syncFile(path: string): void {
  writing(path, undefined, () => {
    const file = openSync(path, 'r+');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

/** Makes the names in a folder durable. */
export function syncFolder(path: string): void {
  writing(path, undefined, () => {
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  });
}

/** Makes the names in a folder and in all folders below it durable. */
export function syncFolders(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) syncFolders(join(path, entry.name));
  syncFolder(path);
}
