/** What tensors take, counted with the packages that are here: it is what the recorded tables say, and more than they have. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CountQuestion, countTensors } from '../../../src/compute/accelerate/count-tensors.js';
import { pythonOf } from '../../../src/compute/accelerate/environment.js';
import type { BlockName } from '../../../src/compute/accelerate/memory/blocks.js';
import {
  type DecoderFields,
  decoderShape,
  driverTraining,
  type TensorCounts,
} from '../../../src/compute/accelerate/memory/index.js';
import { savedPerToken } from '../../../src/compute/accelerate/memory/saved.js';
import type { Host } from '../../../src/language/host/host.js';
import type { Json } from '../../../src/language/host/json.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { withPython } from '../python.js';

/** Sizes that nothing was counted at. */
const LARGE: Omit<DecoderFields, 'type' | 'name'> = {
  ...{
    layers: 32,
    hidden: 4096,
    heads: 32,
    keyValueHeads: 8,
    headDim: 128,
    inner: 14336,
    vocabulary: 128256,
  },
};
const TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
const CONFIG = {
  ...{ vocab_size: 2000, hidden_size: 128, intermediate_size: 352, num_hidden_layers: 4 },
  ...{ num_attention_heads: 8, num_key_value_heads: 4, max_position_embeddings: 256 },
};

const saved = (type: BlockName, { trained, precision }: CountQuestion['variant'], counts?: TensorCounts) => {
  const shape = decoderShape({ ...LARGE, name: type, type });
  const targets = shape.linears.map(({ reads, inputs }) => ({ reads, inputs, rank: 8 }));
  return savedPerToken(
    driverTraining({
      ...{ shape, precision, isQuantised: false, device: 'cpu', attention: 'sdpa', isPacked: false },
      adapter: trained === 'full' ? undefined : { parameters: 1e6, targets, dropout: 0 },
      sharding: { kind: 'none', world: 1, isOffloaded: false },
      ...{ checkpointed: 0, accumulation: 1, rows: 1, length: 2048, predicted: 100 },
      ...{ optimizer: { state: 8, temporary: 0 }, counted: counts?.block },
    }),
  );
};

withPython('tensors that are counted here', () => {
  const cache = mkdtempSync(join(tmpdir(), 'ftpc-counts-'));
  const own = nodeHost();
  const host: Host = { ...own, env: (name) => (name === 'XDG_CACHE_HOME' ? cache : own.env(name)) };
  after(() => rmSync(cache, { recursive: true }));

  const count = (config: Json, variant: Partial<CountQuestion['variant']> = {}, optimizer = 'adamw') =>
    countTensors(host, pythonOf(own), {
      ...{ config, optimizer, device: 'cuda' },
      variant: { trained: 'adapter', targets: TARGETS, precision: 'f32', attention: 'sdpa', ...variant },
    });

  for (const [type, precision] of [
    ['qwen3', 'f32'],
    ['llama', 'bf16'],
  ] as const)
    it(`are those of the tables, at sizes of which none was counted: ${type}, ${precision}`, async () => {
      const counts = await count({ ...CONFIG, model_type: type }, { precision });
      expect(counts?.block?.logits).to.equal(12);
      const variant = { trained: 'adapter', precision, targets: TARGETS, attention: 'sdpa' } as const;
      expect(saved(type, variant, counts) / saved(type, variant)).to.be.closeTo(1, 0.005);
    });

  it('are more where logits are capped and attention is written out', async () => {
    const counts = await count(
      { ...CONFIG, model_type: 'gemma2', head_dim: 16 },
      { targets: null, trained: 'full' },
    );
    expect(counts?.block?.logits).to.equal(16);
    expect(counts?.block?.saved.scores).to.be.closeTo(8, 1e-3);
  });

  it('have what an update makes, and are kept', async () => {
    const config = { ...CONFIG, model_type: 'kv', kv_lora_rank: 8 };
    expect(await count(config, {}, 'lion')).to.deep.equal({ update: { all: 0, largest: 12 } });
    expect(await count(config, {}, 'sgd')).to.deep.equal({ update: { all: 4, largest: 0 } });
    const kept = readdirSync(join(cache, 'ftpc', 'tensor-counts'));
    await count(config, {}, 'sgd');
    expect(readdirSync(join(cache, 'ftpc', 'tensor-counts'))).to.deep.equal(kept);
    expect(kept.length).to.be.greaterThan(1);
  });
});
