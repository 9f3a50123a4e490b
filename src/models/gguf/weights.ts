import type { Host } from '../../source/host.js';
import { expectedTensors } from '../architectures/index.js';
import type { ModelConfig } from '../types.js';
import { rowElements } from '../weights/dense.js';
import type { FileFormat, SourceTensor, WeightSource } from '../weights/source.js';
import { BLOCKS } from './blocks.js';
import { readFile } from './cursor.js';
import type { GgufHeader, GgufTensor } from './header.js';

const PARTS: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  q_proj: 'attn_q',
  k_proj: 'attn_k',
  v_proj: 'attn_v',
  o_proj: 'attn_output',
  post_attention_layernorm: 'ffn_norm',
  gate_proj: 'ffn_gate',
  up_proj: 'ffn_up',
  down_proj: 'ffn_down',
};

const OUTER: Readonly<Record<string, string>> = {
  'model.embed_tokens.weight': 'token_embd.weight',
  'model.norm.weight': 'output_norm.weight',
  'lm_head.weight': 'output.weight',
};

/** llama.cpp's name of a Hugging Face tensor. */
function ggufName(name: string): string {
  const [, layer, part] = /^model\.layers\.(\d+)\.(?:(?:self_attn|mlp)\.)?(\w+)\.weight$/.exec(name) ?? [];
  if (part === undefined || !Object.hasOwn(PARTS, part)) return OUTER[name] ?? name;
  return `blk.${layer}.${PARTS[part]}.weight`;
}

/** The tensors of a GGUF file under their Hugging Face names, each decoded when it is read. */
export function ggufSource(host: Host, header: GgufHeader, config: ModelConfig): WeightSource {
  const source = new Map<string, SourceTensor>();
  for (const { name } of expectedTensors(config)) {
    const tensor = header.tensors.get(ggufName(name));
    if (tensor === undefined) continue;
    const rotated = /\.(?:q|k)_proj\.weight$/.test(name);
    source.set(name, sourceTensor(host, header.path, name, tensor, rotated ? config.headDim : undefined));
  }
  return source;
}

/** Quantised tensors are held as float32, which loses nothing; `headDim` is set where rows must be put back in order. */
function sourceTensor(
  host: Host,
  path: string,
  name: string,
  tensor: GgufTensor,
  headDim?: number,
): SourceTensor {
  const { type, shape } = tensor;
  const stored: FileFormat = (type === 'F16' || type === 'BF16') && headDim === undefined ? type : 'F32';
  const row = rowElements(shape);
  const read = (start: number, count: number): Float32Array => readValues(host, path, tensor, start, count);
  return {
    name,
    path,
    shape,
    format: () => stored,
    read: headDim === undefined ? read : (start, count) => readHeads(read, row, headDim, start, count),
    readHalves() {
      const raw = readFile(host, path, tensor.start, tensor.bytes);
      return new Uint16Array(raw.buffer, raw.byteOffset, raw.byteLength / 2);
    },
  };
}

/** Values `start … start + count`, by way of the whole blocks around them. */
function readValues(
  host: Host,
  path: string,
  tensor: GgufTensor,
  start: number,
  count: number,
): Float32Array {
  const { elements, bytes, decode } = BLOCKS[tensor.type];
  const first = Math.floor(start / elements);
  const end = Math.ceil((start + count) / elements);
  const raw = readFile(host, path, tensor.start + first * bytes, (end - first) * bytes);
  return decode(raw).subarray(start - first * elements, start - first * elements + count);
}

/**
 * llama.cpp rotates neighbouring pairs where Hugging Face rotates the halves of a head, and reorders the rows of the
 * query and key projections to match (`convert_hf_to_gguf.py`, `LlamaModel.permute`). Row (head, half, i) here is row
 * (head, i, half) there.
 */
function readHeads(
  read: (start: number, count: number) => Float32Array,
  row: number,
  headDim: number,
  start: number,
  count: number,
): Float32Array {
  const head = row * headDim;
  const firstHead = Math.floor(start / head);
  const heads = Math.ceil((start + count) / head) - firstHead;
  const theirs = read(firstHead * head, heads * head);
  const ours = new Float32Array(theirs.length);
  for (let line = 0; line < heads * headDim; line++) {
    const within = line % headDim;
    const half = within < headDim / 2 ? 0 : 1;
    const from = line - within + 2 * (within - half * (headDim / 2)) + half;
    ours.set(theirs.subarray(from * row, (from + 1) * row), line * row);
  }
  return ours.subarray(start - firstHead * head, start - firstHead * head + count);
}
