/** Which linear layers have low-rank factors, and which: PEFT's rules for names, layers and patterns. */
import {
  type BlockBlueprint,
  blueprintOf,
  expertsOfModel,
  inputsOf,
  type NamedShape,
  type PlacedProjection,
  type Projection,
  projectionsOf,
  projectionsOfModel,
} from '../architectures/index.js';
import { type ExpertParameter, factorModules } from '../experts.js';
import type { ModelConfig } from '../types.js';
import type { LoraConfig } from './config.js';
import type { Branch } from './definition.js';

/**
 * The branch over the linear layer with this full path; `undefined` if it has none. A whole path counts in every
 * layer, the end of one only in `layers`, and what is excluded in none (peft, `check_target_module_exists`).
 */
export function branchAt(lora: LoraConfig, path: string, layer: number): Branch | undefined {
  if (lora.exclude?.some((name) => isNamed(path, name)) === true) return undefined;
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
const matched = (patterns: Readonly<Record<string, number>> | undefined, path: string): number | undefined =>
  Object.entries(patterns ?? {}).find(([pattern]) => matchesPattern(pattern, path))?.[1];

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

export interface AdaptedExperts extends ExpertParameter {
  readonly branch: Branch;
  /** Where PEFT has the factors. */
  readonly factors: string;
}

/** The experts that have low-rank factors, in the order of the layers; `layers` does not narrow them, as in PEFT. */
export function adaptedExperts(config: ModelConfig, lora: LoraConfig): readonly AdaptedExperts[] {
  const { parameters = [] } = lora;
  const adapted = expertsOfModel(config).filter(({ path }) =>
    parameters.some((target) => isNamed(path, target)),
  );
  const modules = factorModules(adapted.map(({ path }) => path));
  return adapted.map((parameter) => ({
    ...parameter,
    branch: branchFor(lora, parameter.path),
    factors: modules.get(parameter.path) ?? '',
  }));
}

/**
 * Their trained tensors: A `[experts · rank, inputs]`, whose rows are the first expert's first, and B `[outputs, rank · experts]`,
 * whose columns are all experts' for one rank after another.
 */
export const expertFactors = ({
  factors,
  branch: { rank },
  experts,
  inputs,
  outputs,
}: AdaptedExperts): readonly [down: NamedShape, up: NamedShape] => [
  { name: downName(factors), shape: [experts * rank, inputs] },
  { name: upName(factors), shape: [outputs, rank * experts] },
];

/** Which linear layers of a block a set has. */
const MEMBERS = {
  /** Every one: PEFT's `all-linear`, which leaves the head out. */
  all_linear: projectionsOf,
  attention: ({ attention }: BlockBlueprint) => [...inputsOf(attention), attention.output],
  /** What PEFT takes where no target is named: queries and values, or the layer that they are fused in. */
  query_value: ({ attention }: BlockBlueprint) =>
    attention.inputs.kind === 'separate' ? [attention.inputs.q, attention.inputs.v] : inputsOf(attention),
} as const satisfies Readonly<Record<string, (block: BlockBlueprint) => readonly Projection[]>>;

export type TargetSet = keyof typeof MEMBERS;

/**
 * The targets of a set, as PEFT lists them: the last part of a path, or as much more of it as tells the layer from
 * those that are not in the set.
 */
export function targetsOfSet(config: ModelConfig, set: TargetSet): readonly string[] {
  if (config.foreign !== undefined) return foreignTargets(config, set);
  const found = Object.values(blueprintOf(config).blocks).flatMap((block) => {
    const members = MEMBERS[set](block);
    const others = projectionsOf(block).filter((projection) => !members.includes(projection));
    return members.map(({ target, module }) =>
      others.some((other) => isNamed(other.module, target)) ? module : target,
    );
  });
  return [...new Set(found)];
}

/** Which linear layers of a block a set has, by their paths in it: the usual names of attention and of its parts. */
const NAMED: Readonly<Record<TargetSet, RegExp>> = {
  all_linear: /./,
  attention: /(?:^|\.)(?:self_attn|self_attention|attention|attn)\./,
  query_value: /(?:^|\.)(?:q_proj|v_proj|query|value|wq|wv|qkv_proj|query_key_value|c_attn|Wqkv)$/,
};

/** The same for a model without a graph. */
function foreignTargets(config: ModelConfig, set: TargetSet): readonly string[] {
  const all = projectionsOfModel(config);
  const members = all.filter(({ module }) => NAMED[set].test(module));
  const others = all.filter((projection) => !members.includes(projection));
  const found = members.map(({ target, module }) =>
    others.some((other) => isNamed(other.module, target)) ? module : target,
  );
  return [...new Set(found)];
}

/** Names that a target may have: last parts of paths, and paths within a block; of experts, the latter alone. */
export function targetNames(config: ModelConfig): readonly string[] {
  const all = projectionsOfModel(config);
  return [
    ...new Set([
      ...all.map(({ target }) => target),
      ...all.map(({ module }) => module),
      ...expertsOfModel(config).map(({ module }) => module),
    ]),
  ];
}

/** The linear layers that a target names, whatever their layer. */
export const projectionsNamed = (config: ModelConfig, target: string): readonly PlacedProjection[] =>
  projectionsOfModel(config).filter(({ path }) => isNamed(path, target));

/** The same of experts. */
export const expertsNamed = (config: ModelConfig, target: string): readonly ExpertParameter[] =>
  expertsOfModel(config).filter(({ path }) => isNamed(path, target));

/** Bounds of patterns over the paths of linear layers, which may come from a stranger's adapter. */
const LONGEST = 200;
const MOST_REPETITIONS = 6;

/** A group that is repeated and holds a repetition or a choice: what makes matching take exponential time. */
const REPEATED_GROUP = /\((?:[^()\\]|\\.)*[*+{|](?:[^()\\]|\\.)*\)[*+{]/;

/**
 * What is wrong with a pattern, in a few words; nothing if it is a regular expression that is matched in little time.
 * A path has about fifty letters, so that a few plain repetitions do no harm.
 */
export function patternProblem(pattern: string): string | undefined {
  if (pattern.length > LONGEST) return `it has more than ${LONGEST} letters`;
  if (REPEATED_GROUP.test(pattern)) return 'it repeats a group that contains a repetition or an alternative';
  if ((pattern.match(/[*+{]/g) ?? []).length > MOST_REPETITIONS)
    return `it has more than ${MOST_REPETITIONS} repetitions`;
  try {
    matchesPattern(pattern, '');
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message.replace(/^.*: /, '').toLowerCase();
    throw error;
  }
}

/** Whether a pattern matches the end of a path from a dot on (peft, `get_pattern_key`). Throws a `SyntaxError`. */
export const matchesPattern = (pattern: string, path: string): boolean =>
  new RegExp(`^(.*\\.)?(${pattern})$`).test(path);
