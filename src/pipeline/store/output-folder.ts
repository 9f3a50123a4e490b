import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { makeFolders } from '../../language/host/node-folders.js';
import { discard } from '../../language/host/own-files.js';
import type { OutputFile, OutputFolder, Pages } from '../../language/ir/outputs.js';
import { writeAll, writeWhole } from './durable.js';
import { badOutputName, writing } from './store-diagnostics.js';

/** A folder that a stage fills. Its files are forced to disk when the whole folder is sealed, once each. */
export const outputFolder = (path: string): OutputFolder => ({
  path,
  write: (name, content) => writeWhole(inside(path, name), content, { sync: false }),
  open: (name) => openOutput(inside(path, name)),
  remove: (name) => discard(inside(path, name)),
});

/** The absolute path of `name`, which must not leave the folder. */
export function inside(folder: string, name: string): string {
  const clean = normalize(name);
  if (clean === '.' || clean.startsWith('..') || isAbsolute(clean)) throw badOutputName(name);
  return join(folder, clean);
}

/** Text is gathered in memory of this size, which is filled again and again: a system call a line would be most of the cost. */
const PIECE = 1 << 16;
/** Bytes of UTF-8 that a unit of a string becomes. */
const MOST_OF_UNIT = 3;

function openOutput(path: string): OutputFile {
  const file = writing(path, undefined, () => {
    makeFolders(dirname(path));
    return openSync(path, 'w');
  });
  const waiting = Buffer.alloc(PIECE);
  let size = 0;
  let open = true;
  const flush = (): void => {
    const bytes = waiting.subarray(0, size);
    size = 0;
    if (bytes.length > 0) writing(path, bytes.length, () => writeAll(file, bytes));
  };
  const fits = (bytes: number): boolean => {
    if (size + bytes > PIECE) flush();
    return bytes <= PIECE;
  };
  const writeBytes = (bytes: Uint8Array): void => {
    if (!fits(bytes.byteLength)) {
      writing(path, bytes.byteLength, () => writeAll(file, bytes));
      return;
    }
    waiting.set(bytes, size);
    size += bytes.byteLength;
  };
  return {
    write: (chunk) => {
      if (typeof chunk !== 'string') writeBytes(chunk);
      else if (fits(MOST_OF_UNIT * chunk.length)) size += waiting.write(chunk, size);
      else writeBytes(Buffer.from(chunk));
    },
    close: () => {
      if (!open) return;
      open = false;
      try {
        flush();
      } finally {
        closeSync(file);
      }
    },
  };
}

/** At most this much a system call. */
const WINDOW = 1 << 26;

/** A file in the place of memory: the system keeps in its cache what it has room for. */
export function openPages(path: string): Pages {
  const file = writing(path, undefined, () => openSync(path, 'w+'));
  const whole = (bytes: Uint8Array, move: (done: number, count: number) => number): void => {
    let done = 0;
    while (done < bytes.byteLength) {
      const moved = move(done, Math.min(WINDOW, bytes.byteLength - done));
      if (moved === 0) throw new Error(`${path} ends before what was written into it`);
      done += moved;
    }
  };
  return {
    read(position, into) {
      whole(into, (done, count) => readSync(file, into, done, count, position + done));
    },
    write(position, bytes) {
      writing(path, bytes.byteLength, () =>
        whole(bytes, (done, count) => writeSync(file, bytes, done, count, position + done)),
      );
    },
    close() {
      closeSync(file);
      discard(path);
    },
  };
}
