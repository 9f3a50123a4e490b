/** Which tensors of a base an adapter changes, and which it brings. */
import { trainedBiases } from '../../models/adapters/biases.js';
import { adaptedProjections, branchFor, downName, isNamed, upName } from '../../models/adapters/branches.js';
import { adaptedOuter, outerFactors } from '../../models/adapters/outer.js';
import {
  adaptedConfig,
  labelsOf,
  unreadHead,
  type WholeRole,
  wholeTensor,
  wholeTensors,
} from '../../models/adapters/whole.js';
import { blueprintOf, SCORE, weightName } from '../../models/architectures/index.js';
import { adaptedParameters, namesExperts } from '../../models/experts.js';
import { moduleNames } from '../../models/module-names.js';
import {
  type Adapter,
  type ModelConfig,
  ModelError,
  type StoredTensor,
  type WeightStore,
} from '../../models/types.js';
import { float32Tensor } from '../../models/weights/stored-tensor.js';
import { type MergedExperts, mergedExperts } from './experts.js';
import type { MergedProjection } from './update.js';

export interface MergePlan {
  readonly adapter: Adapter;
  /** By the names of their weights in the base. */
  readonly projections: ReadonlyMap<string, MergedProjection>;
  /** Those that hold experts. */
  readonly experts?: ReadonlyMap<string, MergedExperts>;
  /** Tensors in the place of the base's, or besides them. */
  readonly whole: ReadonlyMap<string, StoredTensor>;
  /** A tensor of the base that nothing reads any more. */
  readonly unread?: string;
  /** Embedding and head are tensors of their own, which the base has tied. */
  readonly untied: boolean;
}

/** Over a base that this program has a graph for. */
export function knownMerge(adapter: Adapter, config: ModelConfig, base: WeightStore): MergePlan {
  const unread = unreadHead(config, adapter.config);
  const outer = adaptedOuter(adaptedConfig(config, adapter.config), adapter.config);
  const isWhole = wholeTensors(config, adapter.config).length + outer.length > 0;
  const names = namesUntied(config, adapter);
  const inBlocks = adapter.config.kind === 'lora' ? adaptedProjections(config, adapter.config) : [];
  return {
    adapter,
    projections: new Map<string, MergedProjection>([
      ...inBlocks.map((found) => [weightName({ module: found.path }), found] as const),
      ...outer.map((layer) => [names[layer.role], { ...layer, factors: outerFactors(layer) }] as const),
    ]),
    whole: new Map([
      ...(isWhole ? replacedTensors(adapter, config, base) : []),
      ...biasTensors(adapter, config),
    ]),
    ...(unread === undefined ? {} : { unread }),
    untied: labelsOf(adapter.config) === undefined && isWhole,
  };
}

const biasTensors = (
  { config: adapter, tensors }: Adapter,
  config: ModelConfig,
): readonly (readonly [string, StoredTensor])[] =>
  trainedBiases(config, adapter).flatMap(({ name }) => {
    const tensor = tensors.get(name);
    return tensor === undefined ? [] : [[name, float32Tensor(name, tensor.shape, tensor.data)] as const];
  });

/** Names of embedding and head in the merged file, where each has a tensor of its own. */
function namesUntied(config: ModelConfig, { config: adapter }: Adapter): Readonly<Record<WholeRole, string>> {
  const { embedding, head } = blueprintOf({ ...adaptedConfig(config, adapter), tieEmbeddings: false });
  return { embedding: embedding.name, head: head.output.name };
}

/**
 * Embedding and head where the adapter changes one of them, by their names in the merged file: a head that was tied
 * to the embedding then has a tensor of its own.
 */
function replacedTensors(
  own: Adapter,
  config: ModelConfig,
  base: WeightStore,
): ReadonlyMap<string, StoredTensor> {
  const { config: adapter, tensors } = own;
  const { embedding, head } = namesUntied(config, own);
  const tied = blueprintOf(config).head.output.name;
  const of = (role: WholeRole, name: string, otherwise: string): readonly [string, StoredTensor] => {
    const trained = wholeTensor(config, adapter, role);
    const tensor = trained && tensors.get(trained.name);
    return [
      name,
      tensor === undefined ? base.get(otherwise) : float32Tensor(name, tensor.shape, tensor.data),
    ];
  };
  return new Map([of('embedding', embedding, embedding), of('head', head, tied)]);
}

const HEAD = 'lm_head.weight';
const EMBEDDING = /(?:^|\.)(?:embed_tokens|word_embeddings|wte|embed_in)\.weight$/;

