import { expect } from 'chai';
import { vocabularyShardSize, vocabularyShards } from '../../../../src/compute/models/decoder/chunks.js';

const shape = (vocabSize: number, hiddenSize: number) => ({ vocabSize, hiddenSize, labels: undefined });

describe('a vocabulary in shards', () => {
  it('has every token once, in shards of one size but for the last one', () => {
    for (const [vocabSize, shardSize] of [
      [10, 3],
      [12, 3],
      [49_152, 7040],
      [2, 5],
    ] as const) {
      const shards = vocabularyShards(vocabSize, shardSize);
      const found = shards.flatMap(({ first, size }) => Array.from({ length: size }, (_, at) => first + at));
      expect(found).to.deep.equal([...Array(vocabSize).keys()]);
      expect(new Set(shards.slice(0, -1).map((shard) => shard.size)).size).to.be.at.most(1);
    }
  });

  it('has shards of about 16 MiB: SmolLM2 in 7, Gemma 3 in 40', () => {
    const smollm2 = vocabularyShardSize(shape(49_152, 576));
    const gemma3 = vocabularyShardSize(shape(262_144, 640));
    expect([smollm2, gemma3]).to.deep.equal([7040, 6592]);
    expect(vocabularyShards(49_152, smollm2 ?? 1)).to.have.length(7);
    expect(vocabularyShards(262_144, gemma3 ?? 1)).to.have.length(40);
  });

  it('is whole where it is small, and where it is labels', () => {
    expect(vocabularyShardSize(shape(8192, 512))).to.equal(undefined);
    expect(vocabularyShardSize({ ...shape(262_144, 640), labels: ['yes', 'no'] })).to.equal(undefined);
  });
});
