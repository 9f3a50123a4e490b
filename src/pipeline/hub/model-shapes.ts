/**
 * Models of which a plan knows the shape and not the files: `config.json` from the cache or a folder, or from the list
 * that comes with ftpc.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { causalClass } from '../../compute/models/config/auto-class.js';
import { shown } from '../../compute/models/read-file.js';
import { INDEX_FILE, SINGLE_FILE } from '../../compute/models/safetensors/read.js';
import { knownShape } from '../../compute/models/shapes/known.js';
import { type StoredFormat, storedWeights } from '../../compute/models/shapes/stored-formats.js';
import { tensorsOfConfig } from '../../compute/models/shapes/tensors.js';
import { virtualWeights } from '../../compute/models/shapes/virtual-weights.js';
import { ModelError } from '../../compute/models/types.js';
import type { StoredDigest } from '../../language/host/digests.js';
import type { Host } from '../../language/host/host.js';
import { anyObject, type Json, tryJsonFile } from '../../language/host/json.js';
import type { HubFile, ModelShape } from '../../language/ir/program.js';
import { isCommit, type Repository } from '../../language/schemas/repositories.js';
import { cachedCommit, snapshotFolder } from '../stages/hub-repositories.js';
import type { VirtualFile } from './heads.js';

const CONFIG = 'config.json';

/** A folder as it would be, as far as a plan reads it. */
export interface ShapedFolder {
  readonly shape: ModelShape;
  readonly folder: string;
  /** Those that are not there. */
  readonly files: ReadonlyMap<string, VirtualFile>;
  readonly digests: Readonly<Record<string, StoredDigest>>;
}

/** A model of the Hub without its files. */
export interface ShapedRepository extends ShapedFolder {
  /** That of the cache, or one that stands for the config: no commit of the Hub. */
  readonly commit: string;
  readonly listed: readonly HubFile[];
}

/** `undefined` where nothing is known of it. */
export function shapeOfRepository(
  host: Host,
  repository: Repository,
  locked: string | undefined,
): ShapedRepository | undefined {
  if (repository.kind !== 'model') return undefined;
  const commit = locked ?? cachedCommit(host, repository);
  const cached =
    commit === undefined
      ? undefined
      : shapedFolder(host, snapshotFolder(host, repository, commit), repository.id);
  if (cached !== undefined && commit !== undefined) return listed(cached, commit);
  const known = knownShape(host, repository.id);
  if (known === undefined) return undefined;
  const { id, config, source, isQuantised, stored } = known;
  const made = locked ?? digestOf(encoded(config)).slice(0, 40);
  if (!isCommit(made)) return undefined;
  const folder = snapshotFolder(host, repository, made);
  const shaped = virtualFolder(host, folder, config, {
    model: repository.id,
    source: id.toLowerCase() === repository.id.toLowerCase() ? source : `that of \`${id}\`; ${source}`,
    isQuantised,
    stored,
  });
  return shaped && listed(shaped, made);
}

const listed = (shaped: ShapedFolder, commit: string): ShapedRepository => ({
  ...shaped,
  commit,
  listed: [...shaped.files].map(([path, { bytes }]) => ({
    name: path.slice(shaped.folder.length + 1),
    bytes: path.endsWith(SINGLE_FILE) ? (shaped.shape.stored?.bytes ?? bytes) : bytes,
    sha256: shaped.digests[path]?.sha256,
  })),
});

/**
 * A folder with a `config.json` and without weights; `undefined` for any other, and where its tensors cannot be told: `refused` hears
 * what is wrong with its values.
 */
export function shapedFolder(
  host: Host,
  folder: string,
  model: string,
  refused: (error: ModelError) => void = () => {},
): ShapedFolder | undefined {
  const isThere = (name: string): boolean => host.stat(join(folder, name))?.isFolder === false;
  if (!isThere(CONFIG) || isThere(SINGLE_FILE) || isThere(INDEX_FILE)) return undefined;
  const config = tryJsonFile(anyObject, host, join(folder, CONFIG));
  return (
    config &&
    virtualFolder(host, folder, config, { model, source: 'its `config.json`', isQuantised: false, refused })
  );
}

interface ShapeOrigin extends Pick<ModelShape, 'model' | 'source' | 'isQuantised'> {
  readonly stored?: StoredFormat | undefined;
  readonly refused?: (error: ModelError) => void;
}

function virtualFolder(
  host: Host,
  folder: string,
  config: Json,
  { stored, refused = () => {}, ...origin }: ShapeOrigin,
): ShapedFolder | undefined {
  const tensors = shapesOf(config, join(folder, CONFIG), refused);
  if (tensors === undefined) return undefined;
  const text = encoded(config);
  const weights = virtualWeights(config, tensors);
  const all: readonly (readonly [string, VirtualFile])[] = [
    [CONFIG, { bytes: text.length, head: text }],
    [SINGLE_FILE, weights],
  ];
  const missing = all
    .map(([name, file]) => [join(folder, name), file] as const)
    .filter(([path]) => host.stat(path) === undefined);
  return {
    shape: {
      ...origin,
      bytes: weights.bytes,
      ...(stored === undefined
        ? {}
        : { stored: { ...storedWeights(stored, tensors), reader: causalClass(config['model_type']) } }),
      hasTokenizer: host.stat(join(folder, 'tokenizer.json')) !== undefined,
    },
    folder,
    files: new Map(missing),
    digests: Object.fromEntries(
      missing.map(([path, { bytes, head }]) => [path, { size: bytes, modified: 0, sha256: digestOf(head) }]),
    ),
  };
}

function shapesOf(
  config: Json,
  path: string,
  refused: (error: ModelError) => void,
): ReturnType<typeof tensorsOfConfig> {
  try {
    const tensors = tensorsOfConfig(config, path);
    if (tensors === undefined) refused(ofUnknownTensors(config, path));
    return tensors;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    refused(error);
    return undefined;
  }
}

/** An architecture that transformers knows, and of which no list says what tensors it has. */
const ofUnknownTensors = (config: Json, path: string): ModelError =>
  new ModelError(
    'model_not_found',
    path,
    `There are no weights next to it, and of the architecture ${shown(config['model_type'])} a plan does not know without them what tensors it has.`,
    'Put its safetensors files next to it; of `hf("ORGANISATION/NAME")`, a plan reads no more than how these begin.',
  );

const encoded = (config: Json): Uint8Array => new TextEncoder().encode(JSON.stringify(config));

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
