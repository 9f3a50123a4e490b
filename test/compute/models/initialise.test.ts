import { expect } from 'chai';
import type { LoraConfig } from '../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../src/compute/models/adapters/kinds.js';
import { parseConfig } from '../../../src/compute/models/config/index.js';
import { initModel } from '../../../src/compute/models/initialise.js';
import { fillNormal, fillPlain, fillUniform, philox, uniform } from '../../../src/compute/models/philox.js';
import { readFixture } from './fixtures.js';

const config = parseConfig(readFixture('peft/base/config.json'), 'config.json');

function moments(values: Float32Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}

describe('random numbers', () => {
  it('are Philox 4x32-10: the known answers of Random123', () => {
    expect(philox([0, 0, 0, 0], [0, 0])).to.deep.equal([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    const ones = 0xffffffff;
    expect(philox([ones, ones, ones, ones], [ones, ones])).to.deep.equal([
      0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd,
    ]);
    expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).to.deep.equal([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
  });

  it('have the moments that they should', () => {
    const values = new Float32Array(20_001);
    fillUniform(values, 1, 'a', -1, 3);
    expect(moments(values).mean).to.be.closeTo(1, 0.03);
    expect(moments(values).deviation).to.be.closeTo(4 / Math.sqrt(12), 0.03);
    expect(values[4321]).to.equal(Math.fround(-1 + 4 * uniform(1, 'a', 4321)));
    fillNormal(values, 1, 'a', 2);
    expect(moments(values).mean).to.be.closeTo(0, 0.05);
    expect(moments(values).deviation).to.be.closeTo(2, 0.05);
  });

  it('have the same bits where a kernel makes them, wherever a run of them begins and ends', () => {
    // from 2^34 on, a counter's second word is another
    for (const [first, length] of [
      [0, 300_001],
      [3, 70_000],
      [32_768 * 5 + 1, 33_000],
      [2 ** 34 - 16_007, 40_000],
      [7, 5],
    ] as const) {
      const [fast, plain] = [new Float32Array(length), new Float32Array(length)];
      fillNormal(fast, 2 ** 40 + 9, 'a', 0.02, first);
      fillPlain(plain, [2 ** 40 + 9, 'a', 0.02], first);
      expect(Buffer.compare(Buffer.from(fast.buffer), Buffer.from(plain.buffer)), `from ${first}`).to.equal(
        0,
      );
    }
  });

  it('differ by seed and stream', () => {
    const draws = [
      uniform(1, 'a', 0),
      uniform(2, 'a', 0),
      uniform(1, 'b', 0),
      uniform(1, 'a', 1),
      uniform(2 ** 32 + 1, 'a', 0),
    ];
    expect(new Set(draws).size).to.equal(draws.length);
  });
});

describe('fresh weights', () => {
  it('an adapter starts as PEFT starts it', () => {
    const lora: LoraConfig = {
      kind: 'lora',
      rank: 64,
      alpha: 64,
      dropout: 0,
      targets: ['v_proj', 'down_proj'],
    };
    const { tensors } = initAdapter(config, lora, { seed: 5 });
    expect([...tensors.keys()].filter((name) => name.includes('layers.1'))).to.deep.equal([
      'model.layers.1.self_attn.v_proj.lora_A.weight',
      'model.layers.1.self_attn.v_proj.lora_B.weight',
      'model.layers.1.mlp.down_proj.lora_A.weight',
      'model.layers.1.mlp.down_proj.lora_B.weight',
    ]);
    const a = tensors.get('model.layers.1.mlp.down_proj.lora_A.weight')?.data ?? new Float32Array();
    const bound = 1 / Math.sqrt(24);
    expect(a.length).to.equal(64 * 24);
    expect(Math.max(...a)).to.be.within(bound * 0.99, bound);
    expect(moments(a).deviation).to.be.closeTo(bound / Math.sqrt(3), bound * 0.03);
    const b = tensors.get('model.layers.1.mlp.down_proj.lora_B.weight');
    expect(b?.shape).to.deep.equal([16, 64]);
    expect(b?.data.every((value) => value === 0)).to.equal(true);
    expect(initAdapter(config, lora, { seed: 5 })).to.deep.equal(initAdapter(config, lora, { seed: 5 }));
    expect(initAdapter(config, lora, { seed: 6 })).not.to.deep.equal(initAdapter(config, lora, { seed: 5 }));
    expect(() => initAdapter(config, { ...lora, targets: ['norm'] }, { seed: 5 })).to.throw(/norm/);
    const gaussian = initAdapter(config, lora, { seed: 5, init: 'gaussian' }).tensors;
    for (const [name, { data }] of gaussian)
      if (name.includes('lora_A')) {
        expect(moments(data).mean).to.be.closeTo(0, 0.001);
        expect(moments(data).deviation).to.be.closeTo(1 / lora.rank, 0.1 / lora.rank);
      } else expect(data.every((value) => value === 0)).to.equal(true);
  });

  it('a model has norms of one and the rest from N(0, 0.02)', () => {
    const weights = initModel({ ...config, padTokenId: 3 }, 1);
    expect(
      weights
        .get('model.norm.weight')
        .view()
        ?.every((value) => value === 1),
    ).to.equal(true);
    const embedding = weights.get('model.embed_tokens.weight').view() ?? new Float32Array();
    expect(moments(embedding).deviation).to.be.closeTo(0.02, 0.002);
    expect([...embedding.subarray(48, 64)]).to.deep.equal(new Array(16).fill(0));
  });
});
