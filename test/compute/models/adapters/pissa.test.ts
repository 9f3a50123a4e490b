import { expect } from 'chai';
import { plainAdapter } from '../../../../src/compute/models/adapters/pissa.js';

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
