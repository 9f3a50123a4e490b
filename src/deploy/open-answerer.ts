import { isAbsolute, join, resolve } from 'node:path';
import { type Answerer, answerer } from '../evaluation/chat.js';
import { EVALUATION_SHAPES } from '../evaluation/shapes.js';
import { createDecoder } from '../models/decoder/index.js';
import { openModelAt, untrained } from '../models/open.js';
import { MANIFEST, readManifest } from '../packaging/manifest/index.js';
import { checkAdapter, readAdapter } from '../packaging/peft/read.js';
import type { Host } from '../source/host.js';
import { onnxRuntime } from '../tensor/runtimes/onnx/index.js';
import { noBase } from './problems.js';
import { CURRENT } from './releases.js';

export interface OpenAnswererOptions {
  /** Absolute: a model folder or GGUF file, an adapter folder, a release, or a folder of releases (its current one answers). */
  readonly folder: string;
  /** An adapter over the model in `folder`. */
  readonly adapter?: string;
  /** How the base is held. Left out: as a release's manifest says, else as it is stored. */
  readonly storage?: 'stored' | 'f32' | 'nf4';
  /** The base's weights are fresh ones of this seed. */
  readonly seed?: number;
  /** Threads of the runtime. Left out: one a core. */
  readonly threads?: number;
}

interface Source {
  readonly base: string;
  readonly adapter?: string;
  readonly storage: 'stored' | 'f32' | 'nf4';
  readonly seed?: number;
}

/** Opens what can answer. Throws a `ModelError` or a `UserError` where the folder holds no such thing. */
export async function openAnswerer(host: Host, options: OpenAnswererOptions): Promise<Answerer> {
  const { base, adapter: adapterFolder, storage, seed } = sourceOf(host, options);
  const found = openModelAt(host, base);
  const model = seed === undefined ? found : untrained(found, seed);
  const adapter = adapterFolder === undefined ? undefined : readAdapter(host, adapterFolder);
  if (adapter !== undefined) checkAdapter(adapter, model.config, adapter.path);
  const decoder = await createDecoder({
    runtime: await onnxRuntime({ threads: options.threads }),
    config: model.config,
    weights: model.loadWeights(storage),
    ...(adapter === undefined ? {} : { adapter }),
    trainable: 'none',
    checkpointedBlocks: 0,
    headChunk: EVALUATION_SHAPES.headChunk,
  });
  return answerer({
    label: options.folder,
    decoder,
    tokenizer: await model.tokenizer(),
    template: model.template(),
  });
}

function sourceOf(host: Host, { folder, adapter, storage, seed }: OpenAnswererOptions): Source {
  if (adapter !== undefined) return { base: folder, adapter, storage: storage ?? 'stored', seed };
  const current = join(folder, CURRENT);
  if (!isModel(host, folder) && !isAdapter(host, folder) && host.stat(current)?.isFolder === true)
    return sourceOf(host, { folder: current, storage });
  if (!isAdapter(host, folder)) return { base: folder, storage: storage ?? 'stored', seed };
  const found = baseOf(host, folder);
  return { base: found.folder, adapter: folder, storage: storage ?? found.storage, seed: found.seed };
}

/** A folder in Hugging Face layout, or a GGUF file. */
const isModel = (host: Host, path: string): boolean =>
  host.stat(path)?.isFolder === false || host.stat(join(path, 'config.json')) !== undefined;
const isAdapter = (host: Host, folder: string): boolean =>
  host.stat(join(folder, 'adapter_config.json')) !== undefined;

/** The base of an adapter folder: where a release's manifest says, or where PEFT's config does. */
function baseOf(
  host: Host,
  folder: string,
): { readonly folder: string; readonly storage: 'stored' | 'nf4'; readonly seed?: number } {
  if (host.stat(join(folder, MANIFEST)) !== undefined) {
    const manifest = readManifest(host, folder);
    if ('damage' in manifest) throw noBase(folder, manifest.damage);
    const { base } = manifest;
    const path = isAbsolute(base.folder) ? base.folder : resolve(folder, base.folder);
    if (!isModel(host, path)) throw noBase(folder, base.label);
    return { folder: path, storage: base.storage, seed: base.seed };
  }
  const { name } = readAdapter(host, folder).base;
  const starter = join(host.packageFolder, 'stdlib', 'models', 'starter');
  const places = name === null ? [] : [resolve(host.cwd, name), resolve(folder, name)];
  if (name === 'starter') places.push(starter);
  const path = places.find((place) => isModel(host, place));
  if (path === undefined) throw noBase(folder, name ?? 'which it does not name');
  return { folder: path, storage: 'stored' };
}
