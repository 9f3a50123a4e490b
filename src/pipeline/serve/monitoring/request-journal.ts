/** The journal of requests: a line each, in a few files of bounded size, the newest of which grows. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { jsonLines } from '../../../language/host/json.js';
import { makeFolders } from '../../../language/host/node-folders.js';
import { type OwnForm, removeOwn } from '../../../language/host/own-files.js';
import { checkedLine, soundLines } from '../../store/journal-line.js';
import { JOURNAL_LINE, type TrafficLine } from './request-line.js';

/** `requests.jsonl` grows; `requests.1.jsonl` is the one before, and so on. */
const fileName = (age: number): string => (age === 0 ? 'requests.jsonl' : `requests.${age}.jsonl`);

const OWN: OwnForm = { name: /^requests(?:\.\d+)?\.jsonl$/, kinds: ['file'] };

/** 4 files of 64 MiB: about a million requests without their prompts. */
const FILES = 4;
const LARGEST = 64 * 2 ** 20;

interface RequestJournal {
  append(line: TrafficLine): void;
  /** Lines that could not be written. */
  lost(): number;
  close(): void;
}

interface JournalOptions {
  /** Told of the first line that could not be written, and of the first after that which could. */
  readonly report: (text: string) => void;
  readonly files?: number;
  /** Bytes of a file. */
  readonly largest?: number;
}

/**
 * A line is passed to the system when `append` returns: a kill loses none, a power cut those of the last moments. A disk
 * that is full loses lines, not requests. Several servers may write into one folder.
 */
export function openRequestJournal(folder: string, options: JournalOptions): RequestJournal {
  const { report, files = FILES, largest = LARGEST } = options;
  let file: number | undefined;
  let isBroken = false;
  let lost = 0;
  const open = (): number => {
    makeFolders(folder);
    const path = join(folder, fileName(0));
    const opened = openSync(path, 'a', 0o600);
    const { size } = fstatSync(opened);
    // A line that a power cut tore is closed, so that it spoils no other.
    if (size > 0 && lastByte(path, size) !== 0x0a) writeFileSync(opened, '\n');
    return opened;
  };
  const close = (): void => {
    if (file === undefined) return;
    const opened = file;
    file = undefined;
    try {
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
  };
  const rotate = (): void => {
    close();
    const oldest = join(folder, fileName(files - 1));
    if (!removeOwn(oldest, OWN) && lstatSync(oldest, { throwIfNoEntry: false }))
      throw new Error(`\`${oldest}\` is no file of ftpc's`);
    for (let age = files - 2; age >= 0; age--) move(folder, age);
  };
  const write = (line: string): void => {
    file ??= open();
    const { size, ino } = fstatSync(file);
    if (size > 0 && size + Buffer.byteLength(line) > largest) {
      // another server has begun the next file already: this one goes on there
      if (inodeOf(join(folder, fileName(0))) === ino) rotate();
      else close();
      file = open();
    }
    writeFileSync(file, line);
  };
  return {
    append: (line) => {
      try {
        write(`${checkedLine(JSON.stringify(line))}\n`);
        if (isBroken) report(`requests are written to \`${folder}\` again`);
        isBroken = false;
      } catch (error) {
        if (!isBroken) report(`requests are not written down: ${(error as Error).message}`);
        isBroken = true;
        lost++;
        closeQuietly(close);
      }
    },
    lost: () => lost,
    close: () => closeQuietly(close),
  };
}

function closeQuietly(close: () => void): void {
  try {
    close();
  } catch {
    // What is broken was told when it broke.
  }
}

function move(folder: string, age: number): void {
  try {
    renameSync(join(folder, fileName(age)), join(folder, fileName(age + 1)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

function lastByte(path: string, size: number): number | undefined {
  const file = openSync(path, 'r');
  try {
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, size - 1);
    return byte[0];
  } finally {
    closeSync(file);
  }
}

/** Bytes of the newest lines that a server reads when it starts. */
const TAIL = 32 * 2 ** 20;

/** The newest lines, oldest first: at most `bytes` of them. Lines that are not as they were written are left out. */
export function readRequestJournal(folder: string, bytes = TAIL): readonly TrafficLine[] {
  const texts: string[] = [];
  let left = bytes;
  for (let age = 0; age < FILES && left > 0; age++) {
    const text = tailOf(join(folder, fileName(age)), left);
    if (text === undefined) continue;
    texts.unshift(text);
    left -= text.length;
  }
  return texts.flatMap((text) => jsonLines(JOURNAL_LINE, soundLines(text)));
}

/** Whole lines at the end of a file; `undefined` if there is none. */
function tailOf(path: string, bytes: number): string | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = statSync(path);
    const length = Math.min(size, bytes);
    const buffer = Buffer.alloc(length);
    let read = 0;
    while (read < length) {
      const part = readSync(file, buffer, read, length - read, size - length + read);
      if (part === 0) break;
      read += part;
    }
    const text = buffer.toString('utf8', 0, read);
    return length < size ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    closeSync(file);
  }
}
