/** Which release answers a request: what the server asks, and what is kept of each model that answers. */

/** `only`: a model that is no release of a folder, so that nothing else can take its place. */
type ReleaseRole = 'current' | 'canary' | 'only';

export interface ServedRelease {
  /** Its number in the folder of releases; 0 for a model that is in none. */
  readonly number: number;
  readonly role: ReleaseRole;
}

/** What a router needs of a model. */
export interface RoutableModel {
  readonly info: {
    /** Bytes that its process is planned to take. */
    readonly memory: number;
  };
  /** Whether it can answer: not while it is started again after a crash. Left out, it always can. */
  readonly up?: boolean;
  /** Requests that are computed, and that wait for it. */
  load?(): { readonly running: number; readonly waiting: number };
  /** Ends it, and what it still computes with it. */
  close(): Promise<void>;
}

/** A model that one request has to itself until `done` is called: it is not closed before. */
export interface RoutedModel<Model extends RoutableModel = RoutableModel> {
  readonly model: Model;
  readonly release: ServedRelease;
  /** Called once per request, however it ended; a second call does nothing. */
  done(): void;
}

/**
 * `starting`: it loads. `serving`: requests go to it. `draining`: it finishes what it has. `failed`: it cannot be
 * opened, and what was there before it still answers.
 */
export type ModelState = 'starting' | 'serving' | 'draining' | 'failed';

export interface ReleaseStatus extends ServedRelease {
  /** What it was opened from, for people. */
  readonly label: string;
  /** Of new requests, 0 to 1. */
  readonly share: number;
  readonly state: ModelState;
  /** Milliseconds since the epoch: when it reached this state. */
  readonly since: number;
  /** Requests that it has at the moment, and what its model says of them. */
  readonly requests: number;
  readonly running: number;
  readonly waiting: number;
  /** Why it failed. */
  readonly problem?: string;
}

export interface Router<Model extends RoutableModel = RoutableModel> {
  /**
   * The model for a request of `user` (OpenAI's `user`, else the API key, else the address): the same one for as long
   * as roles and shares are the same. Waits where one model has to end before the next begins, until `signal` aborts.
   * Throws a `NoModelError` if there is none.
   */
  route(user: string | undefined, signal?: AbortSignal): Promise<RoutedModel<Model>>;
  /** Every release that serves, starts, drains or failed: the current one first. */
  releases(): readonly ReleaseStatus[];
  /** Whether a request would be answered. */
  ready(): boolean;
  /** Stops watching; waits until every model has finished its requests, and closes them. */
  close(): Promise<void>;
}

/** No model can answer at the moment: HTTP's 503. */
export class NoModelError extends Error {
  override readonly name = 'NoModelError';
  /** `retryAfter`: seconds after which it is worth another try. */
  constructor(
    message: string,
    readonly retryAfter: number,
  ) {
    super(message);
  }
}
