/**
 * The world as the pure rooms see it. Everything below `cli`, `run` and `store` reads files, the
 * environment and the clock only through a Host, so that a test can hand in another world.
 */
export interface Host {
  /** Absolute folder that relative paths on the command line start from. */
  readonly cwd: string;
  /** Absolute folder of a store that others use too; without it, outputs are kept in `.ftp` of `cwd`. */
  readonly store?: string;
  /** Absolute folder of the installed package: where `stdlib/` and `docs/` are. */
  readonly packageFolder: string;
  /** Whole file as UTF-8. Throws an {@link HostError}. */
  readText(path: string): string;
  /**
   * `length` bytes from `start` (default: the whole file), which may be in `room`, memory that is no longer in use, where they fit.
   * Throws an {@link HostError}.
   */
  readBytes(path: string, start?: number, length?: number, room?: Uint8Array): Uint8Array;
  /** `undefined` if nothing is at `path`. */
  stat(path: string): FileStat | undefined;
  /** Names in a folder, sorted by code unit. Throws an {@link HostError}. */
  list(folder: string): readonly string[];
  /**
   * Absolute paths of the files that match `pattern` (relative to `base`), sorted by code unit. Throws an
   * {@link HostError} `too_many`.
   */
  glob(pattern: string, base: string): readonly string[];
  env(name: string): string | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
  /** What durations are measured with: milliseconds, in fractions, of a clock that nobody sets. */
  clock(): number;
  /** Milliseconds that other programs have had of the cores, all cores together; 0 if the system does not say. */
  othersTime(): number;
  /** The machine that runs this process. */
  machine(): Machine;
  /** Told that nothing happens for now, as a server is waited for; left out, nobody wants to know. */
  waiting?(wait: ServerWait): void;
}

export interface ServerWait {
  /** Name of the server, with its port where it has one. */
  readonly server: string;
  /** Milliseconds until it is asked again, as it wishes; left out: it has not answered yet, or does so slowly. */
  readonly pause?: number;
}

/** `waiting 30 s for huggingface.co, as it asks` */
export const waitText = ({ server, pause }: ServerWait): string =>
  pause === undefined
    ? `waiting for ${server}`
    : `waiting ${Math.ceil(pause / 1000)} s for ${server}, as it asks`;

export interface FileStat {
  readonly size: number;
  readonly isFolder: boolean;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  /** When it, its name or its rights changed last, which no program can set: another file in its place has another time. */
  readonly changed?: number;
  /** The file system's number of the file: another file under the same name has another one. */
  readonly inode?: number;
}

export interface Machine {
  readonly name: string;
  readonly cores: number;
  /** Programs that wanted a core, on average over the last minute; 0 if the system does not say. */
  readonly load: number;
  /** Memory that a process may use: physical memory, or less under a container limit. Bytes. */
  readonly memoryBytes: number;
  readonly cpu: string;
}

/**
 * `no_file`: a pipe or a device, which gives as much as it likes, or waits. `open_files`: the limit of files that may be
 * open is reached, which says nothing about this one.
 */
export type HostErrorCode =
  | 'not_found'
  | 'is_folder'
  | 'no_file'
  | 'no_access'
  | 'too_large'
  | 'no_memory'
  /** A pattern that would look at too many files, or take too long: `path` is the pattern. */
  | 'too_many'
  | 'open_files'
  | 'io';

/** A failed read. Callers turn it into a diagnostic; it never reaches the user as it is. */
export class HostError extends Error {
  override readonly name = 'HostError';
  constructor(
    readonly code: HostErrorCode,
    readonly path: string,
    readonly detail: string,
  ) {
    super(`${path}: ${detail}`);
  }
}

/** The user's home; the working folder stands for it where the system does not say. */
export const homeOf = (host: Pick<Host, 'env' | 'cwd'>): string =>
  host.env('HOME') || host.env('USERPROFILE') || host.cwd;

/**
 * Looks at each name, and reads each file as a whole, once: a program may name a file in every stage, and sees one
 * state of the disk.
 */
export function lookingOnce(host: Host): Host {
  const stats = new Map<string, FileStat | undefined>();
  const globs = new Map<string, readonly string[] | HostError>();
  const files = new Map<string, Uint8Array>();
  return {
    ...host,
    readBytes(path, start, length, room) {
      if (start !== undefined || length !== undefined) return host.readBytes(path, start, length, room);
      const found = files.get(path) ?? host.readBytes(path);
      files.set(path, found);
      return found;
    },
    stat(path) {
      if (!stats.has(path)) stats.set(path, host.stat(path));
      return stats.get(path);
    },
    glob(pattern, base) {
      const key = `${base}\n${pattern}`;
      const known = globs.get(key) ?? found(() => host.glob(pattern, base));
      globs.set(key, known);
      if (known instanceof HostError) throw known;
      return known;
    },
  };
}

/** An error is an answer too, which is not looked for a second time. */
function found<T>(look: () => T): T | HostError {
  try {
    return look();
  } catch (error) {
    if (error instanceof HostError) return error;
    throw error;
  }
}
