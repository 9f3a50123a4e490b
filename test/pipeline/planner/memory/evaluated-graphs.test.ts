/** Which graphs an evaluation compiles, next to the batches that it makes and the rows that its steps have. */
import { expect } from 'chai';
import { EVALUATION_SHAPES } from '../../../../src/compute/evaluation/evaluation-decoder.js';
import { generate, stepRows } from '../../../../src/compute/evaluation/generation/generate.js';
import { lossBatches } from '../../../../src/compute/evaluation/losses.js';
import { cacheSize } from '../../../../src/compute/models/decoder/caches.js';
import type { Decoder, DecodeSession } from '../../../../src/compute/models/decoder/types.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { paddedLength } from '../../../../src/compute/training/batch.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import {
  BIN,
  type Lengths,
  leastLengths,
  sampledLengths,
  supervisedOf,
} from '../../../../src/pipeline/planner/expected-rows.js';
import { stepShapes } from '../../../../src/pipeline/planner/memory/answered-steps.js';
import { batchLengths } from '../../../../src/pipeline/planner/memory/evaluated-graphs.js';

const host = nodeHost();
const { config } = openModel(host, `${host.packageFolder}/stdlib/models/starter`);

const histogramOf = (lengths: readonly number[]): readonly number[] => {
  const bins = new Array<number>(Math.ceil(Math.max(...lengths) / BIN)).fill(0);
  for (const length of lengths)
    bins[Math.ceil(length / BIN) - 1] = (bins[Math.ceil(length / BIN) - 1] ?? 0) + 1;
  return bins;
};

describe('graphs of an evaluation', () => {
  it('have the lengths of its batches of losses', () => {
    for (const lengths of [
      [500, 300, ...new Array<number>(9).fill(120), ...new Array<number>(40).fill(60), 20],
      [90, 80, 70, 60, 50],
      new Array<number>(3).fill(32),
    ]) {
      const rows = { count: lengths.length, lengthOf: (row: number) => lengths[row] ?? 0 };
      const batches = lossBatches(rows, EVALUATION_SHAPES.batchTokens);
      const found = new Set(batches.map(([first = 0]) => paddedLength(lengths[first] ?? 0)));
      const planned = batchLengths({ histogram: histogramOf(lengths), longest: Math.max(...lengths) });
      expect(planned).to.deep.equal([...found]);
    }
  });

  it('have as many rows as are still answered, and as large a cache as they have come to', async () => {
    const count = 32;
    const [prompt, capacity] = [20, 20 + count];
    const seen = new Set<string>();
    const decoder = {
      options: { config },
      session: async (rows: number) => ending(rows, prompt, capacity, seen),
    };
    const prompts = Array.from({ length: count }, () => new Int32Array(prompt).fill(1));
    await generate(decoder as unknown as Pick<Decoder, 'session' | 'options'>, prompts, {
      ...{ maxTokens: count, stopIds: [STOP] },
    });
    const rows = new Set([...seen].map((step) => Number(step.split(' ')[0])));
    expect([...rows]).to.deep.equal(stepRows(count));
    const batch = { rows: count, capacity, prompt };
    expect(seen.size).to.equal(stepShapes(batch, 0).length);
    // they have 0 to 31 tokens and the one that ends them
    const ends = Array.from({ length: count }, (_, row) => row + 1);
    const planned = stepShapes({ ...batch, ends }, 0).map(({ rows: left, size }) => `${left} ${size}`);
    expect(planned).to.deep.equal([...seen]);
    expect(stepShapes({ ...batch, ends: 'never' }, 0)).to.deep.equal([{ rows: count, size: capacity }]);
    // half of them have two, half have three
    const alike = ends.map((tokens) => 2 + (tokens % 2));
    expect(stepShapes({ ...batch, ends: alike }, 0).map(({ rows: left }) => left)).to.deep.equal([32, 16]);
  });
});

const STOP = 2;

/** A session in which the row of number n ends after n tokens; notes the rows and the size of the cache of each step. */
function ending(rows: number, prompt: number, capacity: number, seen: Set<string>): DecodeSession {
  let kept = Array.from({ length: rows }, (_, row) => row);
  let tokens = 0;
  let size = cacheSize(prompt, capacity);
  const append = async (): Promise<Float32Array> => {
    if (tokens > 0) {
      if (prompt + tokens > size) size = cacheSize(prompt + tokens, capacity);
      seen.add(`${kept.length} ${size}`);
    }
    tokens++;
    const logits = new Float32Array(kept.length * config.vocabSize);
    for (const [at, row] of kept.entries()) logits[at * config.vocabSize + (tokens > row ? STOP : 1)] = 1;
    return logits;
  };
  const keep = async (staying: readonly number[]): Promise<void> => {
    kept = staying.map((at) => kept[at] ?? 0);
  };
  return { append, keep, release: async () => {} } as unknown as DecodeSession;
}

describe('supervised tokens of some rows', () => {
  const lengths = { rows: 100, supervised: 1000, answers: { most: 40, deviation: 5 } };

  it('are their mean, and three deviations of their sum, and no fewer than a row has', () => {
    expect(supervisedOf(lengths, 16)).to.equal(160 + 3 * 4 * 5);
    expect(supervisedOf(lengths, 1)).to.equal(40);
  });

  it('are not known of rows that nobody has counted', () => {
    expect(supervisedOf({ ...lengths, answers: undefined }, 16)).to.equal(undefined);
    expect(supervisedOf({ ...lengths, rows: 0 }, 16)).to.equal(undefined);
  });
});

describe('rows of a split that is not made yet', () => {
  const survey = {
    ...{ rows: 1000, expected: { train: 880, valid: 40, test: 80, all: 1000 }, sampled: 1000 },
    ...{ longest: 165, tokens: 50_000, supervised: 5000 },
    histogram: [0, 0, 500, 400, 60, 20, 9, 0, 0, 5, 6].map((count, bin) => (bin === 10 ? 1 : count)),
  };
  const longest = (split: string): readonly (number | undefined)[] => {
    const lengths: Lengths = sampledLengths(survey, split);
    return [lengths.longest, leastLengths(lengths)?.longest];
  };

  it('may lack the longest of all: an interval reaches down to what it has almost certainly', () => {
    expect(longest('train')).to.deep.equal([165, 145]);
    expect(longest('test')).to.deep.equal([165, 65]);
    expect(longest('')).to.deep.equal([165, undefined]);
  });

  it('are those of the split where it is known which it gets', () => {
    const own = {
      sampled: 40,
      longest: 97,
      tokens: 2000,
      supervised: 200,
      histogram: [0, 0, 20, 19, 0, 0, 1],
    };
    const splits = { train: survey, valid: own, test: own };
    const lengths = sampledLengths({ ...survey, splits }, 'test');
    expect(lengths).to.deep.include({ rows: 80, longest: 97, tokens: 4000, supervised: 400 });
    expect(lengths.histogram).to.deep.equal(own.histogram.map((count) => 2 * count));
    expect(leastLengths(lengths)).to.equal(undefined);
  });
});
