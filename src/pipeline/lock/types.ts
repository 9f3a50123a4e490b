/** `NAME.lock` beside a pipeline: what its names refer to, and the digests of what it reads. */

export interface LockedFile {
  readonly bytes: number;
  readonly sha256: string;
  /** Of files of rows: lines that are not blank. */
  readonly rows?: number;
}

/** A model or a source of rows, by its files. */
export interface LockedEntry {
  /** Of a repository of the Hub. */
  readonly commit?: string;
  /** Of a model: as its card says. */
  readonly licence?: string;
  readonly files: Readonly<Record<string, LockedFile>>;
}

export interface Lock {
  readonly version: 1;
  /** By `hf org/name@main`, `local models/base`, `starter`. */
  readonly models: Readonly<Record<string, LockedEntry>>;
  /** By `jsonl data/*.jsonl`, `hub org/name@main`. */
  readonly data: Readonly<Record<string, LockedEntry>>;
  /** Prompts, schemas and other files of `file()`, by path. */
  readonly files: Readonly<Record<string, LockedFile>>;
  /** Modules that are imported, near and far: `std/train`, `./shared.ftp`. */
  readonly modules: Readonly<Record<string, { readonly sha256: string }>>;
}

export const EMPTY_LOCK: Lock = { version: 1, models: {}, data: {}, files: {}, modules: {} };

export const lockPath = (pipeline: string): string => `${pipeline.replace(/\.ftp$/, '')}.lock`;
