/** Releases that are published to another place than a folder: what such a place is given, and what it says. */
import type { ReleaseManifest } from '../../compute/packaging/manifest.js';
import type { ServerFacts } from '../../compute/packaging/servers/index.js';
import type { Call } from '../../language/ir/program.js';
import type { ManifestDraft } from './publish.js';
import type { ReleaseFile } from './release-file.js';

/** Survives kills while the stage is not complete. */
export interface UploadMemory {
  get(name: string): string | undefined;
  set(name: string, text: string): Promise<void>;
  drop(name: string): void;
}

export interface ElsewhereRequest {
  readonly target: Call;
  /** Everything but the manifest. */
  readonly files: readonly ReleaseFile[];
  readonly draft: ManifestDraft & Pick<ReleaseManifest, 'smoke'>;
  /** What it is to a server. */
  readonly facts: ServerFacts;
  /** Of the model's files and the base: equal digests are one release. */
  readonly digest: string;
  readonly memory: UploadMemory;
  readonly signal: AbortSignal;
  /** Bytes that were sent, of all that have to be. */
  progress(done: number, total: number): void;
}

export interface PublishedElsewhere {
  /** From 1, one more than that of the release that was there; left out where nobody counts them. */
  readonly number?: number;
  readonly action: 'publish' | 'unchanged';
  readonly digest: string;
  /** Where people see it. */
  readonly url: string;
  /** What names it for ever. */
  readonly version: string;
}

/** Publishes a release. Throws a `UserError`, or the signal's reason. */
export type PublishElsewhere = (request: ElsewhereRequest) => Promise<PublishedElsewhere>;
