/**
 * Models whose architecture this program has no graph for, and transformers has: what plans and adapters need of them is read
 * from the usual fields of `config.json` and from the names and shapes of the weights' files.
 */
import { nearest } from '../../language/diagnostics/did-you-mean.js';
import { isJson, type Json } from '../../language/host/json.js';
import { sizeOf } from '../tensor/shape.js';
import type { Blueprint, NamedShape, Projection } from './architectures/blueprint.js';
import { ConfigReader } from './config/reader.js';
import { TRANSFORMERS_TYPES, TRANSFORMERS_VERSION } from './config/transformers-types.js';
import { labelsIn } from './label-names.js';
import { moduleNames } from './module-names.js';
import { shown } from './read-file.js';
import { type ForeignModel, type ModelConfig, ModelError, type StoredShape } from './types.js';

/** Names and shapes of all tensors of a model's files. */
export type TensorShapes = () => readonly StoredShape[];

/** Names of the same field in different architectures, the usual one first. */
const FIELDS = {
  hidden: ['hidden_size', 'n_embd', 'd_model', 'dim', 'model_dim'],
  layers: ['num_hidden_layers', 'n_layer', 'n_layers', 'num_layers'],
  heads: ['num_attention_heads', 'n_head', 'n_heads', 'num_heads'],
  keyValueHeads: ['num_key_value_heads', 'num_kv_heads', 'n_head_kv', 'multi_query_group_num'],
  positions: ['max_position_embeddings', 'n_positions', 'max_sequence_length', 'seq_length', 'n_ctx'],
  inner: ['moe_intermediate_size', 'intermediate_size', 'ffn_hidden_size', 'n_inner', 'ffn_dim', 'd_ff'],
  experts: ['num_local_experts', 'num_experts', 'n_routed_experts', 'moe_num_experts'],
  chosen: ['num_experts_per_tok', 'num_experts_per_token', 'top_k_experts', 'moe_top_k', 'moe_k'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Architectures without a limit of their own are planned for texts up to this. */
const POSITIONS = 2048;

/**
 * The config of a model that transformers knows, though this program refuses it: `refusal` says why. Throws a refusal that
 * says more where transformers does not know it either, or its values make no sense.
 */
export function foreignConfig(json: Json, refusal: ModelError, tensors: TensorShapes): ModelConfig {
  const modelType = json['model_type'];
  if (typeof modelType !== 'string') throw refusal;
  if (!TRANSFORMERS_TYPES.has(modelType)) throw unknownType(modelType, refusal);
  try {
    const config = readForeign(json, modelType, refusal, tensors);
    if (config !== undefined) return config;
  } catch (error) {
    // what this program would not run anyway need not be whole
    if (!(error instanceof ModelError)) throw error;
    throw new ModelError(
      refusal.code,
      refusal.path,
      refusal.detail,
      `${refusal.help} Transformers has the architecture ${modelType}, but the file lacks what a plan needs: ${error.detail}`,
    );
  }
  throw refusal;
}

/** No engine takes it: a slip, or an architecture that came later. */
function unknownType(modelType: string, { code, path, help }: ModelError): ModelError {
  const meant = nearest(modelType, TRANSFORMERS_TYPES);
  return new ModelError(
    code,
    path,
    `"model_type" is ${shown(modelType)}, for which neither this version nor transformers ${TRANSFORMERS_VERSION} has a causal language model.`,
    meant === undefined
      ? help
      : `Did you mean "${meant}"? ${help} The accelerate engine takes what transformers has (\`engine = accelerate\`).`,
  );
}

/** Classes of transformers that predict tokens, some of them also from images, or one of several labels. */
const CLASS = /(?:ForCausalLM|LMHeadModel|ForConditionalGeneration|ForSequenceClassification)$/;

function readForeign(
  json: Json,
  modelType: string,
  refusal: ModelError,
  tensors: TensorShapes,
): ModelConfig | undefined {
  const inner = json['text_config'];
  const reader = new ConfigReader(isJson(inner) ? { ...json, ...inner } : json, refusal.path);
  const whole = (field: keyof typeof FIELDS, fallback?: number): number =>
    reader.whole(FIELDS[field].find((name) => reader.has(name)) ?? FIELDS[field][0], fallback);
  const hiddenSize = whole('hidden');
  const heads = whole('heads');
  const vocabSize = reader.whole('vocab_size');
  // some list none
  const experts = FIELDS.experts.some((name) => reader.count(name) > 0) ? whole('experts') : undefined;
  const chosen = experts === undefined ? 1 : Math.min(experts, whole('chosen', 2));
  const classes = reader.list('architectures')?.map(String) ?? [];
  if (classes.length > 0 && !classes.some((name) => CLASS.test(name))) return undefined;
  return {
    architecture: 'other',
    vocabSize,
    hiddenSize,
    // of one token: of the experts that it is given to
    intermediateSize: chosen * whole('inner', 4 * hiddenSize),
    layers: whole('layers'),
    heads,
    keyValueHeads: Math.min(heads, whole('keyValueHeads', reader.json['multi_query'] === true ? 1 : heads)),
    headDim: headDimOf(reader, hiddenSize / heads),
    maxPositions: whole('positions', POSITIONS),
    ropeTheta: 10_000,
    normEpsilon: 1e-6,
    tieEmbeddings: reader.flag('tie_word_embeddings', false),
    bosTokenId: reader.tokenIds('bos_token_id', vocabSize)[0] ?? null,
    eosTokenIds: reader.tokenIds('eos_token_id', vocabSize),
    padTokenId: reader.tokenIds('pad_token_id', vocabSize)[0] ?? null,
    ...(classes.some((name) => name.endsWith('ForSequenceClassification'))
      ? { labels: labelsIn(json) ?? ['LABEL_0', 'LABEL_1'] }
      : {}),
    foreign: {
      modelType,
      className: classes[0] ?? '',
      ...(experts === undefined ? {} : { experts, chosen }),
      refusal: withHelp(refusal, modelType),
      tensors,
    },
  };
}

/** Of latent attention, what a key has of its own and what all heads share (arXiv 2405.04434). */
const headDimOf = (reader: ConfigReader, usual: number): number =>
  reader.has('qk_nope_head_dim')
    ? reader.whole('qk_nope_head_dim') + reader.whole('qk_rope_head_dim')
    : reader.whole('head_dim', Math.max(1, Math.floor(usual)));

const withHelp = ({ code, path, detail, help }: ModelError, modelType: string): ModelError =>
  new ModelError(
    code,
    path,
    detail,
    `${help} The accelerate engine takes it (\`engine = accelerate\` in a budget, or \`--engine accelerate\`), as transformers ${TRANSFORMERS_VERSION} has the architecture ${modelType}.`,
  );

/** Throws a {@link ModelError} where there is no graph for a model. */
export function requireGraph({ foreign }: ModelConfig): void {
  if (foreign !== undefined) throw foreign.refusal;
}

/** How names of parts begin that see or hear: they stay frozen. */
const SENSES = 'vision|visual|audio|image|speech|multi_modal|mm_|video|vit';
const SENSE = new RegExp(`(?:^|\\.)(?:${SENSES})`);

/** Whether a tensor is of a part that sees or hears. */
export const isOfSenses = ({ name }: { readonly name: string }): boolean => SENSE.test(name);

/** Paths of modules that see or hear, as a pattern of whole paths; `undefined` for a model that only reads. */
export const sensePattern = (foreign: ForeignModel): string | undefined =>
  foreignTensors(foreign).some(isOfSenses) ? `(?:.*\\.)?(?:${SENSES}).*` : undefined;
const BLOCK = /^(.*(?:^|\.)(?:layers|h|blocks?))\.(\d+)\.(.+)$/;
const EXPERT = /(?:^|\.)experts?(?:\.|$)/;
/** Norms of queries and keys may have weights of their own for each head: matrices, which multiply nothing. */
export const NORM = /norm(?:\.weight)?$/;
/** What chooses experts is no linear layer in transformers. */
const ROUTER = /(?:^|\.)(?:gate|router|shared_expert_gate)$/;

/** Architectures of which transformers' causal language model is the text part alone. */
const TEXT_ALONE: ReadonlySet<string> = new Set(['llama4', 'qwen3_5', 'qwen3_5_moe']);

/** Names in memory and shapes of all tensors that are read. */
export function foreignTensors({ tensors, modelType }: ForeignModel): readonly StoredShape[] {
  const all = tensors();
  const nameOf = moduleNames(all.map(({ name }) => name));
  const read = TEXT_ALONE.has(modelType) ? all.filter((tensor) => !isOfSenses(tensor)) : all;
  return read.map((tensor) => ({ ...tensor, name: nameOf(tensor.name) }));
}

/**
 * Whether experts are in 4 bits, as transformers 4 saved them: 5 keeps those of a block in one tensor, and reads no
 * codes into it.
 */
export const hasCodedExperts = (foreign: ForeignModel): boolean =>
  foreignTensors(foreign).some(
    ({ name, isCoded }) => isCoded === true && EXPERT.test(BLOCK.exec(name)?.[3] ?? ''),
  );

/** A linear layer, its path and the number of its block. */
interface ForeignLinear extends Projection {
  readonly path: string;
  readonly layer: number;
}

/** The linear layers of the text part's blocks: matrices that are no experts', nor what chooses these, nor norms. */
export const foreignLinears = (foreign: ForeignModel): readonly ForeignLinear[] =>
  foreignTensors(foreign).flatMap(({ name, shape }) => {
    const path = /^(.*)\.weight$/.exec(name)?.[1];
    const [, , layer, module = ''] = (path !== undefined && BLOCK.exec(path)) || [];
    const [outputs, inputs] = shape;
    if (path === undefined || layer === undefined || outputs === undefined || inputs === undefined) return [];
    if (shape.length !== 2 || SENSE.test(path) || EXPERT.test(module) || NORM.test(module)) return [];
    if (foreign.experts !== undefined && ROUTER.test(module)) return [];
    const target = module.slice(module.lastIndexOf('.') + 1);
    return [{ target, module, outputs, inputs, bias: false, transposed: false, path, layer: Number(layer) }];
  });

/** Experts of one kind of block: no adapter is over them. */
interface ForeignExperts {
  /** Path within a block. */
  readonly module: string;
  readonly blocks: number;
  /** Of all blocks. */
  readonly parameters: number;
}

export function foreignExperts(foreign: ForeignModel): readonly ForeignExperts[] {
  const found = new Map<string, { readonly layers: Set<string>; parameters: number }>();
  for (const { name, shape } of foreignTensors(foreign)) {
    const [, , layer, module = ''] = BLOCK.exec(name) ?? [];
    const path = /^(.*?(?:^|\.)experts?)(?:\.|$)/.exec(module)?.[1];
    if (layer === undefined || path === undefined || SENSE.test(name)) continue;
    const experts = found.get(path) ?? { layers: new Set(), parameters: 0 };
    experts.layers.add(layer);
    experts.parameters += sizeOf(shape);
    found.set(path, experts);
  }
  return [...found].map(([module, { layers, parameters }]) => ({ module, blocks: layers.size, parameters }));
}

const EMBEDDING = /(?:^|\.)(?:embed_tokens|wte|word_embeddings|embed_in|embeddings?|tok_embeddings)\.weight$/;
const HEAD = /^(?:.*\.)?(?:lm_head|embed_out|output)\.weight$/;

/** What is known of such a model's parts: embedding and head, and where its blocks are; its blocks compute nothing here. */
export function foreignBlueprint(config: ModelConfig, foreign: ForeignModel): Blueprint {
  const { vocabSize, hiddenSize, layers } = config;
  const tensors = foreignTensors(foreign);
  const found = (pattern: RegExp): NamedShape | undefined =>
    tensors.find(({ name, shape }) => pattern.test(name) && shape.length === 2 && !SENSE.test(name));
  const embedding = found(EMBEDDING) ?? { name: 'model.embed_tokens.weight', shape: [vocabSize, hiddenSize] };
  const [, blocksAt = 'model.layers'] =
    tensors.flatMap(({ name }) => (SENSE.test(name) ? [] : [BLOCK.exec(name)])).find((one) => one !== null) ??
    [];
  const norm = { module: 'model.norm', kind: 'rms', epsilon: 1e-6, offset: 0 } as const;
  return {
    embedding,
    paddingFrozen: true,
    embeddingScale: 1,
    blocksAt,
    layers: Array<string>(layers).fill('other'),
    blocks: {},
    head: { norm, output: (config.tieEmbeddings ? undefined : found(HEAD)) ?? embedding },
  };
}
