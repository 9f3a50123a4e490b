/** The embedded engine over the tiny model, against answers without a server. */
import { join } from 'node:path';
import { expect } from 'chai';
import type { Answerer } from '../../../src/compute/evaluation/chat.js';
import { processMemory } from '../../../src/compute/serving/process-memory.js';
import type { ServingEngine } from '../../../src/compute/serving/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { openAnswerer } from '../../../src/pipeline/deploy/open-answerer.js';
import { openServing } from '../../../src/pipeline/deploy/open-serving.js';
import { expected, tiny } from '../evaluation/tiny.js';
import { answerOf, asked } from './fake-serving.js';

const host = nodeHost();
const adapter = { folder: join(tiny, 'adapter'), base: join(tiny, 'base'), threads: 1 };
const QUESTION = 'which licences does this sentence mention?';

describe('serving a model', () => {
  let engine: ServingEngine;
  let plain: Answerer;
  before(async () => {
    engine = await openServing(host, { ...adapter, rows: 3, cacheTokens: 2000 });
    plain = await openAnswerer(host, adapter);
  });
  after(async () => {
    await engine.close();
    await plain.release();
  });

  it('says what it has planned for', () => {
    const { info } = engine;
    expect(info).to.include({ engine: 'embedded', rows: 3, contextTokens: 128, chats: true });
    // two layers of two heads of 16 values for keys and for values, in 4 bytes each
    expect(info.memory).to.be.above(500 * 2 * 2 * 4 + processMemory('embedded', 0));
  });

  it('continues texts as transformers does, all at once', async () => {
    const answers = await Promise.all(
      expected.prompts.map((text) => answerOf(engine, asked(text, { maxTokens: 24 }))),
    );
    expect(answers.map(({ tokens }) => [...tokens])).to.deep.equal(expected.tuned.greedy);
    expect(engine.load()).to.include({ running: 0, waiting: 0 });
  });

  it('answers messages as the same model without a server, streamed', async () => {
    const messages = [{ role: 'user', content: QUESTION }] as const;
    const wanted = await plain.answer(messages, { maxTokens: 20 });
    const request = { ...asked('', { maxTokens: 20 }), prompt: { messages } };
    const [first, second] = [await answerOf(engine, request), await answerOf(engine, request)];
    for (const { text, end } of [first, second]) {
      expect(text).to.equal(wanted.text);
      expect(end).to.include({ promptTokens: wanted.promptTokens, answerTokens: wanted.answerTokens });
    }
    expect(first.start?.cachedTokens).to.equal(0);
    expect(second.start?.cachedTokens).to.equal(16 * Math.floor(((first.end?.promptTokens ?? 0) - 1) / 16));
  });

  it('gives the same log-probabilities, to rounding, where the prompt was read before', async () => {
    const request = asked(`${QUESTION} ${QUESTION}`, { maxTokens: 3, logprobs: 3 });
    const [first, second] = [await answerOf(engine, request), await answerOf(engine, request)];
    expect(second.start?.cachedTokens).to.be.above(0);
    first.logprobs.forEach(({ id, logprob, top }, i) => {
      const again = second.logprobs[i];
      expect(again?.id).to.equal(id);
      expect(again?.logprob).to.be.closeTo(logprob, 1e-4);
      expect(again?.top.map((other) => other.id)).to.deep.equal(top.map((other) => other.id));
    });
  });

  it('scores prompts as PyTorch does (1e-5 relative)', async () => {
    for (const [row, prompt] of expected.prompts.entries()) {
      const { logprobs } = await answerOf(engine, asked(prompt, { maxTokens: 0, echo: true, logprobs: 0 }));
      const [first, ...others] = logprobs;
      expect(first?.logprob).to.deep.equal(Number.NaN);
      const sum = -others.reduce((total, { logprob }) => total + logprob, 0);
      const wanted = expected.tuned.losses[row] ?? Number.NaN;
      expect(sum).to.be.closeTo(wanted, 1e-5 * wanted + 1e-9);
      expect(Buffer.concat(logprobs.map(({ bytes }) => Buffer.from(bytes))).toString()).to.equal(prompt);
    }
  });
});
