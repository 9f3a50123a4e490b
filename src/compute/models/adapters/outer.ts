/**
 * Low-rank factors over the embedding and the head, as PEFT's `LoraConfig` has them where `target_modules` names the two. Those
 * of an embedding are parameters of their own (peft, `lora.layer.Embedding`): A `[rank, vocabulary]`, which begins at 0, and
 * B `[hidden, rank]`, normal; a token's row of A·B is added to its embedding, without dropout.
 */
import { blueprintOf, type NamedShape, type Projection } from '../architectures/index.js';
import type { ModelConfig } from '../types.js';
import { branchAt, branchTensors, downName, isNamed, upName } from './branches.js';
import type { AdapterConfig } from './config.js';
import type { Branch } from './definition.js';
import { savableTensors, type WholeRole } from './whole.js';

/** What no layer has: targets within `layers` pass it over, whole paths do not. */
const NO_LAYER = -1;

/**
 * Embedding or head as the linear layer that its factors see: an embedding is one of one-hot tokens, stored the other
 * way round.
 */
interface OuterLayer extends Projection {
  readonly role: WholeRole;
  readonly path: string;
  /** The tensor of the base that it reads: a tied head has that of the embedding. */
  readonly stored: string;
}

export interface AdaptedOuter extends OuterLayer {
  readonly branch: Branch;
}

/** Those that factors may be over. The head over labels is trained whole anyway. */
export function outerLayers(config: ModelConfig): readonly OuterLayer[] {
  const { embedding, head } = blueprintOf(config);
  return savableTensors(config).flatMap(({ role, name, module, shape }): readonly OuterLayer[] => {
    if (role === 'head' && config.labels !== undefined) return [];
    const [vocabulary = 0, hidden = 0] = shape;
    const isHead = role === 'head';
    const path = name.replace(/\.weight$/, '');
    return [
      {
        ...{ role, path, module: path, target: module, bias: false, transposed: !isHead },
        stored: isHead ? head.output.name : embedding.name,
        inputs: isHead ? hidden : vocabulary,
        outputs: isHead ? vocabulary : hidden,
      },
    ];
  });
}

export function adaptedOuter(
  config: ModelConfig,
  adapter: AdapterConfig | undefined,
): readonly AdaptedOuter[] {
  if (adapter?.kind !== 'lora') return [];
  return outerLayers(config).flatMap((layer) => {
    const branch = branchAt(adapter, layer.path, NO_LAYER);
    return branch === undefined ? [] : [{ ...layer, branch }];
  });
}

export const adaptedOuterOf = (
  config: ModelConfig,
  adapter: AdapterConfig | undefined,
  role: WholeRole,
): AdaptedOuter | undefined => adaptedOuter(config, adapter).find((one) => one.role === role);

/** Names of A and B. */
export const outerFactors = ({
  role,
  path,
}: Pick<OuterLayer, 'role' | 'path'>): { readonly down: string; readonly up: string } =>
  role === 'head'
    ? { down: downName(path), up: upName(path) }
    : { down: `${path}.lora_embedding_A`, up: `${path}.lora_embedding_B` };

/** Its trained tensors, by their full names. */
export function outerTensors(layer: AdaptedOuter): readonly NamedShape[] {
  const { branch, inputs, outputs, path } = layer;
  if (layer.role === 'head') return branchTensors(branch, layer, path);
  const { down, up } = outerFactors(layer);
  return [
    { name: down, shape: [branch.rank, inputs] },
    { name: up, shape: [outputs, branch.rank] },
  ];
}

/** Those of the head's factors. */
export function headFactorNames(config: ModelConfig, adapter: AdapterConfig | undefined): readonly string[] {
  const head = adaptedOuterOf(config, adapter, 'head');
  return head === undefined ? [] : outerTensors(head).map(({ name }) => name);
}

/** The embedding or the head that a target names. */
export const outerNamed = (config: ModelConfig, target: string): readonly OuterLayer[] =>
  outerLayers(config).filter(({ path }) => isNamed(path, target));

/** `embed_tokens` and `lm_head` are understood of every family; others have names of their own for them. */
export const outerTarget = (config: ModelConfig, target: string): string =>
  target === 'embed_tokens'
    ? (outerLayers(config).find(({ role }) => role === 'embedding')?.target ?? target)
    : target;

/** Whether head and embedding are one tensor. */
export const isTied = (config: ModelConfig): boolean => {
  const { embedding, head } = blueprintOf(config);
  return head.output.name === embedding.name;
};
