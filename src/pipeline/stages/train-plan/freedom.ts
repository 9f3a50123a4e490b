/** What one freedom of the planner is: a field of a {@link TrainPlan}, with everything that is said and done about it. */
import type { TensorCounts } from '../../../compute/accelerate/memory/index.js';
import type { PackageVersions, Sharding, ShardingChoice } from '../../../language/ir/engines.js';
import type { Call } from '../../../language/ir/program.js';
import type { Method } from '../../../language/schemas/methods.js';
import type { SettingType } from '../../../language/schemas/schema.js';
import type { TrainPlan } from './plan.js';

export interface Freedom<T> {
  /** The type of its setting; JSON has quantities as numbers, and a boolean only if it is true. */
  readonly type: SettingType;
  readonly doc: string;
  /** Path of its setting; where the stage's schema has that too, the author may set it. */
  readonly setting: string;
  /** Its name in files of earlier versions. */
  readonly formerly?: string;
  /** Its name in cache keys, which never changes; left out if keys do without it, as it changes no result. */
  readonly key?: string;
  /** How the base is held in memory: another method holds it its own way, and an output's file says how it was. */
  readonly isResidency?: true;
  /** Plans that differ in nothing else are shown as one. */
  readonly isMinor?: true;
  /** Where it applies; default: everywhere. */
  applies?(method: Method | undefined): boolean;
  /** Whether it is listed among the settings of a plan; default: if it has a value. */
  isListed?(plan: TrainPlan): boolean;
  /** Its value in the fastest plan. */
  start?(fastest: FastestPlan): T | undefined;
  /** What counts, where other freedoms imply more than its own value. */
  implied?(plan: TrainPlan): T;
  /** Its words in a table of plans, and the column that they are in. */
  readonly cell?: readonly [column: PlanColumn, text: (plan: TrainPlan) => string | undefined];
  /** In a sentence; left out if that would say nothing of interest. */
  text?(plan: TrainPlan): string | undefined;
  /** What may be changed where memory is short. */
  readonly relaxation?: RelaxationRule;
}

/** Of every field; what may be left out says what that means. */
export type Freedoms = {
  readonly [K in keyof TrainPlan]-?: undefined extends TrainPlan[K]
    ? Freedom<NonNullable<TrainPlan[K]>> & { readonly absent: NonNullable<TrainPlan[K]> | false | null }
    : Freedom<TrainPlan[K]>;
};

/** Columns of a table of plans. */
export const PLAN_COLUMNS = ['method', 'rows × times', 'rank', 'tokens', 'recomputed'] as const;
type PlanColumn = (typeof PLAN_COLUMNS)[number];

/** What a plan would be if memory did not matter: found from the rows and the model. */
export interface FastestPlan
  extends Pick<TrainPlan, 'method' | 'microBatch' | 'maxLength' | 'rank' | 'alpha' | 'logitsChunk'> {
  /** Rows of a step, or sequences of them. */
  readonly global: number;
  readonly recomputedAttention: number;
  readonly sharding?: Sharding;
}

/** The ranks of the accelerate engine. */
export interface RankLimits {
  readonly device: 'cpu' | 'cuda';
  /** Of each node, and in all. */
  readonly devices: number;
  readonly world: number;
  /** As asked for; `auto` may become another where memory is short. */
  readonly sharding: ShardingChoice;
  /** Default: `sdpa`. */
  readonly attention?: 'eager' | 'sdpa' | 'flash_attention_2';
  /** Of the Python packages that compute. */
  readonly versions?: PackageVersions;
  /** What was counted with them on this machine, where the tables lack something. */
  readonly counts?: TensorCounts;
}

/** What the relaxations of a stage depend on. */
export interface RelaxationLimits {
  /** `undefined`: the planner chooses between lora and qlora. */
  readonly preset: string | undefined;
  readonly fallback: readonly Call[];
  readonly global: number;
  /** Set by the author. */
  readonly micro: number | undefined;
  readonly layers: number;
  /** The rank is that of an adapter to continue from. */
  readonly fixedRank: boolean;
  /** Tokens of a shard of the vocabulary, where logits can be computed per shard. */
  readonly vocabularyShard?: number;
  /** The optimiser's state may be in a file. */
  readonly offloads: boolean;
  /** PyTorch computes, in processes of its own; default: the embedded engine does. */
  readonly ranks?: RankLimits;
}

/** What a relaxation costs, from the least to the most: those that cost less come first, unless the file lists them. */
export const COSTS = [
  /** Some time; the same numbers are computed from a base in memory. */
  'time',
  /** Every logit is computed twice, which takes longer than a block that is recomputed. */
  'logits',
  /** The base is no longer in memory as stored: in 4 bits, which is much faster, or in its files. */
  'base',
  /** Other rows, or a smaller adapter. */
  'training',
] as const;

export interface RelaxationRule {
  readonly name: RelaxationName;
  readonly cost: (typeof COSTS)[number];
  /** It cannot change the result, so that a training that ran out of memory may continue with it. */
  readonly isExact: boolean;
  /** Whether it may be taken where the file does not list it. */
  isOpen(limits: RelaxationLimits): boolean;
  /** Whether it applies; default: always. */
  applies?(limits: RelaxationLimits): boolean;
  /** From the least change to the greatest; the state that it starts from is not among them. */
  states(from: TrainPlan, limits: RelaxationLimits, args: Call['args']): readonly TrainPlan[];
  /** What it leads to, in words. */
  text(plan: TrainPlan): string;
  /** What a file would list to allow it. */
  readonly help?: { readonly args: Call['args']; readonly text: string };
}

export type RelaxationName =
  | 'decode_each_pass'
  | 'smaller_logits_chunk'
  | 'offload_state'
  | 'smaller_micro_batch'
  | 'fsdp'
  | 'cpu_offload'
  | 'checkpointing'
  | 'vocabulary_shards'
  | 'qlora'
  | 'paged_weights'
  | 'shorten'
  | 'lower_rank';
