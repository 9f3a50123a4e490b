import { expect } from 'chai';
import { divergence, labelledLoss } from '../../../../src/compute/training/objectives/kto.js';
import { pairLoss } from '../../../../src/compute/training/objectives/pairwise.js';
import { mismatchedText } from '../../../../src/compute/training/objectives/rows.js';
import type {
  AnswerSums,
  KtoObjective,
  PairObjective,
} from '../../../../src/compute/training/objectives/types.js';

const OBJECTIVES: readonly PairObjective[] = [
  { kind: 'dpo', beta: 0.1, loss: 'sigmoid', labelSmoothing: 0, sft: 0 },
  { kind: 'dpo', beta: 0.5, loss: 'sigmoid', labelSmoothing: 0.2, sft: 0 },
  { kind: 'dpo', beta: 0.3, loss: 'ipo', labelSmoothing: 0, sft: 0 },
  { kind: 'dpo', beta: 0.3, loss: 'hinge', labelSmoothing: 0, sft: 0 },
  { kind: 'orpo', beta: 0.2 },
  { kind: 'simpo', beta: 2, gamma: 0.5 },
  { kind: 'reward' },
];

const answer = (sum: number, tokens: number, reference: number): AnswerSums => ({ sum, tokens, reference });

/** Like answers, unlike ones, and ones that are certain or all but impossible. */
const PAIRS: readonly (readonly [AnswerSums, AnswerSums])[] = [
  [answer(-12, 8, -11), answer(-9, 3, -10)],
  [answer(-0.4, 1, -0.5), answer(-30, 20, -28)],
  [answer(-300, 40, -200), answer(-2, 60, -90)],
];

describe('losses of pairs', () => {
  for (const objective of OBJECTIVES)
    it(`${JSON.stringify(objective)}: slopes are those of finite differences`, () => {
      for (const [chosen, rejected] of PAIRS) {
        const { slopes } = pairLoss(objective, chosen, rejected);
        const step = 1e-5;
        const lossAt = (own: number, other: number): number =>
          pairLoss(
            objective,
            { ...chosen, sum: chosen.sum + own },
            { ...rejected, sum: rejected.sum + other },
          ).loss;
        const found = [
          (lossAt(step, 0) - lossAt(-step, 0)) / (2 * step),
          (lossAt(0, step) - lossAt(0, -step)) / (2 * step),
        ];
        for (const side of [0, 1] as const)
          expect(slopes[side]).to.be.closeTo(
            found[side] ?? Number.NaN,
            1e-6 * Math.max(1, Math.abs(slopes[side])),
          );
      }
    });

  it('starts at log 2 where policy and reference agree', () => {
    const same = answer(-7, 4, -7);
    const [dpo] = OBJECTIVES;
    if (dpo === undefined) throw new Error('no objective');
    expect(pairLoss(dpo, same, answer(-3, 2, -3)).loss).to.be.closeTo(Math.LN2, 1e-12);
  });

  it('is finite where an answer is certain or impossible', () => {
    for (const objective of OBJECTIVES)
      for (const [chosen, rejected] of [
        [answer(0, 4, 0), answer(-5000, 4, 0)],
        [answer(-5000, 4, 0), answer(0, 4, 0)],
      ] as const) {
        const { loss, slopes } = pairLoss(objective, chosen, rejected);
        expect([loss, ...slopes].every(Number.isFinite), JSON.stringify(objective)).to.equal(true);
      }
  });

  it('takes the second answer for the better one where they are swapped', () => {
    const [[chosen, rejected]] = PAIRS as [[AnswerSums, AnswerSums]];
    for (const objective of OBJECTIVES) {
      const [first, second] = [pairLoss(objective, chosen, rejected), pairLoss(objective, rejected, chosen)];
      expect(first.rewards).to.deep.equal([...second.rewards].reverse());
      expect(first.loss).not.to.equal(second.loss);
    }
  });
});

describe('losses of labelled answers', () => {
  const kto: KtoObjective = { kind: 'kto', beta: 0.3, desirable: 1.5, undesirable: 0.5 };

  it('have the slopes of finite differences', () => {
    for (const isGood of [true, false])
      for (const kl of [0, 0.8]) {
        const at = (sum: number): number => labelledLoss(kto, answer(sum, 3, -6), isGood, kl).loss;
        const { slope } = labelledLoss(kto, answer(-5, 3, -6), isGood, kl);
        expect(slope).to.be.closeTo((at(-5 + 1e-5) - at(-5 - 1e-5)) / 2e-5, 1e-8);
      }
  });

  it('weigh good and bad answers', () => {
    const at = (isGood: boolean): number => labelledLoss(kto, answer(-6, 3, -6), isGood, 0).loss;
    expect([at(true), at(false)]).to.deep.equal([0.75, 0.25]);
  });

  it('never take a divergence below 0', () => {
    expect(divergence([answer(-8, 1, -6), answer(-7, 1, -6)])).to.equal(0);
    expect(divergence([answer(-4, 1, -6), answer(-7, 1, -6)])).to.equal(0.5);
    expect(divergence([])).to.equal(0);
  });
});

describe('a prompt with the answer to another one', () => {
  it('is no longer than rows are', () => {
    const row = (prompt: number, answer: number) => ({
      answer: {
        ids: Int32Array.from({ length: prompt + answer }, (_, at) => at),
        labels: Int32Array.from({ length: prompt + answer }, (_, at) => (at < prompt ? -100 : at)),
      },
      isDesirable: true,
    });
    const rows = [row(6, 2), row(2, 6)];
    const source = {
      ...{ count: 2, limit: 8, lengthOf: () => 8, tokensOf: () => 8 },
      read: (at: number) => rows[at] ?? row(1, 1),
    };
    const { ids, labels } = mismatchedText(source, [0, 1]);
    expect([...ids]).to.deep.equal([0, 1, 2, 3, 4, 5, 2, 3]);
    expect([...labels]).to.deep.equal([-100, -100, -100, -100, -100, -100, 2, 3]);
  });
});
