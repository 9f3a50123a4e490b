import { expect } from 'chai';
import { Matrices, plainAdapter } from '../../../../src/compute/models/adapters/pissa.js';
import type { StoredTensor } from '../../../../src/compute/models/types.js';

const tensor = (shape: readonly number[], ...values: readonly number[]) => ({
  shape,
  data: Float32Array.from(values),
});

describe('an adapter that began with principal parts', () => {
  it('is joined with what it began with, factor by factor, and keeps what is trained whole', () => {
    const whole = tensor([2, 2], 1, 2, 3, 4);
    const { config, tensors } = plainAdapter(
      {
        config: { kind: 'lora', rank: 1, alpha: 3, dropout: 0, targets: ['q_proj'], pissa: true },
        tensors: new Map([
          ['a.q_proj.lora_A.weight', tensor([1, 2], 1, 2)],
          ['a.q_proj.lora_B.weight', tensor([2, 1], 3, 4)],
          ['model.embed_tokens.weight', whole],
          ['score.weight', whole],
        ]),
      },
      new Map([
        ['a.q_proj.pissa_A.weight', tensor([1, 2], 5, 6)],
        ['a.q_proj.pissa_B.weight', tensor([2, 1], 7, 8)],
      ]),
    );
    expect(config).to.include({ rank: 2, alpha: 6 });
    expect(tensors.get('a.q_proj.lora_A.weight')).to.deep.equal(tensor([2, 2], 1, 2, 5, 6));
    expect(tensors.get('a.q_proj.lora_B.weight')).to.deep.equal(tensor([2, 2], 3, -7, 4, -8));
    expect(tensors.get('model.embed_tokens.weight')).to.deep.equal(whole);
    expect(tensors.get('score.weight')).to.deep.equal(whole);
  });
});

describe('the weights of one layer after the other', () => {
  const stored = (shape: readonly number[], value: number, held?: Float32Array): StoredTensor => ({
    ...{ name: 'w', shape, format: held === undefined ? 'F16' : 'F32', residentBytes: 0 },
    view: () => held,
    dequantise: (out) => out.fill(value),
    dequantiseRows: (_row, _count, out) => out.fill(value),
  });
  const matrices = (...tensors: readonly StoredTensor[]): Matrices => {
    const named = new Map(tensors.map((tensor, at) => [`${at}.weight`, tensor]));
    const get = (name: string): StoredTensor => named.get(name) ?? stored([0], 0);
    return new Matrices({
      names: () => [...named.keys()],
      has: (name) => named.has(name),
      get,
      residentBytes: 0,
    });
  };

  it('are decoded into one memory, as long as the largest of them', () => {
    const found = matrices(stored([2, 3], 1), stored([2, 2], 2), stored([3, 1], 3));
    const [first, second] = [found.of('0'), found.of('1')];
    expect([...second]).to.deep.equal([2, 2, 2, 2]);
    expect(second.buffer).to.equal(first.buffer);
    expect([...found.of('2')]).to.deep.equal([3, 3, 3]);
    expect(first).to.have.length(6);
  });

  it('are as they are held where that is in float32', () => {
    const held = Float32Array.of(1, 2);
    expect(matrices(stored([1, 2], 0, held)).of('0')).to.equal(held);
  });
});
