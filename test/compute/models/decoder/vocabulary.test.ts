import { expect } from 'chai';
import { entriesOfPiece, piecesOf } from '../../../../src/compute/models/decoder/vocabulary.js';

const shape = (vocabSize: number, hiddenSize: number) => ({ vocabSize, hiddenSize, labels: undefined });

describe('a vocabulary in pieces', () => {
  it('has every entry once, in pieces of one size but for the last one', () => {
    for (const [vocabSize, entries] of [
      [10, 3],
      [12, 3],
      [49_152, 7040],
      [2, 5],
    ] as const) {
      const pieces = piecesOf(vocabSize, entries);
      const found = pieces.flatMap(({ first, entries }) =>
        Array.from({ length: entries }, (_, at) => first + at),
      );
      expect(found).to.deep.equal([...Array(vocabSize).keys()]);
      expect(new Set(pieces.slice(0, -1).map((piece) => piece.entries)).size).to.be.at.most(1);
    }
  });

  it('has pieces of about 16 MiB: SmolLM2 in 7, Gemma 3 in 40', () => {
    const smollm2 = entriesOfPiece(shape(49_152, 576));
    const gemma3 = entriesOfPiece(shape(262_144, 640));
    expect([smollm2, gemma3]).to.deep.equal([7040, 6592]);
    expect(piecesOf(49_152, smollm2 ?? 1)).to.have.length(7);
    expect(piecesOf(262_144, gemma3 ?? 1)).to.have.length(40);
  });

  it('is whole where it is small, and where it is labels', () => {
    expect(entriesOfPiece(shape(8192, 512))).to.equal(undefined);
    expect(entriesOfPiece({ ...shape(262_144, 640), labels: ['yes', 'no'] })).to.equal(undefined);
  });
});
