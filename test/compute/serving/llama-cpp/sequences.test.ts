import { expect } from 'chai';
import { Sequences } from '../../../../src/compute/serving/llama-cpp/sequences.js';

const tokens = (...ids: readonly number[]): Int32Array => Int32Array.from(ids);
const PREFIX = [1, 2, 3, 4, 5, 6, 7, 8, 9];

describe('sequences of llama.cpp', () => {
  it('give a text the one that begins like it, and keep a token to compute', () => {
    const sequences = new Sequences(3);
    const first = sequences.take(tokens(...PREFIX));
    expect(first.common).to.equal(0);
    first.sequence.tokens.push(...PREFIX, 10);
    const second = sequences.take(tokens(...PREFIX, 11));
    expect(second.sequence).not.to.equal(first.sequence);
    second.sequence.tokens.push(20, 21);
    for (const { sequence } of [first, second]) sequences.giveBack(sequence);
    expect(sequences.tokens).to.equal(12);
    const again = sequences.take(tokens(...PREFIX, 11, 12));
    expect(again).to.deep.include({ sequence: first.sequence, common: 9 });
    sequences.giveBack(again.sequence);
    expect(sequences.take(tokens(...PREFIX)).common).to.equal(8);
  });

  it('give others the one that was used longest ago, whatever few tokens they share', () => {
    const sequences = new Sequences(2);
    const [first, second] = [sequences.take(tokens(1)), sequences.take(tokens(1))];
    first.sequence.tokens.push(1, 2, 3);
    second.sequence.tokens.push(1, 2, 3, 4);
    for (const { sequence } of [second, first]) sequences.giveBack(sequence);
    expect(sequences.take(tokens(1, 2, 3, 4, 5))).to.deep.equal({ sequence: second.sequence, common: 4 });
    expect(sequences.take(tokens(9)).sequence).to.equal(first.sequence);
    expect(() => sequences.take(tokens(9))).to.throw('every sequence is taken');
  });
});
