import { expect } from 'chai';
import { NoNumberError } from '../../../src/compute/evaluation/generation/answer.js';
import {
  batchRows,
  generate,
  generationBatches,
} from '../../../src/compute/evaluation/generation/generate.js';
import {
  argmax,
  candidates,
  draw,
  penaliseRepetition,
} from '../../../src/compute/evaluation/generation/sampling.js';
import type { GeneratedAnswer } from '../../../src/compute/evaluation/generation/settings.js';
import { seededRandom } from '../../../src/compute/evaluation/seeded-random.js';
import { type FakeDecoder, fakeDecoder, tinyConfig } from './fake-decoder.js';
import { fixture } from './fixtures.js';

const random = seededRandom(21);
const prompts = Array.from({ length: 50 }, () =>
  Int32Array.from({ length: 1 + Math.floor(random() * 20) }, () => Math.floor(random() * 24)),
);

/** Token by token, row by row, each time over the whole prefix. */
function slowly(
  decoder: FakeDecoder,
  prompt: Int32Array,
  maxTokens: number,
  stops: readonly number[],
): GeneratedAnswer {
  const prefix = [...prompt];
  const ids: number[] = [];
  for (;;) {
    const id = argmax(decoder.after(prefix));
    if (stops.includes(id)) return { ids, reason: 'stop', text: '' };
    ids.push(id);
    prefix.push(id);
    if (ids.length === maxTokens) return { ids, reason: 'length', text: '' };
    if (prefix.length === tinyConfig.maxPositions) return { ids, reason: 'full', text: '' };
  }
}

