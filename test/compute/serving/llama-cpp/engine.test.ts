import { expect } from 'chai';
import { generate } from '../../../../src/compute/evaluation/generation/generate.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { fakeDecoder, tinyConfig } from '../../evaluation/fake-decoder.js';
import { answerOf, asked, fakeEngine, letters } from '../fake-serving.js';
import { fakeModel, llamaEngine } from './fake-model.js';

const PROMPTS = ['BC', 'XWVUTSRQPONMLKJIHGFEDCB', 'K', 'MNMNMNMN', 'QRS', 'TT', 'LKJH', 'BCB'];

/** Greedy answers without a server. */
async function greedy(prompts: readonly string[], maxTokens = 12): Promise<readonly string[]> {
  const ids = prompts.map((text) => letters.encode(text));
  const answers = await generate(fakeDecoder(), ids, { maxTokens, stopIds: [] });
  return answers.map((answer) => letters.decode(answer.ids, { skipSpecial: true }));
}

describe('the engine of llama.cpp', () => {
  it('answers as a generation does, whatever else is in the batch and however many wait', async () => {
    const model = fakeModel({ rows: 3 });
    const engine = llamaEngine(model);
    const answers = await Promise.all(
      PROMPTS.map(async (prompt, index) => {
        for (let wait = 0; wait < index * 3; wait++) await new Promise(setImmediate);
        return answerOf(engine, asked(prompt));
      }),
    );
    expect(answers.map(({ text }) => text)).to.deep.equal(await greedy(PROMPTS));
    // a prompt is read in parts while others are answered
    expect(model.steps.some((feeds) => feeds.includes(1) && feeds.includes(4))).to.equal(true);
    expect(engine.load()).to.include({ running: 0, waiting: 0, answered: 8, generatedTokens: 8 * 12 });
    expect(answers[1]?.end).to.deep.include({ reason: 'length', promptTokens: 23, answerTokens: 12 });
    await engine.close();
    expect(model.closed).to.equal(true);
  });

  for (const keeps of [true, false])
    it(`goes on from what a sequence ${keeps ? 'holds' : 'held, but cannot keep in part'}`, async () => {
      const engine = llamaEngine(fakeModel({ keeps }));
      const prompt = 'BCDEFGHIJKLMNOPQRSTU';
      const first = await answerOf(engine, asked(prompt, { maxTokens: 4 }));
      expect(first.start).to.include({ cachedTokens: 0, promptTokens: 20 });
      const again = await answerOf(engine, asked(prompt, { maxTokens: 4 }));
      expect(again.start?.cachedTokens).to.equal(keeps ? 19 : 0);
      expect(again.text).to.equal(first.text);
      const other = await answerOf(engine, asked(`${prompt}VWC`));
      // what was answered is held as well, but for its last token
      const held = `${prompt}${first.text.slice(0, -1)}`;
      const common = [...`${prompt}VWC`].findIndex((letter, at) => letter !== held[at]);
      expect(other.start?.cachedTokens).to.equal(keeps ? common : 0);
      expect([other.text]).to.deep.equal(await greedy([`${prompt}VWC`]));
      const echoed = await answerOf(engine, asked(prompt, { maxTokens: 1, echo: true, logprobs: 0 }));
      expect(echoed.start?.cachedTokens).to.equal(0);
      await engine.close();
    });

  it('says, draws and measures what the embedded engine does', async () => {
    const [engine, embedded] = [llamaEngine(), fakeEngine().engine];
    const requests = [
      asked('BC', { draw: { temperature: 1.5, seed: 5, topK: 5, topP: 0.9 }, stream: 3 }),
      asked('BCD', { draw: { temperature: 0.7, seed: 1, minP: 0.1 }, logprobs: 3 }),
      asked('BCD', { bias: { 3: 100 }, logprobs: 2, maxTokens: 2, echo: true }),
      asked('BC', { penalties: { presence: 1, frequency: 0.5 }, logprobs: 0 }),
      asked('BC', { bias: { 3: 2, 7: -100 } }),
      asked('BC', { bias: { 3: 2, 7: -100 }, penalties: { presence: 0.5 } }),
      asked('BC', { bias: { 3: 2, 4: 1.5 }, penalties: { repetition: 1.3 } }),
      asked('BC', { bias: { 3: 2, 7: -100 }, draw: { temperature: 1.5, seed: 2 } }),
      asked('BCBC', { penalties: { repetition: 1.8 } }),
      asked('TT', { stop: ['XX', 'B'] }),
      asked('UVW', { maxTokens: 0, echo: true, logprobs: 1 }),
      asked('KLM', { maxTokens: 3, echo: true }),
    ];
    for (const request of requests) {
      const [found, wanted] = [await answerOf(engine, request), await answerOf(embedded, request)];
      expect(found.text).to.equal(wanted.text);
      expect(found.tokens).to.deep.equal(wanted.tokens);
      expect(found.end).to.deep.equal(wanted.end);
      expect(found.logprobs.length).to.equal(wanted.logprobs.length);
      found.logprobs.forEach(({ id, logprob, top }, i) => {
        const other = wanted.logprobs[i];
        expect(id).to.equal(other?.id);
        if (i > 0 || !request.echo) expect(logprob).to.be.closeTo(other?.logprob ?? 0, 1e-5);
        expect(top.map((one) => one.id)).to.deep.equal(other?.top.map((one) => one.id));
      });
    }
    await Promise.all([engine.close(), embedded.close()]);
  });

  it('asks for few logits at once of prompts that it repeats, while others are read', async () => {
    const model = { ...fakeModel({ stepTokens: 64 }) };
    const most: number[] = [];
    const { step } = model;
    model.step = (feeds) => {
      most.push(feeds.reduce((sum, { logitsAt }) => sum + logitsAt.length, 0));
      return step(feeds);
    };
    const engine = llamaEngine(model);
    const prompt = 'BCDEFGHIJKLMNOPQRSTUVWXBCDEFGHIJKLM';
    const echo = { echo: true, logprobs: 2, maxTokens: 1 };
    const [one, other, plain] = await Promise.all([
      answerOf(engine, asked(prompt, echo)),
      answerOf(engine, asked(`K${prompt}`, echo)),
      answerOf(engine, asked(`Q${prompt}`, { maxTokens: 1 })),
    ]);
    expect([one.logprobs.length, other.logprobs.length]).to.deep.equal([36, 37]);
    expect(Math.max(...most)).to.equal(17);
    // another prompt is read whole next to them
    expect(model.steps.some((feeds) => feeds.length > 1 && feeds.includes(36))).to.equal(true);
    expect([plain.text]).to.deep.equal(await greedy([`Q${prompt}`], 1));
    await engine.close();
  });

  it('plans for the logits that it asks for alone, where a processor computes', async () => {
    const planned = async (device: string, rows = 4): Promise<number> => {
      const engine = llamaEngine({ ...fakeModel({ rows, stepTokens: 256 }), device, memory: 1e6 });
      await engine.close();
      return engine.info.memory;
    };
    const all = await planned('cuda');
    expect(all - (await planned('cpu'))).to.equal((256 - 2 * (4 + 16)) * tinyConfig.vocabSize * 4);
    expect(await planned('cpu', 240)).to.equal(all);
  });

  it('has all of a vocabulary handed over only where a bias needs the true logits', async () => {
    const model = { ...fakeModel() };
    const counts: number[] = [];
    const { likeliest } = model;
    model.likeliest = (handle, count, changes) => {
      counts.push(count);
      return likeliest(handle, count, changes);
    };
    const engine = llamaEngine(model);
    await answerOf(engine, asked('BC'));
    expect(counts).to.deep.equal([]);
    await answerOf(engine, asked('BC', { draw: { temperature: 1 }, maxTokens: 1 }));
    expect(counts).to.deep.equal([1024]);
    await answerOf(engine, asked('BC', { bias: { 3: 1 }, maxTokens: 1 }));
    expect(counts).to.deep.equal([1024]);
    await answerOf(engine, asked('BC', { bias: { 3: 1 }, draw: { temperature: 1 }, maxTokens: 1 }));
    expect(counts).to.deep.equal([1024, 1024]);
    for (const more of [{ logprobs: 1 }, { penalties: { repetition: 1.1 } }])
      await answerOf(engine, asked('BC', { bias: { 3: 1 }, maxTokens: 1, ...more }));
    expect(counts.slice(2)).to.deep.equal([tinyConfig.vocabSize, tinyConfig.vocabSize]);
    await engine.close();
  });

  it('ends where the reader goes, or its signal says so, and lets the others run', async () => {
    const model = fakeModel();
    const engine = llamaEngine(model);
    const stop = new AbortController();
    const gone = answerOf(engine, asked('BC', { maxTokens: 30 }), stop.signal).catch(
      (error: unknown) => error,
    );
    const left = (async () => {
      for await (const piece of engine.complete(asked('K', { maxTokens: 30 }), new AbortController().signal))
        if (piece.type === 'text') return piece.text;
      return undefined;
    })();
    const stays = answerOf(engine, asked('QRS'));
    for (let wait = 0; wait < 4; wait++) await new Promise(setImmediate);
    const reason = new Error('the client went');
    stop.abort(reason);
    expect(await gone).to.equal(reason);
    expect(await left).to.have.length(1);
    expect([(await stays).text]).to.deep.equal(await greedy(['QRS']));
    const steps = model.steps.length;
    for (let wait = 0; wait < 4; wait++) await new Promise(setImmediate);
    expect(model.steps.length).to.equal(steps);
    const late = await answerOf(engine, asked('BC'), stop.signal).catch((error: unknown) => error);
    expect(late).to.equal(reason);
    await engine.close();
  });

  it('fails what is in a step that fails, and answers what comes after it', async () => {
    const model = fakeModel();
    const engine = llamaEngine(model);
    await answerOf(engine, asked('BCDEFGHIJKLM'));
    model.fault = new Error('the device is gone');
    expect(await answerOf(engine, asked('BCDEFGHIJKLM')).catch((error: unknown) => error)).to.have.property(
      'message',
      'the device is gone',
    );
    const after = await answerOf(engine, asked('BCDEFGHIJKLM'));
    expect(after.start?.cachedTokens).to.equal(0);
    expect([after.text]).to.deep.equal(await greedy(['BCDEFGHIJKLM']));
    await engine.close();
  });

  it('fails what runs, waits and comes when it is closed', async () => {
    const model = fakeModel({ rows: 1 });
    const engine = llamaEngine(model);
    const running = ['BC', 'K'].map((prompt) =>
      answerOf(engine, asked(prompt, { maxTokens: 30 })).catch((error: unknown) => error),
    );
    for (let wait = 0; wait < 4; wait++) await new Promise(setImmediate);
    await engine.close();
    for (const answer of [...running, answerOf(engine, asked('B')).catch((error: unknown) => error)])
      expect(await answer).to.have.property('name', 'ClosedError');
  });

  it('says how its template writes calls of tools', async () => {
    const source = '{% if tools %}<tool_call>{% endif %}';
    const engine = llamaEngine(fakeModel(), { template: { source, render: () => 'B' } });
    const embedded = fakeEngine({ template: { source, render: () => 'B' } }).engine;
    expect(engine.info).to.include({ tools: true, toolStyle: embedded.info.toolStyle });
    expect(engine.info.toolStyle).to.be.a('string');
    await Promise.all([engine.close(), embedded.close()]);
  });

  it('refuses what it cannot be asked before the first piece', async () => {
    const engine = llamaEngine();
    const refused = async (request: ReturnType<typeof asked>): Promise<string> => {
      const error: unknown = await answerOf(engine, request).catch((reason: unknown) => reason);
      if (!(error instanceof UserError)) throw error;
      return error.diagnostic.code;
    };
    expect(await refused(asked('B'.repeat(40)))).to.equal('FTP0707');
    expect(await refused(asked('', { prompt: { messages: [{ role: 'user', content: 'B' }] } }))).to.equal(
      'no_chat_template',
    );
    expect(await refused(asked('B', { bias: { 99: 1 } }))).to.equal('unknown_token');
    expect(await engine.tokensOf({ text: 'BCD' })).to.deep.equal([1, 2, 3]);
    await engine.close();
  });
});
