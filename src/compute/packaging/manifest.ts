import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { type Host, HostError } from '../../language/host/host.js';
import {
  anyObject,
  count,
  figure,
  finite,
  JsonFault,
  type JsonOf,
  record,
  version,
} from '../../language/host/json.js';
import {
  FileSealer,
  SEALED_FILE,
  type SealedFile,
  type SealedFiles,
} from '../../language/host/sealed-file.js';
import { checkedText, parseChecked } from '../../language/host/self-check.js';
import { plainHost } from '../../language/host/verified-host.js';
import { ROW_PROMPT } from '../models/training-prompt.js';

/** By name, `/` between folders, sorted. */
const FILE_DIGESTS = record(SEALED_FILE);

const STAGE = v.object({ stage: v.string(), kind: v.string(), key: v.string(), sha256: v.string() });
export type ReleaseStage = JsonOf<typeof STAGE>;

/** What answers of an evaluation are like. */
export const ANSWERS = v.object({
  count,
  tokens: v.object({ mean: finite, median: finite, p95: finite, most: finite }),
  repetition: finite,
  refusals: finite,
});
export type ReleaseAnswers = JsonOf<typeof ANSWERS>;

const BASE = v.object({
  label: v.string(),
  /** Where it was, relative to the release's folder or absolute: an adapter needs it. */
  folder: v.string(),
  /** `nf4`: the adapter was trained over the base in four bits. */
  storage: v.picklist(['stored', 'nf4']),
  /** Seed of weights that were made fresh. */
  seed: v.optional(v.number()),
  /** Tokens that it has besides those of its files. */
  specialTokens: v.optional(v.pipe(v.array(v.string()), v.readonly())),
  plainTokens: v.optional(v.pipe(v.array(v.string()), v.readonly())),
  sha256: v.string(),
  files: FILE_DIGESTS,
});

/** `manifest.json` of a release: what it is, and what it came from. */
const RELEASE_MANIFEST = v.object({
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
  /** How the rows asked that it was trained on; left out where nobody knows. */
  prompt: v.optional(ROW_PROMPT),
  /**
   * The adapter that is in it, by the stage that trained it or by its folder; null for a model that was trained whole. `sha256`:
   * of the stage's folder, or of what `sha256sum` prints of the folder's files that count.
   */
  adapter: v.nullable(
    v.union([
      v.object({ stage: v.string(), sha256: v.string() }),
      v.object({ folder: v.string(), sha256: v.string() }),
    ]),
  ),
  /** Each stage that it came from, with the key and the digest of its output. */
  stages: v.array(STAGE),
  /** The rows: outputs of data and format stages. */
  data: v.array(STAGE),
  /** Effective settings by stage. */
  settings: record(anyObject),
  metrics: record(record(figure)),
  baseline: record(record(figure)),
  /** By the stages that evaluated what is in it; left out where none did, and in earlier releases. */
  answers: v.optional(record(ANSWERS)),
  /** What it was asked before it became current, and its answer. */
  smoke: v.nullable(v.object({ prompt: v.string(), answer: v.string() })),
  files: FILE_DIGESTS,
});
export type ReleaseManifest = JsonOf<typeof RELEASE_MANIFEST>;

export const MANIFEST = 'manifest.json';

/** A release's manifest, or what is wrong with it in a sentence. */
export function readManifest(host: Host, folder: string): ReleaseManifest | { readonly damage: string } {
  let text: string;
  try {
    text = plainHost(host).readText(`${folder}/${MANIFEST}`);
  } catch (error) {
    if (error instanceof HostError) return { damage: `${MANIFEST} can't be read: ${error.detail}` };
    throw error;
  }
  const manifest = parseChecked(RELEASE_MANIFEST, text);
  return manifest instanceof JsonFault ? { damage: `${MANIFEST}: ${manifest.detail}` } : manifest;
}

/** A manifest from elsewhere; `undefined` if it is none of ours, or damaged. */
export function parseManifest(text: string): ReleaseManifest | undefined {
  const manifest = parseChecked(RELEASE_MANIFEST, text);
  return manifest instanceof JsonFault ? undefined : manifest;
}

export const manifestText = (manifest: ReleaseManifest): string => checkedText(manifest);

const WINDOW = 1 << 22;

/** What is kept of a file, read through a window of 4 MiB. */
export function digestFile(host: Host, path: string): SealedFile {
  const sealer = new FileSealer();
  for (let start = 0; ; start += WINDOW) {
    const part = host.readBytes(path, start, WINDOW);
    sealer.add(part);
    if (part.byteLength < WINDOW) return sealer.seal();
  }
}

/** Names of all files below a folder, `/` between folders, sorted by code unit. */
export function filesBelow(host: Host, folder: string): readonly string[] {
  const walk = (prefix: string): readonly string[] =>
    host.list(`${folder}/${prefix}`).flatMap((name) => {
      const stat = host.stat(`${folder}/${prefix}${name}`);
      if (stat === undefined) return [];
      return stat.isFolder ? walk(`${prefix}${name}/`) : [`${prefix}${name}`];
    });
  return [...walk('')].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

export const digestFiles = (host: Host, folder: string, names: readonly string[]): SealedFiles =>
  Object.fromEntries(names.map((name) => [name, digestFile(host, `${folder}/${name}`)]));

/** One digest of many files: of their names, sizes and digests. */
export function combinedDigest(files: SealedFiles): string {
  const lines = Object.entries(files)
    .map(([name, { bytes, sha256 }]) => `${sha256} ${bytes} ${name}\n`)
    .sort();
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** What tells releases apart: equal digests are one release. */
export const releaseDigest = (kind: ReleaseManifest['kind'], files: SealedFiles, base: string): string =>
  textDigest(`${kind} ${combinedDigest(files)} ${base}\n`);

export const textDigest = (text: string): string => createHash('sha256').update(text).digest('hex');
