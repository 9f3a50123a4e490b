/** `NAME.lock` next to a pipeline: what its names refer to, and the digests of what it reads. Contract: docs/schema/lock.json. */
import * as v from 'valibot';
import { count, hex, type JsonOf, record, sha256, version } from '../host/json.js';
import { isSafeName } from './repositories.js';

/** Names are shown: none may speak to a terminal. */
const PLAIN = {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  holds: (name: string) => !/[\u0000-\u001f\u007f-\u009f]/.test(name),
  must: 'a name without control characters',
};

const FILE = v.object({
  bytes: count,
  sha256,
  /** Of files of rows: lines that are not blank. */
  rows: v.optional(count),
});

/** A model or a source of rows, by its files. */
const ENTRY = v.pipe(
  v.object({
    /** Of a repository of the Hub. */
    commit: v.optional(hex(40, 'a commit')),
    /** Of a model: as its card says. */
    licence: v.optional(v.string()),
    files: record(FILE, PLAIN),
  }),
  // Files of a repository become paths in the cache; those of the project are only compared with what is read.
  v.check(
    ({ commit, files }) => commit === undefined || Object.keys(files).every(isSafeName),
    'an entry whose files are all inside its folder',
  ),
);

export const LOCK = v.object({
  version: version(1),
  /** By `hf org/name@main`, `local models/base`, `starter`. */
  models: record(ENTRY, PLAIN),
  /** By `jsonl data/*.jsonl`, `hub org/name@main`. */
  data: record(ENTRY, PLAIN),
  /** Prompts, schemas and other files of `file()`, by path. */
  files: record(FILE, PLAIN),
  /** Modules that are imported, near and far: `std/train`, `./shared.ftp`. */
  modules: record(v.object({ sha256 }), PLAIN),
});

export type LockedFile = JsonOf<typeof FILE>;
export type LockedEntry = JsonOf<typeof ENTRY>;
export type Lock = JsonOf<typeof LOCK>;

export const EMPTY_LOCK: Lock = { version: 1, models: {}, data: {}, files: {}, modules: {} };

export const lockPath = (pipeline: string): string => `${pipeline.replace(/\.ftp$/, '')}.lock`;
