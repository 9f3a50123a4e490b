/** Which linear layers have low-rank factors, and which: PEFT's rules for names, layers and patterns. */
import {
  type NamedShape,
  type PlacedProjection,
  type Projection,
  projectionsOfModel,
} from '../architectures/index.js';
import type { ModelConfig } from '../types.js';
import type { LoraConfig } from './config.js';
import type { Branch } from './definition.js';
import { matchesPattern } from './patterns.js';

/**
 * The branch over the linear layer with this full path; `undefined` if it has none. A whole path counts in every
 * layer, the end of one only in `layers` (peft, `check_target_module_exists`).
 */
export function branchAt(lora: LoraConfig, path: string, layer: number): Branch | undefined {
  const inLayer = lora.layers === undefined || lora.layers.includes(layer);
  const named = lora.targets.some((target) => path === target || (inLayer && isNamed(path, target)));
  return named ? branchFor(lora, path) : undefined;
}

/** Whether a target is the path of a linear layer, or its end from a dot on. */
export const isNamed = (path: string, target: string): boolean =>
  path === target || path.endsWith(`.${target}`);

/** The branch over a linear layer that is known to have one. */
export function branchFor(lora: LoraConfig, path: string): Branch {
  const rank = matched(lora.rankPattern, path) ?? lora.rank;
  const alpha = matched(lora.alphaPattern, path) ?? lora.alpha;
  return {
    rank,
    scale: alpha / (lora.rslora ? Math.sqrt(rank) : rank),
    dora: lora.dora ?? false,
    residual: lora.pissa ?? false,
  };
}

/** The first pattern that matches the end of a path from a dot on (peft, `get_pattern_key`). */
function matched(patterns: Readonly<Record<string, number>> | undefined, path: string): number | undefined {
  return Object.entries(patterns ?? {}).find(([pattern]) => matchesPattern(pattern, path))?.[1];
}

export const downName = (module: string): string => `${module}.lora_A.weight`;
export const upName = (module: string): string => `${module}.lora_B.weight`;
export const magnitudeName = (module: string): string => `${module}.lora_magnitude_vector`;

/** The factors that training began with. */
export const firstDownName = (module: string): string => `${module}.pissa_A.weight`;
export const firstUpName = (module: string): string => `${module}.pissa_B.weight`;

/** Whether a tensor of an adapter is trained: the factors that training began with stay as they are. */
export const isTrained = (name: string): boolean => !/\.pissa_[AB]\.weight$/.test(name);

/** Trained tensors of a branch: A `[rank, inputs]`, B `[outputs, rank]`, and DoRA's magnitudes `[outputs]`. */
export const branchTensors = (
  { rank, dora }: Branch,
  { inputs, outputs }: Projection,
  module: string,
): readonly NamedShape[] => [
  { name: downName(module), shape: [rank, inputs] },
  { name: upName(module), shape: [outputs, rank] },
  ...(dora ? [{ name: magnitudeName(module), shape: [outputs] }] : []),
];

export interface AdaptedProjection extends PlacedProjection {
  readonly branch: Branch;
}

/** The linear layers of a model that have low-rank factors, in the order of its layers. */
export const adaptedProjections = (config: ModelConfig, lora: LoraConfig): readonly AdaptedProjection[] =>
  projectionsOfModel(config).flatMap((projection) => {
    const branch = branchAt(lora, projection.path, projection.layer);
    return branch === undefined ? [] : [{ ...projection, branch }];
  });
