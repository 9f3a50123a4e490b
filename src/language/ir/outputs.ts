/** What the store gives a stage to write into, and what it keeps. */
import * as v from 'valibot';
import { count, figure, finite, type JsonOf, record, version } from '../host/json.js';
import { SEALED_FILE } from '../host/sealed-file.js';

/** A folder that a stage fills. It becomes visible to others by one rename, when the stage has ended well. */
export interface OutputFolder {
  /** Absolute path; native code that needs a path (a database, say) may write below it. */
  readonly path: string;
  /** Writes a whole file, in chunks if it is large. Folders in `name` are made. Throws a `UserError` on a full disk. */
  write(name: string, content: string | Uint8Array | Iterable<Uint8Array>): void;
  /** A file that grows line by line. */
  open(name: string): OutputFile;
  /** Takes away a closed file that was only needed on the way. */
  remove(name: string): void;
}

export interface OutputFile {
  /** What is written may wait in memory until a MiB has gathered. */
  write(chunk: string | Uint8Array): void;
  close(): void;
}

/** A place that survives kills while its stage is not complete: training keeps its checkpoints there. */
export interface WorkFolder {
  readonly path: string;
  /**
   * Writes a folder whole or not at all: temporary name, fsync, rename. The contents are taken before it returns;
   * resolves when the folder is on the disk.
   */
  commit(
    name: string,
    files: Readonly<Record<string, string | Uint8Array | Iterable<Uint8Array>>>,
  ): Promise<void>;
  /** Names of the committed folders whose files are as they were written (digests checked), sorted. */
  committed(): readonly string[];
  /** A folder below it. */
  remove(name: string): void;
  /** An empty folder for what is needed only while the stage runs; it is no commit, and goes with the next run. */
  scratch(): OutputFolder;
  /** A file for what need not be in memory; it is no commit, and goes when it is closed. */
  pages(name: string): Pages;
}

/** Bytes in a file, read and written anywhere. Throws a `UserError` on a full disk. */
export interface Pages {
  read(position: number, into: Uint8Array): void;
  write(position: number, bytes: Uint8Array): void;
  close(): void;
}

const METRICS = record(figure);

/** What a stage says when it has ended. */
const RESULT = v.object({
  /**
   * Names of outputs (`adapter`, `model`, `report`, `release`, `train`, …) with their path inside the entry, relative
   * to it if they are elsewhere in the project, or absolute.
   */
  outputs: record(v.string()),
  metrics: METRICS,
  /** Of each metric the baseline's, how much better it is, and the ends of the interval of that; `gain.<metric>` in a `require`. */
  baseline: v.optional(METRICS),
  gain: v.optional(METRICS),
  gain_low: v.optional(METRICS),
  gain_high: v.optional(METRICS),
  /** Rows that were not kept, by the reason. */
  dropped: v.optional(record(count)),
});
export type StageResult = JsonOf<typeof RESULT>;

export const STAGE_FILE = 'stage.json';

/** `stage.json` in a store entry. */
export const STAGE_RECORD = v.object({
  version: version(1),
  kind: v.string(),
  key: v.string(),
  /** The parts that the key was made of: why a later run differs is a look-up. */
  parts: record(v.string()),
  /** Each file by its name in the entry. */
  files: record(SEALED_FILE),
  /** Files of outputs that are outside the entry, by the output's path; `modified` is in milliseconds since the epoch. */
  outside: v.optional(record(record(v.object({ ...SEALED_FILE.entries, modified: finite })))),
  result: RESULT,
  seconds: finite,
  peakMemoryBytes: finite,
});
export type StageRecord = JsonOf<typeof STAGE_RECORD>;

/** `key.json` next to the checkpoints of a stage that was begun: what its key was made of. */
export const BEGUN_FILE = 'key.json';
export const BEGUN_RECORD = v.object({
  version: version(1),
  key: v.string(),
  parts: record(v.string()),
});
export type BegunRecord = JsonOf<typeof BEGUN_RECORD>;
