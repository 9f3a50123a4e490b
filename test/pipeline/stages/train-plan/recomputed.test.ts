import { expect } from 'chai';
import {
  recomputedCell,
  recomputedText,
  recomputesSomething,
} from '../../../../src/pipeline/stages/train-plan/plan.js';

describe('what is recomputed', () => {
  const cases = [
    [{ checkpointedBlocks: 0 }, '0 blocks', '0', false],
    [{ checkpointedBlocks: 3 }, '3 blocks', '3', true],
    [{ checkpointedBlocks: 0, recomputedAttention: 1 }, '1 softmax', '1 softmax', true],
    [{ checkpointedBlocks: 1, recomputedMlps: 6 }, '1 block and 5 MLPs', '1 block and 5 MLPs', true],
    [
      { checkpointedBlocks: 0, recomputedMlps: 2, recomputedAttention: 6 },
      ...['2 MLPs and 4 softmaxes', '2 MLPs and 4 softmaxes', true],
    ],
    // a block that recomputes all recomputes its softmax
    [{ checkpointedBlocks: 6, recomputedMlps: 2, recomputedAttention: 4 }, '6 blocks', '6', true],
  ] as const;
  for (const [chosen, text, cell, something] of cases)
    it(`reads ${text}`, () => {
      expect(recomputedText(chosen)).to.equal(text);
      expect(recomputedCell(chosen)).to.equal(cell);
      expect(recomputesSomething(chosen)).to.equal(something);
    });
});
