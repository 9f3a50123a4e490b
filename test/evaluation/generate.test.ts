import { expect } from 'chai';
import { generationBatches } from '../../src/evaluation/generation/batches.js';
import { type Generated, generate, NoNumberError } from '../../src/evaluation/generation/index.js';
import { argmax, penaliseRepetition, sample } from '../../src/evaluation/generation/sampling.js';
import { seededRandom } from '../../src/evaluation/random.js';
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
): Generated {
  const prefix = [...prompt];
  const ids: number[] = [];
  for (;;) {
    const id = argmax(decoder.after(prefix));
    if (stops.includes(id)) return { ids, reason: 'stop' };
    ids.push(id);
    prefix.push(id);
    if (ids.length === maxTokens) return { ids, reason: 'length' };
    if (prefix.length === tinyConfig.maxPositions) return { ids, reason: 'full' };
  }
}

describe('generation', () => {
  for (const keeps of [true, false]) {
    it(`is the argmax after each token ${keeps ? 'where rows leave the batch' : 'where rows stay'}`, async () => {
      const decoder = fakeDecoder({ keeps });
      const answers = await generate(decoder, prompts, { maxTokens: 30, stopIds: [3, 8] });
      const expected = prompts.map((prompt) => slowly(decoder, prompt, 30, [3, 8]));
      expect(answers).to.deep.equal(expected);
      expect(new Set(answers.map(({ reason }) => reason))).to.deep.equal(new Set(['stop', 'length', 'full']));
      expect(decoder.open).to.equal(0);
    });
  }

  it('computes fewer rows where finished ones leave', async () => {
    const work = async (keeps: boolean): Promise<number> => {
      const decoder = fakeDecoder({ keeps });
      await generate(decoder, prompts, { maxTokens: 30, stopIds: [3, 8] });
      return decoder.calls.reduce((sum, rows) => sum + rows, 0);
    };
    expect(await work(true)).to.be.lessThan(0.7 * (await work(false)));
  });

  it('answers a full prompt with nothing, and none with a mistake', async () => {
    const decoder = fakeDecoder({ keeps: true });
    const full = new Int32Array(tinyConfig.maxPositions).fill(1);
    const [answer] = await generate(decoder, [full], { maxTokens: 5, stopIds: [] });
    expect(answer).to.deep.equal({ ids: [], reason: 'full' });
    expect(await generate(decoder, [], { maxTokens: 5, stopIds: [] })).to.deep.equal([]);
  });

  it('tells of each token and of progress', async () => {
    const streamed = prompts.map((): number[] => []);
    const progress: number[] = [];
    const answers = await generate(fakeDecoder({ keeps: true }), prompts, {
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
    const decoder = fakeDecoder({ keeps: true });
    const letters = (ids: readonly number[]): string =>
      ids.map((id) => String.fromCharCode(97 + id)).join('');
    const [free] = await generate(decoder, prompts.slice(0, 1), { maxTokens: 20, stopIds: [] });
    const text = letters(free?.ids ?? []);
    const stop = text.slice(6, 8);
    const [cut] = await generate(decoder, prompts.slice(0, 1), {
      maxTokens: 20,
      stopIds: [],
      stopStrings: ['ZZ', stop],
      decode: letters,
    });
    expect(cut?.reason).to.equal('stop');
    expect(cut?.text).to.equal(text.slice(0, text.indexOf(stop)));
  });

  it('samples the same answer for a seed, whatever stands beside the row', async () => {
    const options = { maxTokens: 15, stopIds: [], sampling: { temperature: 1, seed: 4 } };
    const decoder = fakeDecoder({ keeps: true });
    const together = await generate(decoder, prompts, options);
    const alone = await generate(decoder, prompts.slice(0, 1), options);
    expect(alone[0]).to.deep.equal(together[0]);
    const other = await generate(decoder, prompts, { ...options, sampling: { temperature: 1, seed: 5 } });
    expect(other).not.to.deep.equal(together);
  });

  it('stops between two tokens when it is told to, and lets the session go', async () => {
    const decoder = fakeDecoder({ keeps: true });
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
    const decoder = fakeDecoder({ keeps: true });
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
    const batches = generationBatches(lengths, 10, tinyConfig, limit);
    expect(batches.flatMap(({ rows }) => rows).sort((a, b) => a - b)).to.deep.equal(lengths.map((_, i) => i));
    for (const { rows, capacity } of batches) {
      expect(rows.length * capacity * perToken).to.be.at.most(limit);
      for (const row of rows) expect((lengths[row] ?? 0) + 10).to.be.at.most(capacity);
    }
  });
});

describe('sampling', () => {
  interface Case {
    readonly setting: Record<string, number>;
    readonly seen: readonly number[];
    readonly logits: readonly number[];
    readonly probabilities: readonly number[];
  }

  it('draws with the probabilities that transformers’ processors leave (4 standard errors)', () => {
    for (const { setting, seen, logits, probabilities } of fixture<Case[]>('evaluation', 'sampling.json')) {
      const { temperature = 1, repetitionPenalty = 1, ...rest } = setting;
      const draws = 20_000;
      const counts = new Float64Array(logits.length);
      const uniform = seededRandom(6);
      const penalised = Float32Array.from(logits);
      if (repetitionPenalty !== 1) penaliseRepetition(penalised, new Set(seen), repetitionPenalty);
      for (let i = 0; i < draws; i++) {
        const id = sample(penalised, { temperature, seed: 0, ...rest }, uniform);
        counts[id] = (counts[id] ?? 0) + 1;
      }
      for (const [id, probability] of probabilities.entries()) {
        const error = 4 * Math.sqrt((probability * (1 - probability)) / draws);
        const share = (counts[id] ?? 0) / draws;
        expect(share, `${JSON.stringify(setting)}, token ${id}`).to.be.closeTo(probability, error + 1e-9);
      }
    }
  });

  it('takes the first of equals', () => {
    expect(argmax(Float32Array.of(1, 3, 3, 2))).to.equal(1);
    expect(argmax(Float32Array.of(Number.NaN, -1))).to.equal(1);
    expect(argmax(Float32Array.of(Number.NaN))).to.equal(-1);
  });
});
