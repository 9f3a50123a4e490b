/** The configuration of an adapter, by its kind; `kinds.ts` has what each kind does. */
import type { BottleneckActivation } from '../architectures/blueprint.js';

/** Low-rank factors next to linear layers; the fields are those of PEFT's `LoraConfig`. */
export interface LoraConfig {
  readonly kind: 'lora';
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  /** Ends of the linear layers' paths from a dot on, such as `q_proj`, or whole paths. */
  readonly targets: readonly string[];
  /** Those that have no adapter although they are among the targets, in the same words (`exclude_modules`). */
  readonly exclude?: readonly string[];
  /** Ends of the paths of parameters that hold experts, such as `experts.down_proj`, or whole paths (`target_parameters`). */
  readonly parameters?: readonly string[];
  /** Biases of the base that are trained, too: all of them, or those of the linear layers that have factors. */
  readonly bias?: 'all' | 'lora_only';
  /** Layers that get an adapter, from 0; default: all. */
  readonly layers?: readonly number[];
  /** Scaled by alpha ÷ √rank instead of alpha ÷ rank (arXiv 2312.03732). */
  readonly rslora?: boolean;
  /** Magnitude and direction are trained separately (arXiv 2402.09353). */
  readonly dora?: boolean;
  /** Embedding and head that are trained whole, by the last part of their paths in transformers: `embed_tokens`, `lm_head`. */
  readonly modulesToSave?: readonly string[];
  /** A head over these labels is trained with the factors and replaces the base's: PEFT's task `SEQ_CLS`. */
  readonly labels?: readonly string[];
  /** In training: the frozen weights have the initial product of the factors subtracted (PiSSA, arXiv 2404.02948). */
  readonly pissa?: boolean;
  /** Ranks and alphas of some linear layers, by regular expressions over the ends of their paths. */
  readonly rankPattern?: Readonly<Record<string, number>>;
  readonly alphaPattern?: Readonly<Record<string, number>>;
}

/** Prompt tuning: the trained embeddings of virtual tokens before every text (arXiv 2104.08691). */
export interface PromptConfig {
  readonly kind: 'prompt';
  readonly tokens: number;
}

/** Trained keys and values before every text, in each layer (arXiv 2101.00190). */
export interface PrefixConfig {
  readonly kind: 'prefix';
  readonly tokens: number;
  /** In training: the keys and values are computed by two linear layers with a tanh between them; their hidden size. */
  readonly projection?: number;
}

/** The part of a block that a bottleneck adapter follows. */
export type BottleneckPlace = 'attention' | 'mlp';

/** Bottleneck adapters; the fields of AdapterHub's `BnConfig` are in parentheses. */
export interface BottleneckConfig {
  readonly kind: 'bottleneck';
  /** Hidden size ÷ width of the bottleneck (`reduction_factor`). */
  readonly reduction: number;
  /** `mh_adapter`, `output_adapter`. */
  readonly places: readonly BottleneckPlace[];
  /** `non_linearity`. */
  readonly activation: BottleneckActivation;
  /**
   * What is projected down: the output of the part (Houlsby), its sum with the residual stream (Pfeiffer:
   * `original_ln_before`), or the residual stream alone (`is_parallel`).
   */
  readonly reads: 'output' | 'sum' | 'stream';
  /** Factor for the output (`scaling`). */
  readonly scale: number;
  readonly dropout: number;
  /** Layers without adapters, from 0 (`leave_out`). */
  readonly leaveOut?: readonly number[];
}

/** A head over labels in the place of the base's, and no other adapter. */
export interface HeadConfig {
  readonly kind: 'head';
  readonly labels: readonly string[];
  /** The embedding, where it is trained whole. */
  readonly modulesToSave?: readonly string[];
}

interface AdapterConfigs {
  readonly lora: LoraConfig;
  readonly prompt: PromptConfig;
  readonly prefix: PrefixConfig;
  readonly bottleneck: BottleneckConfig;
  readonly head: HeadConfig;
}

export type AdapterKind = keyof AdapterConfigs;

export type AdapterConfig<K extends AdapterKind = AdapterKind> = {
  [P in K]: AdapterConfigs[P] & { readonly kind: P };
}[K];
