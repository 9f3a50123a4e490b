/** Bases of the size of published models, of random weights in bfloat16: time and memory do not depend on what they say. */
import { closeSync, cpSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expectedTensors } from '../../src/compute/models/architectures/index.js';
import { readConfig } from '../../src/compute/models/config/index.js';
import { fillNormal } from '../../src/compute/models/philox.js';
import { safetensorsChunks } from '../../src/compute/models/safetensors/write.js';
import { encodeBfloat16 } from '../../src/compute/models/weights/half.js';
import { nodeHost } from '../../src/language/host/node-host.js';

const STARTER = join(nodeHost().packageFolder, 'stdlib', 'models', 'starter');

/** Values that are written at a time: 8 MiB, which every matrix is made of. */
const PIECE = 1 << 22;
/** Of bfloat16. */
const ONE = 0x3f80;

/** Llama 2 in its two smaller sizes. */
export const SIZES = {
  '7b': { hidden_size: 4096, intermediate_size: 11008, num_attention_heads: 32, num_hidden_layers: 32 },
  '13b': { hidden_size: 5120, intermediate_size: 13824, num_attention_heads: 40, num_hidden_layers: 40 },
} as const;

/** With the starter's tokenizer, into a new folder; gives the bytes of its weights. */
export function writeLargeBase(folder: string, size: keyof typeof SIZES): number {
  mkdirSync(folder);
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'])
    cpSync(join(STARTER, name), join(folder, name));
  const shape = SIZES[size];
  const config = {
    ...{
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_act: 'silu',
      torch_dtype: 'bfloat16',
    },
    ...{ attention_bias: false, mlp_bias: false, tie_word_embeddings: false, rms_norm_eps: 1e-5 },
    ...{ bos_token_id: null, eos_token_id: 2, pad_token_id: 0, vocab_size: 32000, rope_theta: 10000 },
    ...{ ...shape, num_key_value_heads: shape.num_attention_heads, head_dim: 128 },
    max_position_embeddings: 4096,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const values = new Float32Array(PIECE);
  fillNormal(values, 1, 'weights', 0.02);
  const random = encodeBfloat16(values);
  const ones = new Uint16Array(shape.hidden_size).fill(ONE);
  const tensors = expectedTensors(readConfig(nodeHost(), folder)).map(({ name, shape, role }) => ({
    ...{ name, shape, dtype: 'BF16' as const },
    *chunks() {
      const source = role === 'norm' ? ones : random;
      const all = shape.reduce((product, width) => product * width, 1);
      for (let start = 0; start < all; start += source.length) {
        const some = source.subarray(0, Math.min(source.length, all - start));
        yield new Uint8Array(some.buffer, some.byteOffset, some.byteLength);
      }
    },
  }));
  const file = openSync(join(folder, 'model.safetensors'), 'w');
  let bytes = 0;
  try {
    for (const chunk of safetensorsChunks(tensors)) bytes += writeSync(file, chunk);
  } finally {
    closeSync(file);
  }
  return bytes;
}
