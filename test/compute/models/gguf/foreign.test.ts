/** A GGUF file of an architecture without a graph: what plans, adapters and merges need of it. */
import { expect } from 'chai';
import { requireGraph } from '../../../../src/compute/models/foreign.js';
import { openGguf } from '../../../../src/compute/models/gguf/open.js';
import type { ModelFolder } from '../../../../src/compute/models/load.js';
import type { SourceTensor } from '../../../../src/compute/models/weights/stored-tensor.js';
import { modelError } from '../errors.js';
import { memoryHost } from '../memory-host.js';
import { ggufBytes, type WrittenTensor } from './bytes.js';

const HIDDEN = 32;
const INNER = 48;
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  'token_embd.weight': [96, HIDDEN],
  'blk.0.attn_q.weight': [HIDDEN, HIDDEN],
  'blk.0.attn_k.weight': [HIDDEN / 2, HIDDEN],
  'blk.0.ffn_gate_inp.weight': [4, HIDDEN],
  'blk.0.ffn_gate_exps.weight': [4, INNER, HIDDEN],
  'blk.0.ffn_down_exps.weight': [4, HIDDEN, INNER],
  'output_norm.weight': [HIDDEN],
  'output.weight': [96, HIDDEN],
};

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** Every number is its place in the file. */
function mixtral(more: Readonly<Record<string, readonly number[]>> = {}): ModelFolder {
  const starts = new Map<string, number>();
  let end = 0;
  const tensors = Object.entries({ ...SHAPES, ...more }).map(([name, shape]): WrittenTensor => {
    starts.set(name, end);
    const offset = 4 * end;
    end += sizeOf(shape);
    return { name, dims: [...shape].reverse(), type: 0, offset };
  });
  const values = [
    ['general.architecture', 'llama'],
    ['llama.block_count', 1],
    ['llama.context_length', 64],
    ['llama.embedding_length', HIDDEN],
    ['llama.feed_forward_length', INNER],
    ['llama.attention.head_count', 4],
    ['llama.attention.head_count_kv', 2],
    ['llama.rope.dimension_count', 8],
    ['llama.expert_count', 4],
    ['llama.expert_used_count', 2],
  ] as const;
  const bytes = Buffer.from(ggufBytes({ values, tensors, data: 4 * end }));
  const start = bytes.length - 4 * end;
  for (let at = 0; at < end; at++) bytes.writeFloatLE(at, start + 4 * at);
  return openGguf(memoryHost({ '/m.gguf': bytes }), '/m.gguf');
}

function valuesOf(tensor: SourceTensor | undefined, start: number, count: number): readonly number[] {
  const values = new Float32Array(count);
  tensor?.read(start, values);
  return [...values];
}

describe('a GGUF file of an architecture without a graph', () => {
  it('has the config that transformers asks for, and no graph', () => {
    const { config, configJson } = mixtral();
    expect(config.foreign).to.include({ modelType: 'mixtral', experts: 4, chosen: 2 });
    expect(config).to.include({ hiddenSize: HIDDEN, layers: 1, heads: 4, keyValueHeads: 2, vocabSize: 96 });
    expect(configJson()).to.include({
      ...{ model_type: 'mixtral', num_local_experts: 4, num_experts_per_tok: 2, tie_word_embeddings: false },
    });
    expect(modelError(() => requireGraph(config)).help).to.contain('accelerate');
  });

  it('has a tensor for each expert, as a folder has', () => {
    const model = mixtral();
    const source = model.source();
    const gate = source.get('model.layers.0.mlp.experts.3.w1.weight');
    expect(gate?.shape).to.deep.equal([INNER, HIDDEN]);
    const first = 96 * HIDDEN + HIDDEN * HIDDEN + (HIDDEN / 2) * HIDDEN + 4 * HIDDEN + 3 * INNER * HIDDEN;
    expect(valuesOf(gate, 0, 2)).to.deep.equal([first, first + 1]);
    expect(source.get('model.layers.0.mlp.experts.0.w2.weight')?.shape).to.deep.equal([HIDDEN, INNER]);
    expect(model.gguf?.filter(({ member }) => member !== undefined)).to.have.length(8);
  });

  it('has queries and keys in the order of transformers', () => {
    const query = mixtral().source().get('model.layers.0.self_attn.q_proj.weight');
    // of a head of 8 rows, the second of ours is the third of theirs
    expect(valuesOf(query, HIDDEN, 1)).to.deep.equal([96 * HIDDEN + 2 * HIDDEN]);
  });

  it('says which tensor has no place', () => {
    const error = modelError(() => mixtral({ 'blk.0.ffn_gate.1.weight': [INNER, HIDDEN] }));
    expect(error.code).to.equal('gguf_unsupported');
    expect(error.detail).to.contain(
      '"blk.0.ffn_gate.1.weight" has no place in a model of the architecture mixtral',
    );
  });
});
