/** Compiled graphs stay as long as anybody may run them, and no longer. */
import { expect } from 'chai';
import type { LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../../src/compute/models/adapters/kinds.js';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import { CompiledGraphs } from '../../../../src/compute/models/decoder/resources.js';
import { initModel } from '../../../../src/compute/models/initialise.js';
import type { ModelConfig } from '../../../../src/compute/models/types.js';
import { referenceRuntime } from '../../../../src/compute/tensor/runtimes/reference/index.js';
import type { Graph, Runtime } from '../../../../src/compute/tensor/types.js';

/** A runtime that compiles to names, and the names of what it has released. */
function namesAlone() {
  const released: string[] = [];
  const runtime = {
    compile: async (graph: Graph) => ({ graph, release: async () => void released.push(graph.name) }),
  } as unknown as Runtime;
  return { released, compiled: new CompiledGraphs(runtime) };
}

/** A runtime whose graphs do not run once they are released. */
function mortal(): Runtime {
  const runtime = referenceRuntime();
  return {
    ...runtime,
    async compile(graph) {
      const compiled = await runtime.compile(graph);
      let released = false;
      return {
        graph,
        async run(inputs, outputs) {
          if (released) throw new Error(`${graph.name} is released`);
          return compiled.run(inputs, outputs);
        },
        async release() {
          released = true;
        },
      };
    },
  };
}

const graph = (name: string) => (): Graph => ({ name }) as unknown as Graph;

describe('compiled graphs', () => {
  it('are released when there are too many, those that were used longest ago first', async () => {
    const { released, compiled } = namesAlone();
    for (let index = 0; index < 64; index++) await compiled.get(`${index}`, graph(`${index}`));
    compiled.begin();
    await compiled.get('0', graph('again'));
    for (const name of ['a', 'b', 'c']) await compiled.get(name, graph(name));
    expect(released).to.deep.equal(['1', '2', '3']);
    await compiled.release();
    expect(released).to.have.length(67);
  });

  it('stay from one beginning to the next, however many there are', async () => {
    const { released, compiled } = namesAlone();
    for (let index = 0; index < 100; index++) await compiled.get(`${index}`, graph(`${index}`));
    compiled.begin();
    for (let index = 0; index < 100; index++) await compiled.get(`${index}`, graph('again'));
    expect(released).to.deep.equal([]);
    compiled.begin();
    await compiled.get('more', graph('more'));
    expect(released).to.have.length(37);
  });

  it('of a step are there for a model of which no two layers are adapted alike', async () => {
    const layers = 33;
    const config: ModelConfig = {
      ...{ architecture: 'llama', vocabSize: 11, layers, heads: 1, keyValueHeads: 1, maxPositions: 8 },
      ...{ hiddenSize: 4, headDim: 4, intermediateSize: 4, ropeTheta: 10_000, normEpsilon: 1e-5 },
      ...{ tieEmbeddings: true, bosTokenId: null, eosTokenIds: [], padTokenId: null },
    };
    const lora: LoraConfig = {
      ...{ kind: 'lora', rank: 1, alpha: 1, dropout: 0, targets: ['v_proj'] },
      alphaPattern: Object.fromEntries(
        Array.from({ length: layers }, (_, layer) => [`layers.${layer}.self_attn.v_proj`, layer + 1]),
      ),
    };
    const weights = initModel(config, 5);
    const decoder = await createDecoder({
      ...{ runtime: mortal(), config, weights, trainable: 'adapter' },
      ...{ adapter: initAdapter(config, lora, { seed: 3, weights }), checkpointedBlocks: 0, logitsChunk: 64 },
    });
    const ids = Int32Array.of(1, 2, 3, 4);
    const batch = { rows: 1, length: 4, ids, labels: ids };
    const { sum } = await decoder.accumulate(batch, 1, { seed: 0, step: 0, micro: 0 });
    expect((await decoder.loss(batch)).sum).to.be.closeTo(sum, 1e-5);
    await decoder.release();
  });
});
