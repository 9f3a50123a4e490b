/** Which rows are answered together, and what their keys and values take. */
import { expect } from 'chai';
import { cacheBytesPerToken } from '../../../../src/compute/evaluation/generation/generate.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import {
  assumedLengths,
  type Lengths,
  longestPrompt,
  promptedRows,
  promptsOf,
  shortened,
} from '../../../../src/pipeline/planner/expected-rows.js';
import type { Ends } from '../../../../src/pipeline/planner/memory/answered-steps.js';
import { answerBatch, cacheBytes } from '../../../../src/pipeline/planner/memory/answers.js';

describe('rows that are answered together', () => {
  const host = nodeHost();
  const { config } = openModel(host, `${host.packageFolder}/stdlib/models/starter`);
  /** 90 rows of at most 32 tokens and 10 of at most 160, all of them prompt. */
  const lengths: Lengths = {
    ...{ rows: 100, tokens: 4000, supervised: 0, longest: 150, known: 'counted' },
    histogram: [0, 90, 0, 0, 0, 0, 0, 0, 0, 10],
  };

  it('are as long as the rows of the data set: the longest is among them, however few there are', () => {
    const { prompts } = promptsOf(lengths, 20);
    expect(prompts).to.have.length(20);
    expect(prompts.slice(0, 3)).to.deep.equal([150, 147, 32]);
    expect(prompts.at(-1)).to.equal(17);
    expect(promptsOf(lengths, 3).prompts).to.deep.equal([150, 32, 24]);
    expect(promptsOf(assumedLengths(4, 40), 4).prompts).to.deep.equal(
      new Array<number>(4).fill(promptsOf(assumedLengths(4, 40), 1).prompts[0] ?? 0),
    );
    expect(promptsOf(assumedLengths(4, 40), 0).prompts).to.deep.equal([]);
  });

  it('have prompts that differ as rows do where answers are all as long, and less where these differ as well', () => {
    const answered = { ...lengths, supervised: 1000 };
    const promptsBy = (deviation: number) =>
      promptsOf({ ...answered, answers: { most: 20, deviation } }, 20).prompts.slice(0, 2);
    expect(promptsBy(0)).to.deep.equal([140, 137]);
    // a quarter of each row, less a fifth for the answer of a long row that is shorter
    expect(promptsBy(1000)).to.deep.equal([120, 118]);
    expect(promptsOf(answered, 20).prompts.slice(0, 2)).to.deep.equal([120, 118]);
  });

  it('have the prompts that are counted, where they are', () => {
    const counted = { ...lengths, prompts: { longest: 99, histogram: [0, 30, 0, 0, 0, 0, 10] } };
    expect([longestPrompt(counted), promptedRows(counted)]).to.deep.equal([99, 40]);
    expect(promptsOf(counted, 4).prompts).to.deep.equal([99, 32, 27, 22]);
    const shorter = shortened(counted, 80);
    expect([longestPrompt(shorter), promptedRows(shorter)]).to.deep.equal([80, 30]);
    expect(promptsOf({ ...counted, prompts: { longest: 0, histogram: [] } }, 0).prompts).to.deep.equal([]);
    expect(promptedRows(lengths)).to.equal(100);
  });

  it('have the prompts that are counted one by one, or as many of these as are answered', () => {
    const counted: Lengths = {
      ...lengths,
      prompts: { longest: 99, histogram: [0, 2, 0, 0, 0, 0, 2] },
      asked: () => [30, 97, 20, 99].map((prompt) => ({ prompt, answer: prompt / 10 })),
    };
    expect(promptsOf(counted, 4)).to.deep.equal({
      prompts: [99, 97, 30, 20],
      answers: [9.9, 9.7, 3, 2],
    });
    expect(promptsOf(counted, 2).prompts).to.deep.equal([99, 30]);
    expect(promptsOf(shortened(counted, 80), 2).answers).to.deep.equal([3, 2]);
  });

  it('have caches for those that are left when these grow', () => {
    const asked = { rows: 32, prompt: 60, maxTokens: 100 };
    const bytes = (ends?: Ends) => cacheBytes(config, undefined, { ...asked, ends })[0] ?? 0;
    const ofTokens = (rows: number, size: number) => rows * size * cacheBytesPerToken(config);
    // all end before the cache of the prompts is full
    expect(bytes(new Array<number>(32).fill(3))).to.equal(ofTokens(32, 64));
    // half of them: what the prompts had waits to be collected next to what the others have
    const half = Array.from({ length: 32 }, (_, row) => (row < 16 ? 3 : 30));
    expect(bytes(half)).to.equal(ofTokens(32, 64) + ofTokens(16, 128));
    expect(bytes('never')).to.be.above(ofTokens(32, 160));
    expect(bytes()).to.equal(bytes('never'));
  });

  it('leave their keys and values to the collector as these grow, a layer at a time, until enough has gathered', () => {
    const layers = 40;
    const [before, after] = [128, 200].map((size) => 32 * size * cacheBytesPerToken({ ...config, layers }));
    const [first = 0, ...others] = cacheBytes({ ...config, layers }, undefined, {
      ...{ rows: 32, prompt: 100, maxTokens: 100 },
    });
    expect(others).to.deep.equal([]);
    // one layer is there twice, and those before it wait, up to 8 MiB
    const waiting = first - Number(after);
    expect(waiting).to.be.within(
      8 * 2 ** 20 - Number(before) / layers,
      8 * 2 ** 20 + Number(before) / layers,
    );
  });

  it('have their keys and values collected with buffers that passes before them had', () => {
    const asked = { rows: 2, prompt: 150, prompts: [150, 32], maxTokens: 100, ends: [3, 3] };
    const [long = 0, both = 0] = cacheBytes(config, undefined, asked);
    const outgrown = 8 * 2 ** 20 - long;
    expect(outgrown).to.be.above(0);
    expect(cacheBytes(config, undefined, asked, outgrown)).to.deep.equal([long + outgrown, both - long]);
    expect(cacheBytes(config, undefined, asked, outgrown / 2)).to.deep.equal([
      long + outgrown / 2,
      both + outgrown / 2,
    ]);
  });

  it('are those of about one length whose caches take most', () => {
    const known = { rows: 34, prompt: 150, maxTokens: 10 };
    const prompts = [150, 150, ...new Array<number>(32).fill(32)];
    const [alike, any] = [
      answerBatch(config, undefined, { ...known, prompts }),
      answerBatch(config, undefined, known),
    ];
    expect([alike.rows, any.rows]).to.deep.equal([32, 32]);
    expect([alike.prompt, any.prompt]).to.deep.equal([32, 160]);
    // what they take: as long as 42 tokens, next to those of the two long prompts, which wait to be collected
    const [ofLong, ofShort] = [2 * 160, 32 * 42].map((tokens) => tokens * cacheBytesPerToken(config));
    const ofLayer = (32 * 32 * cacheBytesPerToken(config)) / config.layers;
    expect(alike.more.activations).to.equal(Number(ofLong) + Number(ofShort) + ofLayer);
    const few = answerBatch(config, undefined, { ...known, prompts: [150, 32] });
    expect([few.rows, few.prompt]).to.deep.equal([1, 160]);
  });
});
