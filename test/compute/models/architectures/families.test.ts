import { expect } from 'chai';
import { branchTensors } from '../../../../src/compute/models/adapters/branches.js';
import type { LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import { layerKind } from '../../../../src/compute/models/adapters/kinds.js';
import { blockGraph } from '../../../../src/compute/models/architectures/graphs/block.js';
import { decodeStepGraph } from '../../../../src/compute/models/architectures/graphs/decode-step.js';
import { headGraph } from '../../../../src/compute/models/architectures/graphs/head.js';
import {
  blockOf,
  blockTensors,
  blueprintOf,
  expectedTensors,
  FAMILIES,
  projectionsOf,
} from '../../../../src/compute/models/architectures/index.js';
import { parseConfig } from '../../../../src/compute/models/config/index.js';
import { verify } from '../../../../src/compute/tensor/verify.js';
import { FIXTURES, fixture } from '../decoder/fixture.js';

describe('families', () => {
  it('are all proved by a fixture', () => {
    const proved = new Set(FIXTURES.map((name) => fixture(name).recording.config.architecture));
    expect([...proved].sort()).to.deep.equal(
      Object.keys(FAMILIES)
        .filter((name) => name !== 'other')
        .sort(),
    );
  });
});

for (const name of FIXTURES)
  describe(`architecture of ${name}`, () => {
    const { recording, adapter } = fixture(name);
    const { config } = recording;
    const blueprint = blueprintOf(config);
    const kindsOf = (lora?: LoraConfig) =>
      blueprint.layers.map((_, layer) => layerKind(blueprint, lora, layer));

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
      for (const lora of [undefined, adapter.config, one, { ...adapter.config, dora: true, residual: false }])
        for (const kind of kindsOf(lora)) {
          for (const dropout of [0, 0.1])
            for (const trainable of ['none', 'adapter', 'full'] as const)
              verify(blockGraph({ config, kind, rows: 2, length: 3, dropout, trainable }).joint);
          verify(decodeStepGraph({ config, kind, rows: 3, capacity: 8 }));
        }
      for (const trainable of ['none', 'adapter', 'full'] as const)
        verify(headGraph(blueprint, 4, trainable));
    });

    it('asks for the gradients of what is trained, and of nothing else', () => {
      const lora = { ...adapter.config, targets: adapter.config.targets.slice(0, 1) };
      for (const layer of blueprint.layers.keys()) {
        const block = blockOf(blueprint, layer);
        const outputs = (trainable: 'adapter' | 'full') =>
          blockGraph({
            config,
            kind: layerKind(blueprint, trainable === 'adapter' ? lora : undefined, layer),
            rows: 1,
            length: 3,
            dropout: 0,
            trainable,
          })
            .joint.outputs.map((output) => output.name)
            .filter((output) => output.startsWith('grad.'))
            .sort();
        const { branches } = layerKind(blueprint, lora, layer);
        const adapted = projectionsOf(block).filter(({ module }) => branches[module] !== undefined);
        expect(outputs('adapter')).to.deep.equal(
          adapted
            .flatMap((projection) =>
              branchTensors(
                { rank: 1, scale: 1, dora: lora.dora ?? false, residual: false },
                projection,
                projection.module,
              ),
            )
            .map((tensor) => `grad.${tensor.name}`)
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
