import type { Host } from '../../../language/host/host.js';
import type { Json } from '../../../language/host/json.js';
import { sizeOf } from '../../tensor/shape.js';
import { parseConfig } from '../config/index.js';
import { shown } from '../read-file.js';
import { type ModelConfig, ModelError } from '../types.js';
import { floatsOf } from '../weights/dequantisation.js';
import { readFile } from './cursor.js';
import { GGUF_FAMILIES, type GgufFamily, GgufFields, rotatesPairs, textIn } from './families.js';
import { FOREIGN_GGUF, type ForeignGguf, foreignLayout, MIXTRAL } from './foreign.js';
import type { GgufHeader } from './header.js';
import { ggufLayout, type PlacedTensor } from './layout.js';

/** Tensors that say something of the config, or nothing. */
const NO_WEIGHT = /^rope_(?:freqs|factors_short|factors_long)\.weight$|\.attn_rot_embd(?:\.weight)?$/;

/** What a file says of its model. */
interface GgufModel {
  readonly config: ModelConfig;
  /** What `config.json` would say. */
  readonly json: Json;
  /** The tensors that a model of this config may have. */
  readonly layout: readonly PlacedTensor[];
}

/** The model of a GGUF file. Throws a {@link ModelError}. */
export const ggufModel = (host: Host, header: GgufHeader): GgufModel =>
  headerModel(header, (tensor) => readVector(host, header, tensor));

/** The model that a header means; `read` gives the values of a small tensor. Throws a {@link ModelError}. */
export function headerModel(header: GgufHeader, read: ReadTensor): GgufModel {
  const { path } = header;
  const unsupported = (detail: string): never => {
    throw new ModelError(
      'gguf_unsupported',
      path,
      detail,
      `Supported are the architectures ${Object.keys(GGUF_FAMILIES).join(', ')}; by the accelerate engine also ${Object.keys(FOREIGN_GGUF).join(', ')}, and llama as a mixture of experts (Mixtral). Of another, take the folder that the file was made from, in Hugging Face layout (\`hf("…")\`, \`local("…")\`): the accelerate engine computes what transformers has.`,
    );
  };
  const name = textIn(header, 'general.architecture') ?? unsupported('general.architecture is missing.');
  const file = new GgufFields(header, name);
  const foreign = foreignFamily(file);
  const family = foreign === undefined && Object.hasOwn(GGUF_FAMILIES, name) ? GGUF_FAMILIES[name] : foreign;
  if (family === undefined)
    return unsupported(`general.architecture is ${shown(name)}, which this version does not run.`);
  refuseParts(file, family, unsupported);
  const json = fieldsOf(file, family, read, unsupported);
  const placed = foreign && foreignLayout(header, foreign, headDimOf(file));
  const config = parseConfig(json, path, () => placed ?? []);
  const layout = placed ?? ggufLayout(config, rotatesPairs(header));
  refuseStrangers(header, config, layout, unsupported);
  return { config, json, layout };
}

/** Of a mixture only where there is a graph for the same without experts. */
function foreignFamily(file: GgufFields): ForeignGguf | undefined {
  const { architecture } = file;
  if (architecture === 'llama') return (file.number('expert_count') ?? 0) > 0 ? MIXTRAL : undefined;
  return Object.hasOwn(FOREIGN_GGUF, architecture) ? FOREIGN_GGUF[architecture] : undefined;
}

const headDimOf = (file: GgufFields): number =>
  file.number('attention.key_length') ??
  Math.floor((file.number('embedding_length') ?? 0) / (file.number('attention.head_count') ?? 1));

