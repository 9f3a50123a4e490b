/** The interface of a model to the rest of the program: configuration, stored weights, tokenizer, adapters. */
import type { Json } from '../../language/host/json.js';
import type { CodeMatrix, PackedTensor } from '../tensor/types.js';
import type { AdapterConfig, AdapterKind } from './adapters/config.js';
import type { Activation, NamedShape, RopeScaling } from './architectures/blueprint.js';
import type { StoredFormat } from './weights/formats.js';
import type { SharedNf4 } from './weights/nf4-quantise.js';

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
  | 'gpt_neox'
  /** No graph is there: see {@link ModelConfig.foreign}. */
  | 'other';

/** The configuration of a decoder, from `config.json`; field names are Hugging Face's in camel case. */
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
  /** Epsilon of RMS norms and layer norms. */
  readonly normEpsilon: number;
  readonly tieEmbeddings: boolean;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | null;

  // Only some families have the following.
  readonly ropeScaling?: RopeScaling;
  /** Share of each head that gets rotary embedding (`partial_rotary_factor`); default: 1. */
  readonly ropeShare?: number;
  /** `ropeTheta` of the sliding-window layers. */
  readonly localRopeTheta?: number;
  /** Layers without rotary embedding (NoPE). */
  readonly unrotated?: readonly boolean[];
  /** Positions that a sliding-window layer attends to, including the token's own. */
  readonly window?: number;
  /** Which layers have a sliding window; default: none. */
  readonly layerTypes?: readonly ('full' | 'sliding')[];
  readonly activation?: Activation;
  /** Whether the projections have biases: query, key and value; the attention's output; the MLP. */
  readonly biases?: { readonly attention: boolean; readonly output: boolean; readonly mlp: boolean };
  /** Factor for attention scores; default: 1/√headDim. */
  readonly queryScale?: number;
  /** Soft caps for attention scores and logits: x becomes cap · tanh(x ÷ cap). */
  readonly scoreCap?: number;
  readonly logitCap?: number;
  /** Attention and MLP in parallel. */
  readonly parallel?: boolean;
  /** For a classifier: the names of its classes, in the order of its logits. Its head is over these instead of the vocabulary. */
  readonly labels?: readonly string[];
  /** The weights of its files are in 4 bits, as bitsandbytes saves them. */
  readonly isInFourBits?: true;
  /** Of an architecture without a graph, which transformers has. */
  readonly foreign?: ForeignModel;
}

export interface ForeignModel {
  /** `model_type`, and the first of `architectures`. */
  readonly modelType: string;
  readonly className: string;
  /** Experts of a block, where there are several. */
  readonly experts?: number;
  /** Those that a token is given to. */
  readonly chosen?: number;
  /** What is said where a graph is needed. */
  readonly refusal: ModelError;
  /** Names in the files, and shapes, of all weights; read when first asked for. Throws a {@link ModelError}. */
  tensors(): readonly StoredShape[];
}

/** A tensor as its file has it. */
export interface StoredShape extends NamedShape {
  /** In 4 bits. */
  readonly isCoded?: true;
}

/** Rows of a matrix as codes. */
export interface CodedRows {
  /** Of a code, of 4 bits each. */
  readonly digits: number;
  /** So many rows, from one on. */
  read(first: number, count: number): CodeMatrix;
}

/** A weight in the format in which it is kept in memory; decoded to float32 when a block needs it. */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly format: StoredFormat;
  /** Bytes that it occupies in memory. */
  readonly residentBytes: number;
  /** The values without a copy, if they are stored as float32. */
  view(): Float32Array | undefined;
  /** Writes all values, row-major, into `out` (length = product of `shape`). */
  dequantise(out: Float32Array): void;
  /** Writes `count` rows of the first dimension, starting at `row`, as an embedding look-up needs it. */
  dequantiseRows(row: number, count: number, out: Float32Array): void;
  /** The stored form, if a runtime may decode it itself. */
  packed?(): PackedTensor | undefined;
  /**
   * Reads rows as codes of 4 bits, if the values are stored in blocks of codes; the file is read again where only float32 is in
   * memory.
   */
  coded?(): CodedRows | undefined;
  /** What it is held in, if that lies in memory that threads share. */
  shared?(): SharedNf4 | undefined;
}

