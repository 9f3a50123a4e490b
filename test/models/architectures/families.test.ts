import { expect } from 'chai';
import { blockGraph } from '../../../src/models/architectures/graphs/block.js';
import { headGraph } from '../../../src/models/architectures/graphs/head.js';
import { stepGraph } from '../../../src/models/architectures/graphs/step.js';
import {
  blockTensors,
  blueprintOf,
  expectedTensors,
  FAMILIES,
  projectionsOf,
} from '../../../src/models/architectures/index.js';
import { parseConfig } from '../../../src/models/config/index.js';
import { verify } from '../../../src/tensor/verify.js';
import { FIXTURES, fixture } from '../decoder/fixture.js';

describe('families', () => {
  it('are all proved by a fixture', () => {
    const proved = new Set(FIXTURES.map((name) => fixture(name).recording.config.architecture));
    expect([...proved].sort()).to.deep.equal(Object.keys(FAMILIES).sort());
  });
});

for (const name of FIXTURES)
  describe(`architecture of ${name}`, () => {
    const { recording, adapter } = fixture(name);
    const { config } = recording;
    const blueprint = blueprintOf(config);
    const blocks = Object.values(blueprint.blocks);

    it('names every weight as transformers does, with its shape', () => {
      const found = Object.fromEntries(expectedTensors(config).map((tensor) => [tensor.name, tensor.shape]));
      const recorded = Object.entries(recording.weights).map(([weight, { shape }]) => [weight, shape]);
      expect(found).to.deep.equal(Object.fromEntries(recorded));
    });

    it('reads back the config.json that it writes', () => {
      const family = FAMILIES[config.architecture];
      const json = {
        model_type: family.modelType,
        architectures: [family.className],
        ...family.write(config),
      };
      expect(JSON.parse(JSON.stringify(parseConfig(json, 'config.json')))).to.deep.equal(
        JSON.parse(JSON.stringify(config)),
      );
    });

    it('builds well-formed graphs, with and without adapter, dropout and training', () => {
      const one = { ...adapter.config, targets: adapter.config.targets.slice(0, 1) };
      for (const block of blocks) {
        for (const lora of [undefined, adapter.config, one])
          for (const dropout of [false, true])
            for (const trainable of ['none', 'adapter', 'full'] as const)
              verify(blockGraph({ config, block, rows: 2, length: 3, lora, dropout, trainable }).joint);
        verify(stepGraph({ config, block, rows: 3, capacity: 8, lora: adapter.config }));
      }
      for (const trainable of ['none', 'adapter', 'full'] as const)
        verify(headGraph({ blueprint, tokens: 4, trainable }));
    });

    it('asks for the gradients of what is trained, and of nothing else', () => {
      for (const block of blocks) {
        const lora = { ...adapter.config, targets: adapter.config.targets.slice(0, 1) };
        const outputs = (trainable: 'adapter' | 'full') =>
          blockGraph({
            config,
            block,
            rows: 1,
            length: 3,
            lora: trainable === 'adapter' ? lora : undefined,
            dropout: false,
            trainable,
          })
            .joint.outputs.map((output) => output.name)
            .filter((output) => output.startsWith('grad.'))
            .sort();
        const adapted = projectionsOf(block).filter(({ target }) => lora.targets.includes(target));
        expect(outputs('adapter')).to.deep.equal(
          adapted
            .flatMap(({ module }) => ['A', 'B'].map((side) => `grad.${module}.lora_${side}.weight`))
            .sort(),
        );
        expect(outputs('full')).to.deep.equal(
          blockTensors(block, config.headDim)
            .map((weight) => `grad.${weight.name}`)
            .sort(),
        );
      }
    });
  });
