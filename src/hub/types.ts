/** What is known of a repository once a revision has become a commit. Plain data: it goes into plans, locks and jobs. */
import type { HubFile } from '../ir/types.js';

/** Reads the environment; a secret is looked up when a request is made and kept nowhere. */
export interface Access {
  /** `https://huggingface.co`, or `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** `HF_HUB_OFFLINE`: no server is asked. */
  readonly offline: boolean;
  /** Milliseconds without a byte after which a request counts as lost. */
  readonly patience: number;
  /** Milliseconds before each further try. */
  readonly pauses: readonly number[];
  readonly token?: string;
  readonly signal?: AbortSignal;
}

/** A commit's files, as the Hub lists them. */
export interface Listing {
  readonly commit: string;
  readonly files: readonly HubFile[];
}
