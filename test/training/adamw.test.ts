import { expect } from 'chai';
import { clipFactor, globalNorm } from '../../src/training/clip.js';
import { createAdamW, decays } from '../../src/training/index.js';
import { fixtureJson } from './fixture.js';

interface Case {
  readonly decay: number;
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly start: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly final: readonly number[];
  readonly m: readonly number[];
  readonly v: readonly number[];
}

const worst = (found: Float32Array, expected: readonly number[]): number =>
  expected.reduce(
    (most, value, i) =>
      Math.max(most, Math.abs((found[i] ?? Number.NaN) - value) / Math.max(Math.abs(value), 1e-12)),
    0,
  );

describe('AdamW', () => {
  for (const recorded of fixtureJson<Case[]>('optimizer.json')) {
    it(`takes torch's 20 steps with decay ${recorded.decay} to 1e-6`, () => {
      const data = Float32Array.from(recorded.start);
      const optimizer = createAdamW(new Map([['w', { data }]]), recorded);
      recorded.gradients.forEach((gradient, i) => {
        optimizer.update(new Map([['w', Float32Array.from(gradient)]]), i + 1, recorded.rate, 1);
      });
      expect(worst(data, recorded.final)).to.be.below(1e-6);
      expect(worst(optimizer.m.get('w') as Float32Array, recorded.m)).to.be.below(2e-5);
      expect(worst(optimizer.v.get('w') as Float32Array, recorded.v)).to.be.below(2e-6);
    });
  }

  it('applies the scale of the gradients as if they had been scaled before', () => {
    const run = (gradient: number, scale: number): number => {
      const data = Float32Array.from([1]);
      const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-2, decay: 0 };
      createAdamW(new Map([['w', { data }]]), options).update(
        new Map([['w', Float32Array.from([gradient])]]),
        1,
        0.1,
        scale,
      );
      return data[0] as number;
    };
    expect(run(0.5, 0.25)).to.equal(run(0.125, 1));
    expect(run(0.5, 0.25)).to.not.equal(run(0.5, 1));
  });

  it('decays matrices and adapters, and no norm or bias', () => {
    const names = [
      'model.embed_tokens.weight',
      'model.layers.0.self_attn.q_proj.weight',
      'model.layers.0.self_attn.q_proj.lora_A.weight',
      'model.layers.0.input_layernorm.weight',
      'model.layers.0.post_attention_layernorm.weight',
      'model.layers.0.self_attn.q_norm.weight',
      'model.norm.weight',
      'model.layers.0.self_attn.q_proj.bias',
    ];
    expect(names.filter(decays)).to.deep.equal(names.slice(0, 3));
  });
});

describe('clipping', () => {
  it('measures the norm over all tensors', () => {
    const gradients = new Map([
      ['a', Float32Array.from([3, 0])],
      ['b', Float32Array.from([0, 4])],
    ]);
    expect(globalNorm(gradients)).to.equal(5);
  });

  it('does not saturate where float32 would', () => {
    expect(globalNorm(new Map([['a', new Float32Array(2 ** 25).fill(1)]]))).to.equal(Math.sqrt(2 ** 25));
  });

  it('shrinks what is above the limit and leaves the rest', () => {
    expect(clipFactor(0.5, 1)).to.equal(1);
    expect(clipFactor(4, 1)).to.equal(1 / (4 + 1e-6));
    expect(clipFactor(0, 1)).to.equal(1);
  });
});
