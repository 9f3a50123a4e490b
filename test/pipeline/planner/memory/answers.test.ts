/** Which rows are answered together, and what their keys and values take. */
import { expect } from 'chai';
import { cacheBytesPerToken } from '../../../../src/compute/evaluation/generation/generate.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { assumedLengths, type Lengths, promptsOf } from '../../../../src/pipeline/planner/expected-rows.js';
import { answerBatch } from '../../../../src/pipeline/planner/memory/answers.js';

describe('rows that are answered together', () => {
  const host = nodeHost();
  const { config } = openModel(host, `${host.packageFolder}/stdlib/models/starter`);
  /** 90 rows of at most 32 tokens and 10 of at most 160, all of them prompt. */
  const lengths: Lengths = {
    ...{ rows: 100, tokens: 4000, supervised: 0, longest: 150, known: 'counted' },
    histogram: [0, 90, 0, 0, 0, 0, 0, 0, 0, 10],
  };

  it('are as long as the rows of the data set: the longest is among them, however few there are', () => {
    const prompts = promptsOf(lengths, 20);
    expect(prompts).to.have.length(20);
    expect(prompts.slice(0, 3)).to.deep.equal([150, 147, 32]);
    expect(prompts.at(-1)).to.equal(17);
    expect(promptsOf(lengths, 3)).to.deep.equal([150, 32, 24]);
    expect(promptsOf(assumedLengths(4, 40), 4)).to.deep.equal(
      new Array<number>(4).fill(promptsOf(assumedLengths(4, 40), 1)[0] ?? 0),
    );
    expect(promptsOf(assumedLengths(4, 40), 0)).to.deep.equal([]);
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
    const caches = 32 * 42 * cacheBytesPerToken(config);
    // half of them waits to be collected after they have grown, and one layer is there twice
    expect(alike.more.activations).to.be.closeTo(caches * (1.5 + 1 / config.layers), 1);
    const few = answerBatch(config, undefined, { ...known, prompts: [150, 32] });
    expect([few.rows, few.prompt]).to.deep.equal([1, 160]);
  });
});
