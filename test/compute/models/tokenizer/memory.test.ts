import { expect } from 'chai';
import { tokenizerMemory } from '../../../../src/compute/models/tokenizer/memory.js';

const MIB = 2 ** 20;

describe('memory of a tokenizer', () => {
  it('is about what those of real models took', () => {
    const smollm = tokenizerMemory({ tokens: 49_152, bytes: 2 * MIB });
    expect(smollm.made / MIB).to.be.closeTo(15, 1);
    expect(smollm.kept / MIB).to.be.closeTo(12, 3);
    const gemma = tokenizerMemory({ tokens: 262_144, bytes: 31.8 * MIB });
    expect(gemma.made / MIB).to.be.closeTo(153, 2);
  });

  it('is that of fewer tokens where the file has no room for those of the model', () => {
    const small = tokenizerMemory({ tokens: 4096, bytes: 100_000 });
    const padded = tokenizerMemory({ tokens: 49_152, bytes: 100_000 });
    expect(padded.kept).to.be.within(small.kept, 2 * small.kept);
  });

  it('is by the tokens of the model where the file is not there', () => {
    const { made, kept } = tokenizerMemory({ tokens: 128_256, bytes: 0 });
    expect(made)
      .to.be.above(kept)
      .and.to.equal(2 * tokenizerMemory({ tokens: 64_128, bytes: 0 }).made);
  });

  it('is by tokens and merges where they are in a GGUF file', () => {
    const smollm = tokenizerMemory({ tokens: 49_152, merges: 48_900 });
    expect(smollm.made / MIB).to.be.closeTo(22, 1);
    expect(tokenizerMemory({ tokens: 262_144, merges: 514_906 }).made / MIB).to.be.closeTo(180, 2);
  });
});
