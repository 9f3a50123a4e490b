import type { OwnForm } from './own-files.js';

/**
 * A disk that outlives the process: what the pure rooms write outside a stage's own output, such as releases. What a
 * call has written is on the disk when it returns, not in a buffer. Every call throws a {@link DiskError}.
 */
export interface Disk {
  /** Names the temporary files of this process. */
  readonly writer: string;
  /** Whether a process whose files are named so may still be at work: for certain not, if it is of this machine and has ended. */
  mayWrite(writer: string): boolean;
  /** Throws where a folder of this path could neither be made nor written into; changes nothing. */
  mayFill(path: string): void;
  /** Makes a folder and those above it. */
  makeFolder(path: string): void;
  /** Copies a whole file; shares its blocks where the file system can. */
  copy(from: string, to: string): void;
  write(path: string, text: string): void;
  append(path: string, text: string): void;
  /** One step: others see the old name or the new one. Never replaces a folder that holds something. */
  rename(from: string, to: string): void;
  /** Makes a symbolic link at `path`. */
  link(target: string, path: string): void;
  /** The target of a symbolic link; `undefined` if there is none. */
  readLink(path: string): string | undefined;
  /** Removes something by its form, in a folder that may be a link itself; nothing if it is not there, or somebody else's. */
  remove(path: string, form: OwnForm): void;
  /** Whether {@link remove} would. */
  isOwn(path: string, form: OwnForm): boolean;
}

/** `exists`: a folder that holds something is at the new name. */
export type DiskErrorCode = 'full' | 'exists' | 'no_access' | 'io';

export class DiskError extends Error {
  override readonly name = 'DiskError';
  constructor(
    readonly code: DiskErrorCode,
    readonly path: string,
    readonly detail: string,
  ) {
    super(`${path}: ${detail}`);
  }
}
