import type { Value } from '../../../language/ir/types.js';

export interface FileDigest {
  readonly bytes: number;
  readonly sha256: string;
}

/** By name, `/` between folders, sorted. */
export type FileDigests = Readonly<Record<string, FileDigest>>;

/** `manifest.json` of a release: what it is, and what it came from. */
export interface ReleaseManifest {
  readonly version: 1;
  readonly release: number;
  readonly kind: 'model' | 'adapter';
  /** Of the files and the base: equal digests are one release. */
  readonly digest: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  /** Version of ftpc. */
  readonly ftpc: string;
  readonly base: ReleaseBase;
  /** The adapter that is in it; null for a model that was trained whole. */
  readonly adapter: { readonly stage: string; readonly sha256: string } | null;
  /** Each stage that it came from, with the key and the digest of its output. */
  readonly stages: readonly ReleaseStage[];
  /** The rows: outputs of data and format stages. */
  readonly data: readonly ReleaseStage[];
  /** Effective settings by stage. */
  readonly settings: Readonly<Record<string, Readonly<Record<string, Value>>>>;
  readonly metrics: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly baseline: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What it was asked before it became current, and its answer. */
  readonly smoke: { readonly prompt: string; readonly answer: string } | null;
  readonly files: FileDigests;
}

export interface ReleaseBase {
  readonly label: string;
  /** Where it was, relative to the release's folder or absolute: an adapter needs it. */
  readonly folder: string;
  /** `nf4`: the adapter was trained over the base in four bits. */
  readonly storage: 'stored' | 'nf4';
  /** Seed of weights that were made fresh. */
  readonly seed?: number;
  readonly sha256: string;
  readonly files: FileDigests;
}

export interface ReleaseStage {
  readonly stage: string;
  readonly kind: string;
  readonly key: string;
  readonly sha256: string;
}
