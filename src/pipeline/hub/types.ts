import type { HubFile } from '../../language/ir/program.js';

/** How a hub is reached. The token is kept only here, while requests are made. */
export interface HubAccess {
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
export interface HubListing {
  readonly commit: string;
  readonly files: readonly HubFile[];
}