/** Over a base of any architecture: the adapter's names say which tensors it changes; `modelType` is that of its `config.json`. */
export function namedMerge(adapter: Adapter, base: WeightStore, path: string, modelType = ''): MergePlan {
  const { config, tensors } = adapter;
  const located = tensorFinder(base, tensors.keys(), path);
  const isFactor = (name: string): boolean =>
    /\.lora_(?:A\.weight|B\.weight|magnitude_vector|embedding_[AB])$/.test(name);
  const projections = new Map<string, MergedProjection>();
  const embedding = base.names().find((name) => EMBEDDING.test(name));
  const modules = [...tensors.keys()].flatMap((name) => /^(.+)\.lora_A\.weight$/.exec(name)?.[1] ?? []);
  const parameters = config.kind === 'lora' ? (config.parameters ?? []) : [];
  const parameterOf = adaptedParameters(parameters, modules);
  const experts = expertsOfBase(adapter, modules, { base, modelType });
  for (const module of modules) {
    const parameter = parameterOf.get(module) ?? module;
    if (config.kind !== 'lora') continue;
    if (namesExperts(parameter)) {
      if (![...experts.values()].some(({ factors }) => factors === module)) throw noExperts(path, parameter);
      continue;
    }
    const own = weightName({ module });
    // a head that is tied to the embedding
    const isTied = own === HEAD && !base.has(HEAD) && embedding !== undefined;
    const stored = base.get(isTied ? embedding : located(own));
    const [inputs, outputs] = [
      tensors.get(downName(module))?.shape[1],
      tensors.get(upName(module))?.shape[0],
    ];
    const [rows, columns] = stored.shape;
    const fits = rows === outputs && columns === inputs;
    if (stored.shape.length !== 2 || !(fits || (rows === inputs && columns === outputs)))
      throw misfit(path, module, stored.shape);
    projections.set(isTied ? HEAD : stored.name, {
      ...{ path: module, inputs: inputs ?? 0, outputs: outputs ?? 0, transposed: !fits },
      branch: branchFor(config, parameter),
    });
  }
  const whole = new Map<string, StoredTensor>();
  for (const [name, { shape, data }] of tensors) {
    if (isFactor(name)) continue;
    const isHead = name === HEAD || isNamed(name, weightName({ module: SCORE }));
    const own = isHead ? name : located(name);
    whole.set(own, float32Tensor(own, shape, data));
  }
  for (const [name, merged] of embeddingFactors(adapter, base, located)) projections.set(name, merged);
  const labelled = labelsOf(config) !== undefined;
  const isBias = (name: string): boolean => name.endsWith('.bias');
  const changed = [...[...whole.keys()].filter((name) => !isBias(name)), ...projections.keys()];
  const untied =
    !labelled &&
    !base.has(HEAD) &&
    changed.some((name) => name === HEAD || name === embedding || whole.has(name));
  // the head stays as it was where only the embedding is another one
  if (untied && !whole.has(HEAD) && embedding !== undefined) whole.set(HEAD, base.get(embedding));
  return {
    ...{ adapter, projections, experts, whole, untied },
    ...(labelled && base.has(HEAD) ? { unread: HEAD } : {}),
  };
}

/** Factors over an embedding, by the name of its tensor in the files. */
function embeddingFactors(
  { config, tensors }: Adapter,
  base: WeightStore,
  located: (name: string) => string,
): readonly (readonly [string, MergedProjection])[] {
  if (config.kind !== 'lora') return [];
  return [...tensors.keys()].flatMap((name) => {
    const [, path] = /^(.+)\.lora_embedding_A$/.exec(name) ?? [];
    if (path === undefined) return [];
    const stored = base.get(located(weightName({ module: path })));
    const [inputs = 0, outputs = 0] = stored.shape;
    const factors = outerFactors({ role: 'embedding', path });
    const branch = branchFor(config, path);
    return [[stored.name, { path, inputs, outputs, transposed: true, branch, factors }] as const];
  });
}

/** By their names in the files. */
function expertsOfBase(
  adapter: Adapter,
  modules: readonly string[],
  { base, modelType }: { readonly base: WeightStore; readonly modelType: string },
): ReadonlyMap<string, MergedExperts> {
  const inMemory = moduleNames(base.names());
  const tensors = base.names().map((name) => ({ name: inMemory(name), shape: base.get(name).shape }));
  const found = mergedExperts(adapter, modules, { modelType, tensors });
  return new Map(
    base.names().flatMap((name): [string, MergedExperts][] => {
      const experts = found.get(inMemory(name));
      return experts === undefined ? [] : [[name, experts]];
    }),
  );
}

const noExperts = (path: string, parameter: string): ModelError =>
  new ModelError(
    'adapter_mismatch',
    path,
    `It changes ${parameter}, and the base has no experts that are called so, or in a layout that is not read here.`,
    'Use the base that the adapter was trained on, or let PEFT merge it (`merge_and_unload`).',
  );

/**
 * The tensor of a base's files that is called so in memory; adapters of older releases have the names of files, too.
 * Throws a `ModelError`.
 */
function tensorFinder(base: WeightStore, adapted: Iterable<string>, path: string): (name: string) => string {
  const inMemory = moduleNames(base.names());
  const inAdapter = moduleNames(adapted);
  const files = new Map(base.names().map((file) => [inMemory(file), file]));
  return (name) => {
    const found = files.get(inAdapter(name));
    if (found === undefined)
      throw new ModelError(
        'adapter_mismatch',
        path,
        `It changes ${name.replace(/\.weight$/, '')}, which no tensor of the base is for.`,
        'Use the base that the adapter was trained on, or let PEFT merge it (`merge_and_unload`).',
      );
    return found;
  };
}

const misfit = (path: string, module: string, shape: readonly number[]): ModelError =>
  new ModelError(
    'adapter_mismatch',
    path,
    `Its factors for ${module} do not fit the base, whose weight has shape [${shape.join(', ')}].`,
    'Use the base that the adapter was trained on, or let PEFT merge it (`merge_and_unload`).',
  );
