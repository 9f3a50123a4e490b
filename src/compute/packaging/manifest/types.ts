import * as v from 'valibot';
import { anyObject, type Checked, count, figure, record, version } from '../../../language/host/json.js';

const FILE_DIGEST = v.object({ bytes: count, sha256: v.string() });
export type FileDigest = Checked<typeof FILE_DIGEST>;

/** By name, `/` between folders, sorted. */
export const FILE_DIGESTS = record(FILE_DIGEST);
export type FileDigests = Checked<typeof FILE_DIGESTS>;

const STAGE = v.object({ stage: v.string(), kind: v.string(), key: v.string(), sha256: v.string() });
export type ReleaseStage = Checked<typeof STAGE>;

const BASE = v.object({
  label: v.string(),
  /** Where it was, relative to the release's folder or absolute: an adapter needs it. */
  folder: v.string(),
  /** `nf4`: the adapter was trained over the base in four bits. */
  storage: v.picklist(['stored', 'nf4']),
  /** Seed of weights that were made fresh. */
  seed: v.optional(v.number()),
  sha256: v.string(),
  files: FILE_DIGESTS,
});
export type ReleaseBase = Checked<typeof BASE>;

/** `manifest.json` of a release: what it is, and what it came from. */
export const RELEASE_MANIFEST = v.object({
  version: version(1),
  release: count,
  kind: v.picklist(['model', 'adapter']),
  /** Of the files and the base: equal digests are one release. */
  digest: v.string(),
  /** ISO 8601, UTC. */
  created: v.string(),
  /** Version of ftpc. */
  ftpc: v.string(),
  base: BASE,
  /** The adapter that is in it; null for a model that was trained whole. */
  adapter: v.nullable(v.object({ stage: v.string(), sha256: v.string() })),
  /** Each stage that it came from, with the key and the digest of its output. */
  stages: v.array(STAGE),
  /** The rows: outputs of data and format stages. */
  data: v.array(STAGE),
  /** Effective settings by stage. */
  settings: record(anyObject),
  metrics: record(record(figure)),
  baseline: record(record(figure)),
  /** What it was asked before it became current, and its answer. */
  smoke: v.nullable(v.object({ prompt: v.string(), answer: v.string() })),
  files: FILE_DIGESTS,
});
export type ReleaseManifest = Checked<typeof RELEASE_MANIFEST>;