/** The weights of a model by their Hugging Face names (`model.layers.0.self_attn.q_proj.weight`, …). */
export interface WeightStore {
  names(): readonly string[];
  /** Throws a `ModelError` that names the tensor if it is missing. */
  get(name: string): StoredTensor;
  has(name: string): boolean;
  readonly residentBytes: number;
}

/** Ids of the stretches between special tokens: texts that begin alike have most of them in common. */
export class KnownStretches {
  private readonly first = new Map<string, readonly number[]>();
  private readonly later = new Map<string, readonly number[]>();

  /** `isFirst`: a stretch that begins its text may be cut otherwise. */
  of(
    text: string,
    isFirst: boolean,
    encode: (text: string, isFirst: boolean) => readonly number[],
  ): readonly number[] {
    const known = isFirst ? this.first : this.later;
    const ids = known.get(text) ?? encode(text, isFirst);
    known.set(text, ids);
    return ids;
  }
}

export interface Tokenizer {
  /** Ids without added special tokens; special tokens in the text become their ids. `known`: of texts that begin alike. */
  encode(text: string, known?: KnownStretches): Int32Array;
  decode(ids: ArrayLike<number>, options?: { readonly skipSpecial?: boolean }): string;
  readonly vocabSize: number;
  /** It can only show ids, not encode text. */
  readonly idsOnly?: true;
  /** It can only say how many tokens a text has, about. */
  readonly isEstimate?: true;
  /** Token that the tokenizer itself puts before a text (`add_special_tokens`); `encode` does not add it. */
  readonly beginId?: number;
  idOf(token: string): number | undefined;
  tokenOf(id: number): string | undefined;
  /** Those that may be special: left out where that is not known. */
  readonly specialIds?: ReadonlySet<number>;
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
  /** What an assistant thought before, where a template writes that. */
  readonly reasoning_content?: string;
  /** Calls of an assistant, as templates read them: `{ type: 'function', id, function: { name, arguments } }`. */
  readonly tool_calls?: readonly Json[];
  /** Of a tool's answer: the call that it belongs to, and the tool. */
  readonly tool_call_id?: string;
  readonly name?: string;
}

export interface RenderOptions {
  readonly addGenerationPrompt?: boolean;
  /** Functions that the assistant may call, as JSON Schema describes them in OpenAI's API. */
  readonly tools?: readonly Json[];
}

export interface ChatTemplate {
  /** The text that Hugging Face's `apply_chat_template(tokenize=False)` returns. */
  render(messages: readonly ChatMessage[], options?: RenderOptions): string;
  readonly source: string;
}

/** Adapter tensors by PEFT's names without the prefix: `model.layers.0.self_attn.q_proj.lora_A.weight`. */
export type AdapterTensors = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array }
>;

export interface Adapter<K extends AdapterKind = AdapterKind> {
  readonly config: AdapterConfig<K>;
  readonly tensors: AdapterTensors;
}

/** A problem in a user's model files; the stage turns it into a diagnostic. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  constructor(
    readonly code: ModelErrorCode,
    /** The file or folder at fault. */
    readonly path: string,
    /** One sentence: what is wrong. */
    readonly detail: string,
    /** One sentence: how to fix it. */
    readonly help: string,
    options?: ErrorOptions,
    /** In the file, from 1. */
    readonly position?: { readonly line: number; readonly column: number },
  ) {
    super(`${path}: ${detail}`, options);
  }
}

/** A chat template that does more than a chat needs, whatever the chat: no row is to blame, and none is tried again. */
export class ExcessiveTemplateError extends ModelError {}

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
