/**
 * Blocks that carry a state in the place of keys and values, or have latent attention: what autograd saves of them, counted in
 * transformers' own code (`test/fixtures/torch-memory/record_mixers.py`).
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { driverTraining, torchShape } from '../../../../src/compute/accelerate/memory/index.js';
import { savedPerToken } from '../../../../src/compute/accelerate/memory/saved.js';
import { parseConfig } from '../../../../src/compute/models/config/index.js';
import { tensorsOfConfig } from '../../../../src/compute/models/shapes/tensors.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';

interface Counted {
  readonly config: Readonly<Record<string, unknown>>;
  readonly length: number;
  readonly saved: number;
}

const LAYERS = 4;

describe('blocks that mix tokens by a state, or by latent keys and values', () => {
  const path = `${nodeHost().packageFolder}/test/fixtures/torch-memory/mixers.json`;
  const rows: readonly Counted[] = JSON.parse(readFileSync(path, 'utf8'));
  for (const { config, length, saved } of rows) {
    const isLatent = 'kv_lora_rank' in config;
    const kinds = isLatent ? {} : { layer_types: Array(LAYERS).fill('linear_attention') };
    const json = { ...config, ...kinds, num_hidden_layers: LAYERS, tie_word_embeddings: true };
    const tensors = tensorsOfConfig(json, 'config.json') ?? [];
    const shape = torchShape(parseConfig(json, 'config.json', () => tensors));
    const training = driverTraining({
      ...{ shape, precision: 'bf16', isQuantised: false, device: 'cpu', attention: 'sdpa', isPacked: false },
      adapter: {
        parameters: 1,
        targets: [{ reads: 'attention output', inputs: shape.latent?.output ?? 0, rank: 8 }],
        dropout: 0,
      },
      ...{ checkpointed: 0, logitsChunk: 64, sharding: { kind: 'none', world: 1, isOffloaded: false } },
      ...{ accumulation: 1, rows: 2, length, predicted: 64, optimizer: { state: 8, temporary: 0 } },
      uncounted: 'architecture',
    });
    const most = isLatent ? 0.02 : 0.12;

    it(`save ${Math.round(saved)} bytes per token of ${length} of ${config['model_type']}: within ${100 * most} %`, () => {
      expect(shape.state?.share).to.equal(isLatent ? undefined : 1);
      expect(savedPerToken(training) / saved).to.be.within(1 - most, 1 + most);
      // kernels for states differ
      expect(training.certainty).to.equal(isLatent ? 'estimated' : 'assumed');
    });
  }
});
