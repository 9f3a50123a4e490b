/**
 * What computes the stages that compute with models. `embedded`: ftpc's own process, with a tensor runtime;
 * `accelerate`: PyTorch, Transformers and PEFT, in a Python process per device.
 */
export const ENGINE_NAMES = ['embedded', 'accelerate'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** What may be asked for; `auto` leaves it to the machine. */
export const ENGINE_CHOICES = ['auto', ...ENGINE_NAMES] as const;
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

/** How several ranks share a model: each has a replica, or shards of it, by FSDP2. */
export const SHARDINGS = ['ddp', 'fsdp'] as const;
export type Sharding = (typeof SHARDINGS)[number];

/** `auto`: the planner chooses. */
export const SHARDING_CHOICES = ['auto', ...SHARDINGS] as const;
export type ShardingChoice = (typeof SHARDING_CHOICES)[number];

/** More devices than any machine has, and more machines than any training: each rank is planned. */
export const MOST_DEVICES = 1024;
export const MOST_NODES = 16_384;

/** What the command line asks for; each of it takes precedence over the pipeline. */
export interface EngineOptions {
  readonly engine?: EngineChoice;
  /** Ranks of each node. */
  readonly devices?: number;
  readonly nodes?: number;
  readonly sharding?: ShardingChoice;
  /** Which of the nodes this is, from 0. */
  readonly node?: number;
  /** `HOST:PORT` where the nodes meet: of node 0. */
  readonly rendezvous?: string;
  /** The Python that computes, as typed. */
  readonly python?: string;
}

/** What is asked for in all, and by whom. */
export interface EngineRequest extends EngineOptions {
  readonly engine: EngineChoice;
  readonly by: 'option' | 'pipeline' | 'auto';
}

/** Where the ranks of the accelerate engine are. Neither their number nor the sharding is in a key. */
export interface Ranks {
  readonly device: 'cpu' | 'cuda';
  /** Of each node. */
  readonly devices: number;
  readonly nodes: number;
  /** As asked for; what the planner chooses for a training is in its plan. */
  readonly sharding: ShardingChoice;
}

/** Versions of Python packages by their names, of those that compute. */
export type PackageVersions = Readonly<Record<string, string>>;

export interface AccelerateRun extends Ranks {
  readonly name: 'accelerate';
  /** `torch 2.15.0, transformers 5.24.0, …`: the identity of the engine in keys. */
  readonly version: string;
  /** The same, for the ranks to check. */
  readonly versions: PackageVersions;
  /** Absolute path of the Python that computes; a plan for another machine has none. */
  readonly python?: string;
  readonly attention: 'sdpa' | 'flash_attention_2';
  /** There only where all of its devices multiply bfloat16 by themselves. */
  readonly multipliesBf16?: true;
  /** There only where nothing says whether they do: neither what they are called nor rates. */
  readonly bf16Unknown?: true;
  /** Which of the nodes this is, from 0; there only where there are several, and so is the next. */
  readonly node?: number;
  /** `HOST:PORT` of node 0. */
  readonly rendezvous?: string;
}

/** What computes a run, decided. */
export type RunEngine = { readonly name: 'embedded' } | AccelerateRun;

export const EMBEDDED: RunEngine = { name: 'embedded' };
