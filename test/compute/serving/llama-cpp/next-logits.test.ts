import { expect } from 'chai';
import type { LogitsHandle } from '../../../../src/compute/serving/llama-cpp/model.js';
import { NextLogits } from '../../../../src/compute/serving/llama-cpp/next-logits.js';
import { asked } from '../fake-serving.js';
import { fakeModel } from './fake-model.js';

const VOCAB = 3000;
/** Probabilities fall with the id. */
const WEIGHTS = Array.from({ length: VOCAB }, (_, id) => 1 / (id + 1));
const SUM = WEIGHTS.reduce((sum, weight) => sum + weight, 0);

function model(counts: number[] = []) {
  return {
    ...fakeModel(),
    greedy: async () => 0,
    top: async () => ({ id: 0, probability: 1 / SUM }),
    likeliest: async (_: LogitsHandle, count: number) => {
      counts.push(count);
      const weights = WEIGHTS.slice(0, count);
      const sum = weights.reduce((total, weight) => total + weight, 0);
      return {
        ids: Int32Array.from(weights.keys()),
        probabilities: Float32Array.from(weights, (weight) => weight / sum),
      };
    },
  };
}

const handle = 0 as LogitsHandle;
const known = new Int32Array();

describe('logits of llama.cpp', () => {
  it('are log-probabilities of all tokens, though few are handed over', async () => {
    const { logits, total } = await new NextLogits(model(), VOCAB).of(
      handle,
      asked('B', { logprobs: 1 }),
      known,
    );
    expect(total).to.equal(0);
    for (const id of [0, 1, 1023]) expect(logits[id]).to.be.closeTo(Math.log((WEIGHTS[id] ?? 0) / SUM), 1e-5);
    expect(logits[1024]).to.equal(Number.NEGATIVE_INFINITY);
  });

  it('are few of a prompt, unless its next token is not among them', async () => {
    for (const [next, wanted] of [
      [7, [1024]],
      [2999, [1024, VOCAB]],
    ] as const) {
      const counts: number[] = [];
      const { logit, distribution } = await new NextLogits(model(counts), VOCAB).distribution(
        handle,
        next,
        2,
      );
      expect(logit).to.be.closeTo(Math.log((WEIGHTS[next] ?? 0) / SUM), 1e-5);
      expect(distribution.top.map(({ id }) => id)).to.deep.equal([0, 1]);
      expect(distribution.top[1]?.logit).to.be.closeTo(Math.log(0.5 / SUM), 1e-5);
      expect(counts).to.deep.equal(wanted);
    }
  });

  it('hold nothing of the token before, whoever changed them', async () => {
    const next = new NextLogits(model(), VOCAB);
    const first = await next.of(handle, asked('B', { draw: { temperature: 1 } }), known);
    first.logits[7] = 3;
    const { logits } = await next.of(handle, asked('B'), known);
    expect(logits[0]).to.equal(0);
    expect(logits.subarray(1).every((logit) => logit === Number.NEGATIVE_INFINITY)).to.equal(true);
  });

  it('are handed over until one is left that a format allows', async () => {
    for (const [allowed, wanted] of [
      [0, []],
      [500, [1024]],
      [2500, [1024, VOCAB]],
    ] as const) {
      const counts: number[] = [];
      const constraint = {
        ...{ mask: () => {}, accept: () => {}, complete: false },
        leavesSome: (logits: Float32Array) => (logits[allowed] ?? 0) > Number.NEGATIVE_INFINITY,
      };
      const found = await new NextLogits(model(counts), VOCAB).of(handle, asked('B'), known, constraint);
      expect(constraint.leavesSome(found.logits)).to.equal(true);
      expect(counts).to.deep.equal(wanted);
    }
  });
});