describe('generation', () => {
  it('is the argmax after each token', async () => {
    const decoder = fakeDecoder();
    const answers = await generate(decoder, prompts, { maxTokens: 30, stopIds: [3, 8] });
    const expected = prompts.map((prompt) => slowly(decoder, prompt, 30, [3, 8]));
    expect(answers).to.deep.equal(expected);
    expect(new Set(answers.map(({ reason }) => reason))).to.deep.equal(new Set(['stop', 'length', 'full']));
    expect(decoder.open).to.equal(0);
  });

  it('computes few rows that have ended', async () => {
    const decoder = fakeDecoder();
    const answers = await generate(decoder, prompts, { maxTokens: 30, stopIds: [3, 8] });
    const computed = decoder.calls.reduce((sum, rows) => sum + rows, 0);
    const needed = answers.reduce(
      (sum, { ids, reason }) => sum + ids.length + (reason === 'stop' ? 1 : 0),
      0,
    );
    expect(computed).to.be.within(needed, needed / 0.75);
  });

  it('continues beside a row that ended early, nearest to the last position', async () => {
    const decoder = fakeDecoder();
    const { maxPositions } = tinyConfig;
    const batch = Array.from({ length: 9 }, (_, i) =>
      new Int32Array(maxPositions - (i === 0 ? 5 : 10)).fill(i + 1),
    );
    const [stop] = slowly(decoder, batch[0] as Int32Array, 1, []).ids;
    const expected = batch.map((prompt) => slowly(decoder, prompt, 30, [stop as number]));
    const answers = await generate(decoder, batch, { maxTokens: 30, stopIds: [stop as number] });
    expect(answers).to.deep.equal(expected);
    expect(answers[0]?.reason).to.equal('stop');
    expect(answers.filter(({ reason }) => reason === 'full').length).to.be.above(4);
  });

  it('answers a full prompt with nothing, and none with a mistake', async () => {
    const decoder = fakeDecoder();
    const full = new Int32Array(tinyConfig.maxPositions).fill(1);
    const [answer] = await generate(decoder, [full], { maxTokens: 5, stopIds: [] });
    expect(answer).to.deep.equal({ ids: [], reason: 'full', text: '' });
    expect(await generate(decoder, [], { maxTokens: 5, stopIds: [] })).to.deep.equal([]);
  });

  it('reports each token and the progress', async () => {
    const streamed = prompts.map((): number[] => []);
    const progress: number[] = [];
    const answers = await generate(fakeDecoder(), prompts, {
      maxTokens: 12,
      stopIds: [3],
      onToken: (row, id) => streamed[row]?.push(id),
      onProgress: (done) => progress.push(done),
    });
    expect(streamed).to.deep.equal(answers.map(({ ids }) => ids));
    expect(progress.at(-1)).to.equal(prompts.length);
    expect(progress).to.deep.equal([...progress].sort((a, b) => a - b));
  });

  it('ends at a stop string and leaves it out of the text', async () => {
    const decoder = fakeDecoder();
    const letters = (ids: readonly number[]): string =>
      ids.map((id) => String.fromCharCode(97 + id)).join('');
    const [free] = await generate(decoder, prompts.slice(0, 1), { maxTokens: 20, stopIds: [] });
    const text = letters(free?.ids ?? []);
    const stop = text.slice(6, 8);
    const [cut] = await generate(decoder, prompts.slice(0, 1), {
      maxTokens: 20,
      stopIds: [],
      text: { decode: letters, stops: ['ZZ', stop] },
    });
    expect(cut?.reason).to.equal('stop');
    expect(cut?.text).to.equal(text.slice(0, text.indexOf(stop)));
  });

  it('samples the same answer for a seed, whatever other rows are in the batch', async () => {
    const options = { maxTokens: 15, stopIds: [], sampling: { temperature: 1, seed: 4 } };
    const decoder = fakeDecoder();
    const together = await generate(decoder, prompts, options);
    const alone = await generate(decoder, prompts.slice(0, 1), options);
    expect(alone[0]).to.deep.equal(together[0]);
    const other = await generate(decoder, prompts, { ...options, sampling: { temperature: 1, seed: 5 } });
    expect(other).not.to.deep.equal(together);
  });

  it('stops between two tokens when it is told to, and lets the session go', async () => {
    const decoder = fakeDecoder();
    const abort = new AbortController();
    const reason = new Error('interrupted');
    let tokens = 0;
    const running = generate(decoder, prompts, {
      maxTokens: 30,
      stopIds: [],
      signal: abort.signal,
      onToken: () => {
        tokens++;
        if (tokens === 40) abort.abort(reason);
      },
    });
    let caught: unknown;
    await running.catch((error: unknown) => {
      caught = error;
    });
    expect(caught).to.equal(reason);
    expect(decoder.open).to.equal(0);
  });

  it('refuses logits that are no numbers', async () => {
    const decoder = fakeDecoder();
    const broken = {
      ...decoder,
      session: async (rows: number, capacity: number) => ({
        ...(await decoder.session(rows, capacity)),
        append: async () => new Float32Array(24).fill(Number.NaN),
      }),
    };
    let caught: unknown;
    await generate(broken, prompts.slice(0, 1), { maxTokens: 3, stopIds: [] }).catch((error: unknown) => {
      caught = error;
    });
    expect(caught).to.be.instanceOf(NoNumberError);
  });

  it('keeps a batch’s keys and values below the limit', () => {
    const lengths = prompts.map(({ length }) => length);
    const perToken = 2 * 2 * 2 * 8 * 4;
    const limit = perToken * 30 * 5;
    const batches = generationBatches(
      lengths,
      { maxTokens: 10, maxPositions: tinyConfig.maxPositions },
      (capacity) => batchRows(tinyConfig, capacity, { rows: 32, cacheBytes: limit }),
    );
    expect(batches.flatMap(({ rows }) => rows).sort((a, b) => a - b)).to.deep.equal(lengths.map((_, i) => i));
    for (const { rows, capacity } of batches) {
      expect(rows.length * capacity * perToken).to.be.at.most(limit);
      for (const row of rows) expect((lengths[row] ?? 0) + 10).to.be.at.most(capacity);
    }
  });
});

/**
 * Pearson's statistic over its value at one in a thousand (Wilson and Hilferty 1931). Tokens that are expected fewer
 * than five times count as one.
 */
