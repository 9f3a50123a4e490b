import { expect } from 'chai';
import { ARCHITECTURES } from '../../../src/models/architectures/index.js';
import { weightNames } from '../../../src/models/decoder/weights.js';
import { verify } from '../../../src/tensor/verify.js';
import { fixture } from '../decoder/fixture.js';

for (const name of ['tied', 'untied'] as const)
  describe(`llama, ${name} embeddings`, () => {
    const { recording, adapter } = fixture(name);
    const { config } = recording;
    const family = ARCHITECTURES[config.architecture];

    it('names every weight as transformers does, with its shape', () => {
      expect([...weightNames({ config })].sort()).to.deep.equal(Object.keys(recording.weights).sort());
      for (const { name: weight, shape } of family.blockWeights(config))
        expect(shape).to.deep.equal(recording.weights[family.blockName(1, weight)]?.shape);
      expect(family.output(config).name).to.equal(
        config.tieEmbeddings ? family.embedding(config).name : 'lm_head.weight',
      );
    });

    it('builds well-formed graphs, with and without adapter, dropout and training', () => {
      for (const lora of [undefined, adapter.config, { ...adapter.config, targets: ['q_proj', 'v_proj'] }])
        for (const dropout of [false, true])
          for (const trainable of ['none', 'adapter', 'full'] as const)
            verify(family.block({ config, rows: 2, length: 3, lora, dropout, trainable }).joint);
      for (const trainable of ['none', 'adapter', 'full'] as const)
        verify(family.head({ config, tokens: 4, trainable }));
      verify(family.step({ config, rows: 3, capacity: 8, lora: adapter.config }));
    });

    it('asks for the gradients of what is trained, and of nothing else', () => {
      const lora = { ...adapter.config, targets: ['q_proj', 'down_proj'] };
      const outputs = (trainable: 'adapter' | 'full') =>
        family
          .block({
            config,
            rows: 1,
            length: 3,
            lora: trainable === 'adapter' ? lora : undefined,
            dropout: false,
            trainable,
          })
          .joint.outputs.map((output) => output.name)
          .filter((output) => output.startsWith('grad.'))
          .sort();
      expect(outputs('adapter')).to.deep.equal([
        'grad.mlp.down_proj.lora_A.weight',
        'grad.mlp.down_proj.lora_B.weight',
        'grad.self_attn.q_proj.lora_A.weight',
        'grad.self_attn.q_proj.lora_B.weight',
      ]);
      expect(outputs('full')).to.deep.equal(
        family
          .blockWeights(config)
          .map((weight) => `grad.${weight.name}`)
          .sort(),
      );
    });
  });
