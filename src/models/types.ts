/** What the rest of the program knows of a model: its shape, its stored weights, its tokenizer. */
import type { Packed } from '../tensor/packed.js';
import type { Activation, BottleneckActivation, RopeScaling } from './architectures/blueprint.js';
import type { StoredFormat } from './weights/formats.js';

export type ArchitectureName =
  | 'llama'
  | 'mistral'
  | 'qwen2'
  | 'qwen3'
  | 'smollm3'
  | 'gemma2'
  | 'gemma3'
  | 'phi3'
  | 'gpt2'
  | 'gpt_neox';

/** A decoder's shape, from `config.json`; field names are Hugging Face's in camel case. */
export interface ModelConfig {
  readonly architecture: ArchitectureName;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly maxPositions: number;
  readonly ropeTheta: number;
  /** Of RMS norms and layer norms. */
  readonly normEpsilon: number;
  readonly tieEmbeddings: boolean;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | null;

  // What only some families have.
  readonly ropeScaling?: RopeScaling;
  /** Part of each head that is turned; 1 where it is absent. */
  readonly ropeShare?: number;
  /** `ropeTheta` of the sliding layers. */
  readonly localRopeTheta?: number;
  /** Layers without positions. */
  readonly unrotated?: readonly boolean[];
  /** Positions that a sliding layer sees, its own among them. */
  readonly window?: number;
  /** Which layers see a window only; none where it is absent. */
  readonly layerTypes?: readonly ('full' | 'sliding')[];
  readonly activation?: Activation;
  /** Biases of the queries, keys and values, of the attention's output, and of the MLP. */
  readonly biases?: { readonly attention: boolean; readonly output: boolean; readonly mlp: boolean };
  /** What scores are multiplied by; 1/√headDim where it is absent. */
  readonly queryScale?: number;
  /** Bounds of scores and logits. */
  readonly scoreCap?: number;
  readonly logitCap?: number;
  /** Attention and MLP beside each other. */
  readonly parallel?: boolean;
  /** Of a classifier: what its classes are called, in the order of its logits. Its head is over these, not the vocabulary. */
  readonly labels?: readonly string[];
}

/** A weight in the form in which it is held; decoded into float32 when a block needs it. */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly format: StoredFormat;
  /** Bytes that it holds in memory. */
  readonly residentBytes: number;
  /** The float32 values without a copy, where that is how they are stored. */
  view(): Float32Array | undefined;
  /** Writes all values, row-major, into `out` (length = product of `shape`). */
  decode(out: Float32Array): void;
  /** Writes `count` rows of the first dimension from `row` on: how an embedding is looked up. */
  decodeRows(row: number, count: number, out: Float32Array): void;
  /** The stored form, where a runtime might decode it itself. */
  packed?(): Packed | undefined;
}

/** The weights of a model by their Hugging Face names (`model.layers.0.self_attn.q_proj.weight`, …). */
export interface WeightStore {
  names(): readonly string[];
  /** Throws a `ModelError` that names the tensor where it is missing. */
  get(name: string): StoredTensor;
  has(name: string): boolean;
  readonly residentBytes: number;
}

export interface Tokenizer {
  /** Ids without added special tokens; special tokens that stand in the text become their ids. */
  encode(text: string): Int32Array;
  decode(ids: ArrayLike<number>, options?: { readonly skipSpecial?: boolean }): string;
  readonly vocabSize: number;
  /** It can show ids, and read no text. */
  readonly idsOnly?: true;
  /** Token that it puts before a text of its own accord (`add_special_tokens`); `encode` leaves it out. */
  readonly beginId?: number;
  idOf(token: string): number | undefined;
  tokenOf(id: number): string | undefined;
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
}

export interface ChatTemplate {
  /** The text that Hugging Face's `apply_chat_template(tokenize=False)` gives. */
  render(messages: readonly ChatMessage[], options?: { readonly addGenerationPrompt?: boolean }): string;
  readonly source: string;
}

