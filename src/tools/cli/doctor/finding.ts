import type { Host } from '../../../language/host/host.js';

/** `note`: good to know; nothing depends on it. */
export type State = 'ok' | 'warning' | 'failed' | 'note';

export interface Finding {
  readonly name: string;
  readonly state: State;
  /** What was found. */
  readonly detail: string;
  /** What to do, where something is wrong. */
  readonly help?: string;
}

export type Check = (host: Host) => Promise<Finding>;

export const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
