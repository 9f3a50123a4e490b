/**
 * Models and adapters of other formats as GGUF files, which llama.cpp reads: each is written once into the user's cache, under
 * a name that its content decides.
 */
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { llamaNotConverted } from '../../../language/diagnostics/catalogue/llama.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { cacheFolder } from '../../../language/host/cache-folder.js';
import {
  digestOf,
  isSame,
  openDigests,
  STORED_DIGEST,
  type StoredDigest,
  storedDigest,
} from '../../../language/host/digests.js';
import { type Host, HostError } from '../../../language/host/host.js';
import { JsonFault, record, version } from '../../../language/host/json.js';
import { makeFolders } from '../../../language/host/node-folders.js';
import { discard, type OwnForm, removeOwn } from '../../../language/host/own-files.js';
import { checkedText, parseChecked } from '../../../language/host/self-check.js';
import type { GgufFile } from '../../packaging/gguf/index.js';

/** Changes with what is written for the same model. */
const FORM = 1;

const DAY = 24 * 60 * 60 * 1000;
/** Files that nothing has read for so long go when another is written; what a killed process left, after a day. */
const UNUSED = 30 * DAY;
const ABANDONED = DAY;

/** What files held when they were read last, by their paths: sources, and what was made of them. */
const TABLE = v.object({ version: version(1), files: record(STORED_DIGEST) });

export const conversionsFolder = (host: Host): string => join(cacheFolder(host), 'gguf');

interface Conversion {
  /** For people. */
  readonly label: string;
  /** Absolute paths of what decides the content. */
  readonly sources: readonly string[];
  /** What else does, such as the type of the weights. */
  readonly form: string;
  readonly make: () => GgufFile;
}

/**
 * The path of a file that is made where it is not there yet. Throws a `UserError` where it cannot be written, and what
 * `make` throws.
 */
export function converted(host: Host, { label, sources, form, make }: Conversion): string {
  const folder = conversionsFolder(host);
  const known = readTable(host, folder);
  const digests = openDigests(host, known);
  const parts = [FORM, form, ...sources.map((path) => digests.of(path))];
  const name = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
  const path = join(folder, `${name}.gguf`);
  const held = Object.entries(digests.changed() ?? known);
  const files = new Map(held.filter(([file]) => host.stat(file) !== undefined));
  const before = files.get(path);
  if (before !== undefined && isWhole(host, path, before)) {
    used(host, path);
    const now = host.stat(path);
    if (now !== undefined) files.set(path, storedDigest(now, before.sha256));
    if (digests.changed() !== undefined || (now !== undefined && !isSame(now, before)))
      writeTable(folder, files);
    return path;
  }
  const file = make();
  try {
    makeFolders(folder);
    sweep(host, folder);
    const sha256 = write(folder, path, file.chunks());
    const stat = host.stat(path);
    if (stat !== undefined) files.set(path, storedDigest(stat, sha256));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string' || error instanceof HostError) throw error;
    throw new UserError(llamaNotConverted(label, folder, { code, message }));
  }
  writeTable(folder, files);
  return path;
}

/** A file that was written whole, and not changed since. */
function isWhole(host: Host, path: string, known: StoredDigest): boolean {
  const stat = host.stat(path);
  if (stat === undefined || stat.size !== known.size) return false;
  return isSame(stat, known) || digestOf(host, path) === known.sha256;
}

/** Written next to its place, so that what has its name is whole. */
function write(folder: string, path: string, chunks: Iterable<Uint8Array>): string {
  const temporary = join(folder, `.${randomUUID()}`);
  const hash = createHash('sha256');
  try {
    const file = openSync(temporary, 'w');
    try {
      for (const chunk of chunks) {
        hash.update(chunk);
        for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } finally {
    discard(temporary);
  }
  return hash.digest('hex');
}

const tablePath = (folder: string): string => join(folder, 'digests.json');

/** One that is damaged remembers nothing. */
function readTable(host: Host, folder: string): Readonly<Record<string, StoredDigest>> {
  try {
    const found = parseChecked(TABLE, host.readText(tablePath(folder)));
    return found instanceof JsonFault ? {} : found.files;
  } catch (error) {
    if (error instanceof HostError) return {};
    throw error;
  }
}

/** A cache that may only be read has none. */
function writeTable(folder: string, files: ReadonlyMap<string, StoredDigest>): void {
  const text = checkedText({ version: 1, files: Object.fromEntries(files) });
  try {
    write(folder, tablePath(folder), [Buffer.from(text)]);
  } catch {}
}

/** Says by its time that a file is in use. */
function used(host: Host, path: string): void {
  const { modified = 0 } = host.stat(path) ?? {};
  if (host.now() - modified < DAY) return;
  try {
    utimesSync(path, new Date(host.now()), new Date(host.now()));
  } catch {}
}

function sweep(host: Host, folder: string): void {
  for (const name of readdirSync(folder)) {
    const most = name.startsWith('.') ? ABANDONED : UNUSED;
    const { modified = 0 } = host.stat(join(folder, name)) ?? {};
    if (host.now() - modified > most) removeOwn(join(folder, name), WRITTEN);
  }
}

/** What is being written, and what was. */
const WRITTEN: OwnForm = {
  name: /^(?:\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}\.gguf)$/,
  kinds: ['file'],
};