function chiSquare(
  counts: ReadonlyMap<number, number>,
  probabilities: readonly number[],
  draws: number,
): number {
  const cells: [expected: number, seen: number][] = [];
  const rare: [number, number] = [0, 0];
  probabilities.forEach((probability, id) => {
    const cell: [number, number] = [probability * draws, counts.get(id) ?? 0];
    if (cell[0] >= 5) cells.push(cell);
    else {
      rare[0] += cell[0];
      rare[1] += cell[1];
    }
  });
  if (rare[0] > 0) cells.push(rare);
  if (cells.length < 2) return 0;
  const freedom = cells.length - 1;
  const found = cells.reduce((sum, [expected, seen]) => sum + (seen - expected) ** 2 / expected, 0);
  const spread = 2 / (9 * freedom);
  return found / (freedom * (1 - spread + 3.09 * Math.sqrt(spread)) ** 3);
}

describe('sampling', () => {
  interface Case {
    readonly setting: Record<string, number>;
    readonly seen: readonly number[];
    readonly logits: readonly number[];
    readonly probabilities: readonly number[];
  }
  const cases = fixture<Case[]>('evaluation', 'sampling.json');
  const left = (
    { temperature = 1, repetitionPenalty = 1, ...cuts }: Record<string, number>,
    seen: readonly number[],
    logits: readonly number[],
  ) => {
    const penalised = Float32Array.from(logits);
    if (repetitionPenalty !== 1) penaliseRepetition(penalised, new Set(seen), repetitionPenalty);
    return candidates(penalised, { temperature, seed: 0, ...cuts });
  };

  it('keeps the tokens that transformers keeps, with its probabilities (1e-5)', () => {
    for (const { setting, seen, logits, probabilities } of cases) {
      const { ids, weights } = left(setting, seen, logits);
      const kept = probabilities.flatMap((probability, id) => (probability > 0 ? [id] : []));
      const values = (of: readonly number[]) => of.map((id) => logits[id] ?? 0).sort((a, b) => a - b);
      expect(values([...ids]), JSON.stringify(setting)).to.deep.equal(values(kept));
      // torch does not say which of equals at the border of top-p stay
      if (new Set(logits).size === logits.length) expect([...ids]).to.deep.equal(kept);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const ascending = Array.from(weights, (weight) => weight / total).sort((a, b) => a - b);
      const expected = kept.map((id) => probabilities[id] ?? 0).sort((a, b) => a - b);
      ascending.forEach((share, i) => {
        expect(share).to.be.closeTo(expected[i] ?? Number.NaN, 1e-5);
      });
    }
  });

  it('draws by the probabilities (χ², one in a thousand)', () => {
    const uniform = seededRandom(6);
    for (const { setting, seen, logits, probabilities } of cases.slice(0, 8)) {
      const choice = left(setting, seen, logits);
      const draws = 20_000;
      const counts = new Map<number, number>();
      for (let i = 0; i < draws; i++) {
        const id = draw(choice, uniform());
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      expect([...counts.keys()].every((id) => choice.ids.includes(id))).to.equal(true);
      expect(chiSquare(counts, probabilities, draws), JSON.stringify(setting)).to.be.below(1);
    }
  });

  it('takes the first of equals', () => {
    expect(argmax(Float32Array.of(1, 3, 3, 2))).to.equal(1);
  });

  it('finds no token where a logit is no number or overflowed', () => {
    const { NaN: none, POSITIVE_INFINITY: over, NEGATIVE_INFINITY: under } = Number;
    for (const logits of [[none], [none, 1], [1, none], [1, over], [under, under], []]) {
      expect(argmax(Float32Array.from(logits))).to.equal(-1);
      expect(draw(candidates(Float32Array.from(logits), { temperature: 1, seed: 0 }), 0.5)).to.equal(-1);
    }
    expect(argmax(Float32Array.of(under, 1))).to.equal(1);
  });
});