/** Trained keys and values before every text, in each layer (arXiv 2101.00190). */
export interface PrefixShape {
  readonly tokens: number;
  /** In training: they are computed by two layers with a tanh between them, of so many units. */
  readonly projection?: number;
}

export type { BottleneckActivation } from './architectures/blueprint.js';

/** A part of a block that a bottleneck adapter stands behind. */
export type BottleneckPlace = 'attention' | 'mlp';

/** Bottleneck adapters; in brackets the fields of AdapterHub's `BnConfig`. */
export interface BottleneckConfig {
  /** Hidden size ÷ width of the bottleneck (`reduction_factor`). */
  readonly reduction: number;
  /** `mh_adapter`, `output_adapter`. */
  readonly places: readonly BottleneckPlace[];
  /** `non_linearity`. */
  readonly activation: BottleneckActivation;
  /**
   * What is projected down: what the part gives (Houlsby), its sum with the hidden states that it is added to (Pfeiffer:
   * `original_ln_before`), or these alone (`is_parallel`).
   */
  readonly reads: 'output' | 'sum' | 'stream';
  /** What is projected up is multiplied by this (`scaling`). */
  readonly scale: number;
  /** Layers without adapters, from 0 (`leave_out`). */
  readonly leaveOut?: readonly number[];
}

/** How a LoRA adapter is laid over a base; the fields are PEFT's. */
export interface LoraConfig {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  /** Ends of the linear layers' paths from a dot on, such as `q_proj`, or whole paths. */
  readonly targets: readonly string[];
  /** Layers that get an adapter, from 0; all where it is absent. */
  readonly layers?: readonly number[];
  /** Scaled by alpha ÷ √rank instead of alpha ÷ rank (arXiv 2312.03732). */
  readonly rslora?: boolean;
  /** Magnitude and direction apart (arXiv 2402.09353). */
  readonly dora?: boolean;
  /** Prompt tuning instead of low-rank factors: trained embeddings of so many virtual tokens before every text. */
  readonly virtualTokens?: number;
  /** Prefix tuning instead of low-rank factors. */
  readonly prefix?: PrefixShape;
  /** Bottleneck adapters instead of low-rank factors. */
  readonly bottleneck?: BottleneckConfig;
  /** Embedding and head that are trained whole, by the last part of their paths in transformers: `embed_tokens`, `lm_head`. */
  readonly modulesToSave?: readonly string[];
  /** A head over these labels is trained beside the adapter, in the place of the base's: PEFT's task `SEQ_CLS`. */
  readonly labels?: readonly string[];
  /** In training: the weights are held less what the factors began with (PiSSA, arXiv 2404.02948). */
  readonly pissa?: boolean;
  /** Ranks and alphas of some linear layers, by regular expressions over the ends of their paths. */
  readonly rankPattern?: Readonly<Record<string, number>>;
  readonly alphaPattern?: Readonly<Record<string, number>>;
}

/** Adapter tensors by PEFT's names without the prefix: `model.layers.0.self_attn.q_proj.lora_A.weight`. */
export type AdapterTensors = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array }
>;

export interface Adapter {
  readonly config: LoraConfig;
  readonly tensors: AdapterTensors;
}

/** What a user's model files can do wrong; turned into a diagnostic at the stage's rim. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  constructor(
    readonly code: ModelErrorCode,
    /** The file or folder at fault. */
    readonly path: string,
    /** One sentence: what is wrong. */
    readonly detail: string,
    /** One sentence: how to mend it. */
    readonly help: string,
  ) {
    super(`${path}: ${detail}`);
  }
}
export type ModelErrorCode =
  | 'model_not_found'
  | 'model_unsupported'
  | 'model_config'
  | 'model_weights'
  | 'model_tokenizer'
  | 'model_template'
  | 'gguf_invalid'
  | 'quantised_invalid'
  | 'gguf_unsupported'
  | 'adapter_invalid'
  | 'adapter_mismatch';
