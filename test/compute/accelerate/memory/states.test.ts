/** Blocks that carry a state in the place of keys and values: what autograd saves of them, counted in transformers' own code. */
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

describe('blocks that carry a state', () => {
  const path = `${nodeHost().packageFolder}/test/fixtures/torch-memory/states.json`;
  const rows: readonly Counted[] = JSON.parse(readFileSync(path, 'utf8'));
  for (const { config, length, saved } of rows) {
    const json = {
      ...config,
      num_hidden_layers: 4,
      tie_word_embeddings: true,
      layer_types: Array(4).fill('linear_attention'),
    };
    const shape = torchShape(
      parseConfig(json, 'config.json', () => tensorsOfConfig(json, 'config.json') ?? []),
    );
    const training = driverTraining({
      ...{ shape, precision: 'bf16', isQuantised: false, device: 'cpu', attention: 'sdpa', isPacked: false },
      adapter: { parameters: 1, targets: [], dropout: 0 },
      ...{
        checkpointed: 0,
        logitsChunk: 64,
        sharding: { kind: 'none', world: 1, isOffloaded: false },
        accumulation: 1,
      },
      ...{ rows: 2, length, predicted: 64, optimizer: { state: 8, temporary: 0 } },
      uncounted: 'architecture',
    });

    it(`save ${Math.round(saved)} bytes per token in a row of ${length} of ${config['model_type']}: within 12 %`, () => {
      expect(shape.state?.share).to.equal(1);
      expect(savedPerToken(training) / saved).to.be.within(0.88, 1.12);
    });

    it(`have an interval that other kernels are in, of ${config['model_type']} and ${length} tokens`, () => {
      expect(training.certainty).to.equal('assumed');
    });
  }
});
