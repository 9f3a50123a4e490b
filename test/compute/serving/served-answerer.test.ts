/** Questions of the command line to an engine that serves, against the same model without one. */
import { join } from 'node:path';
import { expect } from 'chai';
import type { Answerer } from '../../../src/compute/evaluation/chat.js';
import { openModel } from '../../../src/compute/models/load.js';
import { servedAnswerer } from '../../../src/compute/serving/served-answerer.js';
import type { ServingEngine } from '../../../src/compute/serving/types.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { openAnswerer } from '../../../src/pipeline/deploy/open-answerer.js';
import { openServing } from '../../../src/pipeline/deploy/open-serving.js';
import { expected, tiny } from '../evaluation/tiny.js';

const host = nodeHost();
const folder = join(tiny, 'base');

describe('asking an engine that serves', () => {
  let engine: ServingEngine;
  let served: Answerer;
  let plain: Answerer;
  before(async () => {
    engine = await openServing(host, { folder, engine: 'embedded', rows: 3, threads: 1 });
    const model = openModel(host, folder);
    const { vocabSize } = model.config;
    const parts = { label: folder, tokenizer: await model.tokenizer(), template: model.template() };
    served = servedAnswerer(engine, { ...parts, vocabSize });
    plain = await openAnswerer(host, { folder, threads: 1 });
  });
  after(async () => {
    await served.release();
    await plain.release();
  });

  it('gives the answers of the model, of messages and of texts, with their counts', async () => {
    const messages = [{ role: 'user', content: 'which licences does this sentence mention?' }] as const;
    for (const prompt of [messages, expected.prompts[0] ?? ''])
      for (const options of [
        { maxTokens: 12 },
        { maxTokens: 12, repetitionPenalty: 1.3, stop: ['e'] },
        { maxTokens: 12, temperature: 1.1, topK: 20, seed: 4 },
      ])
        expect(await served.answer(prompt, options)).to.deep.equal(await plain.answer(prompt, options));
  });

  it('ends where prompt and answer fill the model', async () => {
    const options = { maxTokens: 1000 };
    const [answer, wanted] = [await served.answer('Q', options), await plain.answer('Q', options)];
    expect(wanted.reason).to.equal('full');
    expect(answer).to.deep.equal(wanted);
  });

  it('shows an answer as it grows', async () => {
    const pieces: string[] = [];
    const { text } = await served.answer('Q', { maxTokens: 20 }, (piece) => pieces.push(piece));
    expect(pieces.join('')).to.equal(text);
    expect(pieces.length).to.be.greaterThan(3);
    expect(pieces).not.to.include('');
  });

  it('answers many in their order, each with draws of its own', async () => {
    const prompts = [...expected.prompts, ...expected.prompts].map((prompt) => ({ prompt }));
    const options = { maxTokens: 6, temperature: 1, seed: 9 };
    const all = async (model: Answerer) => {
      const answers = [];
      for await (const answer of model.answerAll(prompts, options)) answers.push(answer);
      return answers;
    };
    expect(await all(served)).to.deep.equal(await all(plain));
  });

  it('refuses a prompt that fills the model, and ends all that a signal aborts', async () => {
    const long = 'licence '.repeat(400);
    const refused = await served.answer(long).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(UserError);
    const stop = new AbortController();
    const reason = new Error('enough');
    const stopped = served.answer('Q', { maxTokens: 100, signal: stop.signal }, () => stop.abort(reason));
    expect(await stopped.catch((error: unknown) => error)).to.equal(reason);
    expect((await served.answer('Q', { maxTokens: 2 })).answerTokens).to.equal(2);
    expect(engine.load()).to.include({ running: 0, waiting: 0 });
  });
});