/** The fields that a file lacks are left out, so that the family's own defaults hold. */
function fieldsOf(
  file: GgufFields,
  family: GgufFamily | ForeignGguf,
  read: ReadTensor,
  unsupported: (detail: string) => never,
): Json {
  const { tensors, values } = file.header;
  const headDim =
    file.number('attention.key_length') ??
    (family.wholeHeads === true ? file.number('rope.dimension_count') : undefined);
  const theta = file.decimal('rope.freq_base') ?? 10_000;
  const scaling = ggufRope(file, read, theta, unsupported);
  const tokens = values.get('tokenizer.ggml.tokens');
  const fields: Json = {
    ...('className' in family && { architectures: [family.className] }),
    model_type: family.modelType,
    vocab_size:
      tensors.get('token_embd.weight')?.shape[0] ?? (Array.isArray(tokens) ? tokens.length : undefined),
    hidden_size: file.number('embedding_length'),
    intermediate_size: file.number('feed_forward_length'),
    num_hidden_layers: file.number('block_count'),
    num_attention_heads: file.number('attention.head_count'),
    num_key_value_heads: file.number('attention.head_count_kv'),
    head_dim: headDim,
    max_position_embeddings: file.number('context_length'),
    rope_theta: theta,
    ...(scaling === undefined ? {} : { rope_scaling: scaling }),
    rms_norm_eps: file.decimal('attention.layer_norm_rms_epsilon'),
    tie_word_embeddings: !tensors.has('output.weight'),
    bos_token_id: file.plain('tokenizer.ggml.bos_token_id'),
    eos_token_id: endTokens(file),
    pad_token_id: file.plain('tokenizer.ggml.padding_token_id'),
    ...family.fields(file),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function refuseParts(
  file: GgufFields,
  family: GgufFamily | ForeignGguf,
  unsupported: (detail: string) => never,
): void {
  const parts = file.plain('split.count') ?? 1;
  if (parts > 1) unsupported(`The file is one of ${parts} parts; join them first (\`gguf-split --merge\`).`);
  const experts = file.number('expert_count') ?? 0;
  if (experts > 0 && !('block' in family)) unsupported(`The model is a mixture of ${experts} experts.`);
  const [keys, values] = [file.number('attention.key_length'), file.number('attention.value_length')];
  if (keys !== undefined && values !== undefined && keys !== values)
    unsupported(`Keys of a head have ${keys} values and values ${values}.`);
  const turned = file.number('rope.dimension_count');
  if (family.wholeHeads === true && keys !== undefined && turned !== undefined && turned !== keys)
    unsupported(`Only ${turned} of the ${keys} values of a head are rotated.`);
}

/** A tensor without a place in the model would be left out in silence, and the model would compute something else. */
function refuseStrangers(
  header: GgufHeader,
  { architecture, foreign }: ModelConfig,
  layout: readonly PlacedTensor[],
  unsupported: (detail: string) => never,
): void {
  const placed = new Set(layout.map(({ ggufName }) => ggufName));
  for (const name of header.tensors.keys())
    if (!placed.has(name) && !NO_WEIGHT.test(name))
      unsupported(
        `Tensor "${name}" has no place in a model of the architecture ${foreign?.modelType ?? architecture}.`,
      );
}

/** Most values that a list of frequencies may have: half the width of a head. */
const LONGEST_VECTOR = 4096;

function readVector(host: Host, header: GgufHeader, name: string): Float32Array | undefined {
  const tensor = header.tensors.get(name);
  if (tensor === undefined) return undefined;
  const count = sizeOf(tensor.shape);
  if (count > LONGEST_VECTOR)
    throw new ModelError(
      'gguf_invalid',
      header.path,
      `Tensor "${name}" has ${count} values; at most ${LONGEST_VECTOR} are read.`,
      'Download the file again; it is damaged.',
    );
  return floatsOf(tensor.type, readFile(host, header.path, tensor.start, tensor.bytes), 0, count);
}

/** What ends a text, a message, and a turn of a chat. */
export const END_TOKENS = ['eos_token_id', 'eom_token_id', 'eot_token_id'] as const;

function endTokens(file: GgufFields): readonly number[] {
  const ids = END_TOKENS.map((key) => file.plain(`tokenizer.ggml.${key}`));
  return [...new Set(ids.filter((id) => id !== undefined))];
}

/** The divisors of the frequencies in a tensor such as `rope_freqs.weight`. */
type ReadTensor = (name: string) => Float32Array | undefined;

/** Llama 3.1 and later (`modeling_rope_utils.py`, `_compute_llama3_parameters`): all of them have these. */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 } as const;

/** Nothing if frequencies are as they were; `unsupported` refuses a kind that is not understood. */
function ggufRope(
  file: GgufFields,
  read: ReadTensor,
  theta: number,
  unsupported: (detail: string) => never,
): Json | undefined {
  const [plain, short, long] = ['rope_freqs', 'rope_factors_short', 'rope_factors_long'].map((name) =>
    read(`${name}.weight`),
  );
  if (short !== undefined && long !== undefined)
    return {
      rope_type: 'longrope',
      short_factor: [...short],
      long_factor: [...long],
      original_max_position_embeddings: file.number('rope.scaling.original_context_length'),
      attention_factor: file.decimal('rope.scaling.attn_factor'),
    };
  if (plain !== undefined) return ofDivisors(file, plain, theta);
  const type = file.value('rope.scaling.type') ?? 'none';
  if (type === 'none') return undefined;
  if (type === 'linear') return { rope_type: 'linear', factor: file.decimal('rope.scaling.factor') };
  if (type === 'yarn')
    return {
      rope_type: 'yarn',
      factor: file.decimal('rope.scaling.factor'),
      original_max_position_embeddings: file.number('rope.scaling.original_context_length'),
    };
  return unsupported(`${file.architecture}.rope.scaling.type is ${shown(type)}.`);
}

/** The divisors that Llama 3's rule gives, one per frequency. */
export const llama3Divisors = (factor: number, theta: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => llama3Divisor(factor, theta ** (i / count)));

/** llama.cpp keeps what Llama 3's rule gives, not the rule: it is known again by its divisors. */
function ofDivisors(file: GgufFields, divisors: Float32Array, theta: number): Json {
  const factor = Math.round(Math.max(...divisors));
  const expected = llama3Divisors(factor, theta, divisors.length);
  const known = divisors.every(
    (divisor, i) => Math.abs(divisor - (expected[i] as number)) <= 1e-5 * (expected[i] as number),
  );
  if (known) return { rope_type: 'llama3', factor, ...LLAMA3 };
  const factors = [...divisors];
  return {
    rope_type: 'longrope',
    short_factor: factors,
    long_factor: factors,
    original_max_position_embeddings: file.number('context_length'),
    attention_factor: 1,
  };
}

/** `period` is 1 ÷ frequency. */
function llama3Divisor(factor: number, period: number): number {
  const { low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = LLAMA3;
  const turns = original / (2 * Math.PI * period);
  if (turns > high) return 1;
  if (turns < low) return factor;
  const smooth = (turns - low) / (high - low);
  return 1 / ((1 - smooth) / factor + smooth);
}
