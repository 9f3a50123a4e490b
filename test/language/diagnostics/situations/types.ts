import type { Host } from '../../../../src/language/host/host.js';

/** Where an example stands. */
export interface Ground {
  readonly folder: string;
  write(name: string, content: string | Uint8Array): void;
  /** Is called when the example has ended; the last one first. */
  later(undo: () => unknown): void;
}

/** What the commands of an example see beside their folder. */
export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** Another world to look at: a machine, a disk that cannot be read. */
  readonly host?: (real: Host) => Host;
  /** Runs ftpc as a process of its own, so that what `env` preloads holds for it. */
  readonly asProcess?: boolean;
  /** Happens while a command runs. */
  readonly meanwhile?: () => Promise<unknown>;
  /** What the page writes for what is another each time, such as the address of a server. */
  readonly names?: Readonly<Record<string, string>>;
}

/** Sets up what the files of an example cannot: a server, a full disk, another process. */
export type Situation = (ground: Ground) => Surroundings | undefined | Promise<Surroundings | undefined>;

export type Situations = Readonly<Record<string, Situation>>;
