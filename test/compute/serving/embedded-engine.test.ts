import { expect } from 'chai';
import { generate } from '../../../src/compute/evaluation/generation/generate.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { fakeDecoder } from '../evaluation/fake-decoder.js';
import { answerOf, asked, fakeEngine, letters } from './fake-serving.js';

const PROMPTS = ['BC', 'XWVUTSRQPONMLKJIHGFEDCB', 'K', 'MNMNMNMN', 'QRS', 'TT', 'LKJH', 'BCB'];

/** Greedy answers without a server. */
async function greedy(prompts: readonly string[], maxTokens = 12): Promise<readonly string[]> {
  const ids = prompts.map((text) => letters.encode(text));
  const answers = await generate(fakeDecoder(), ids, { maxTokens, stopIds: [] });
  return answers.map((answer) => letters.decode(answer.ids, { skipSpecial: true }));
}

describe('the embedded engine', () => {
  it('answers as a generation does, whatever else is in the batch and however many wait', async () => {
    const { engine, decoder } = fakeEngine({ rows: 3 });
    const wanted = await greedy(PROMPTS);
    // later requests come while earlier ones run
    const answers = await Promise.all(
      PROMPTS.map(async (prompt, index) => {
        for (let wait = 0; wait < index * 3; wait++) await new Promise(setImmediate);
        return answerOf(engine, asked(prompt));
      }),
    );
    expect(answers.map(({ text }) => text)).to.deep.equal(wanted);
    expect(Math.max(...decoder.calls)).to.equal(3);
    expect(engine.load()).to.include({ running: 0, waiting: 0, answered: 8, generatedTokens: 8 * 12 });
    expect(answers[1]?.end).to.deep.include({ reason: 'length', promptTokens: 23, answerTokens: 12 });
    await engine.close();
    expect(decoder.open).to.equal(0);
  });

  it('lets answers wait again where the batch outgrows its memory, and gives the same', async () => {
    // a row of 64 positions at most, so two rows of them; each grows to 34
    const { engine, decoder } = fakeEngine({ batchTokens: 2 * 40, prefixTokens: 64 });
    const prompts = PROMPTS.map((prompt) => prompt.slice(0, 4));
    const answers = await Promise.all(
      prompts.map((prompt) => answerOf(engine, asked(prompt, { maxTokens: 30 }))),
    );
    expect(answers.map(({ text }) => text)).to.deep.equal(await greedy(prompts, 30));
    expect(Math.max(...decoder.calls)).to.be.at.most(2);
    await engine.close();
  });

  it('goes on from texts that it has read before', async () => {
    const { engine } = fakeEngine({ prefixTokens: 320 });
    const prompt = 'BCDEFGHIJKLMNOPQRSTU';
    const first = await answerOf(engine, asked(prompt, { maxTokens: 4 }));
    expect(first.start).to.include({ cachedTokens: 0, promptTokens: 20 });
    const again = await answerOf(engine, asked(prompt, { maxTokens: 4 }));
    expect(again.start?.cachedTokens).to.equal(16);
    expect(again.text).to.equal(first.text);
    const longer = `${prompt}${'VW'.repeat(6)}`;
    expect((await answerOf(engine, asked(`${longer}B`))).start?.cachedTokens).to.equal(16);
    const other = await answerOf(engine, asked(`${longer}C`));
    expect(other.start?.cachedTokens).to.equal(32);
    expect([other.text]).to.deep.equal(await greedy([`${longer}C`], 12));
    // what is to be shown of the prompt must be computed
    const echoed = await answerOf(engine, asked(prompt, { maxTokens: 1, echo: true }));
    expect(echoed.start?.cachedTokens).to.equal(0);
    await engine.close();
  });

  it('repeats a text as it was asked, and tokens with the one that begins it', async () => {
    const tokenizer = { ...letters, encode: (text: string) => Int32Array.of(0, ...letters.encode(text)) };
    const { engine } = fakeEngine({ tokenizer });
    const echo = { echo: true, maxTokens: 0, logprobs: 0 };
    const text = await answerOf(engine, asked('BCD', echo));
    expect([text.text, text.tokens]).to.deep.equal(['BCD', [0, 1, 2, 3]]);
    const ids = await answerOf(engine, { ...asked('', echo), prompt: { tokens: [0, 1] } });
    expect([ids.text, ids.logprobs.length]).to.deep.equal(['AB', 2]);
    await engine.close();
  });

  it('has few logits at once of a prompt that it repeats, and one where nobody asks for what they say', async () => {
    const prompt = 'BCDEFGHIJKLMNOPQRSTUVWXBCDEFGHIJKLM';
    for (const [more, lengths] of [
      [{ logprobs: 2 }, [16, 16, 3]],
      [{}, [35]],
    ] as const) {
      const { engine, decoder } = fakeEngine();
      const answer = await answerOf(engine, asked(prompt, { echo: true, maxTokens: 1, ...more }));
      expect(decoder.lengths).to.deep.equal(lengths);
      expect(answer.text).to.have.length(36);
      expect(answer.logprobs.length).to.equal('logprobs' in more ? 36 : 0);
      await engine.close();
    }
  });

  it('reads short prompts together, and none next to one that it begins as', async () => {
    const { engine, decoder } = fakeEngine({ rows: 8, contextTokens: 600, prefixTokens: 320 });
    const own = ['BC', 'KLMN', 'QRSTUVWX', 'TT'];
    const shared = ['B', 'C', 'D'].map((letter) => `${'EFGHIJKLMNOPQRST'}${letter}`);
    const prompts = [...own, ...shared];
    const answers = await Promise.all(
      prompts.map((prompt) => answerOf(engine, asked(prompt, { maxTokens: 1 }))),
    );
    expect(answers.map(({ text }) => text)).to.deep.equal(await greedy(prompts, 1));
    // first those that begin on their own, then one of the others, which go on from it
    expect(decoder.calls).to.deep.equal([4, 1, 2]);
    expect(answers.map(({ start }) => start?.cachedTokens)).to.deep.equal([0, 0, 0, 0, 0, 16, 16]);
    await engine.close();
  });

  it('reads a long prompt in pieces between the tokens of the answers that run', async () => {
    const { engine, decoder } = fakeEngine({ rows: 4, contextTokens: 1000, batchTokens: 4000 });
    const long = 'BCDEFGHIJKLMNOPQRSTUVWX'.repeat(20);
    const running = answerOf(engine, asked('BC', { maxTokens: 30 }));
    for (let wait = 0; wait < 4; wait++) await new Promise(setImmediate);
    const [, answer] = await Promise.all([running, answerOf(engine, asked(long, { maxTokens: 2 }))]);
    const logits = decoder.after([...letters.encode(long)]);
    expect(answer.tokens[0]).to.equal(logits.indexOf(Math.max(...logits)));
    expect(Math.max(...decoder.lengths)).to.equal(128);
    const at = decoder.lengths.indexOf(128);
    expect(decoder.lengths.slice(at, at + 7)).to.deep.equal([128, 1, 128, 1, 128, 1, 76]);
    await engine.close();
  });

  it('reads eight pieces of the prompts that come together before the first step', async () => {
    const { engine, decoder } = fakeEngine({ rows: 40, contextTokens: 1000, batchTokens: 40_000 });
    // of 32 tokens with padding: four in a piece
    const prompts = Array.from({ length: 40 }, (_, index) => 'BCDEFGHIJKLMNOPQRSTUVWX'.slice(index % 6));
    const answers = await Promise.all(
      prompts.map((prompt) => answerOf(engine, asked(prompt, { maxTokens: 4 }))),
    );
    expect(answers.map(({ text }) => text)).to.deep.equal(await greedy(prompts, 4));
    expect(decoder.calls.slice(0, 9)).to.deep.equal([...new Array<number>(8).fill(4), 32]);
    await engine.close();
  });

  it('ends where the reader goes, or its signal says so, and lets the others run', async () => {
    const { engine, decoder } = fakeEngine();
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
    const late = await answerOf(engine, asked('BC'), stop.signal).catch((error: unknown) => error);
    expect(late).to.equal(reason);
    await engine.close();
    expect(decoder.open).to.equal(0);
  });

  it('fails what runs and what comes when it is closed', async () => {
    const { engine, decoder } = fakeEngine({ rows: 1 });
    const running = ['BC', 'K'].map((prompt) =>
      answerOf(engine, asked(prompt, { maxTokens: 30 })).catch((error: unknown) => error),
    );
    for (let wait = 0; wait < 4; wait++) await new Promise(setImmediate);
    await engine.close();
    for (const answer of [...running, answerOf(engine, asked('B')).catch((error: unknown) => error)])
      expect(await answer).to.have.property('name', 'ClosedError');
    expect(decoder.open).to.equal(0);
  });

  it('cuts stop texts off across tokens, and never shows what may become one', async () => {
    const { engine } = fakeEngine();
    const [whole = ''] = await greedy(['TT']);
    const stop = whole.slice(5, 8);
    const answer = await answerOf(engine, asked('TT', { stop: [stop] }));
    expect(answer.text).to.equal(whole.slice(0, whole.indexOf(stop)));
    expect(answer.end).to.include({ reason: 'stop', answerTokens: whole.indexOf(stop) + 3 });
    expect(answer.tokens).to.deep.equal([...letters.encode(whole.slice(0, whole.indexOf(stop) + 3))]);
    await engine.close();
  });

  it('draws the same for a seed and a stream, whatever is next to it', async () => {
    const { engine } = fakeEngine();
    const draw = { temperature: 1.5, seed: 5 };
    const request = (stream: number) => asked('BC', { draw, stream });
    const alone = await answerOf(engine, request(1));
    const together = await Promise.all([0, 1, 2].map((stream) => answerOf(engine, request(stream))));
    expect(together[1]?.text).to.equal(alone.text);
    expect(new Set(together.map(({ text }) => text)).size).to.equal(3);
    await engine.close();
  });

  it('gives log-probabilities of the logits as they are, and those of a prompt', async () => {
    const { engine, decoder } = fakeEngine();
    const bias = { 3: 100 };
    const answer = await answerOf(engine, asked('BCD', { logprobs: 2, maxTokens: 2, bias, echo: true }));
    expect(answer.text).to.equal('BCDDD');
    const prefixes = [[1], [1, 2], [1, 2, 3], [1, 2, 3, 3]];
    const [first, ...others] = answer.logprobs;
    expect(first).to.deep.include({ id: 1, text: 'B', bytes: [66], logprob: Number.NaN, top: [] });
    others.forEach(({ id, logprob, top }, i) => {
      const logits = [...decoder.after(prefixes[i] ?? [])];
      const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
      expect(logprob).to.be.closeTo((logits[id] ?? 0) - total, 1e-6);
      const likeliest = Math.max(...logits);
      expect(top).to.have.length(2);
      expect(top[0]).to.deep.include({ id: logits.indexOf(likeliest) });
      expect(top[0]?.logprob).to.be.closeTo(likeliest - total, 1e-6);
    });
    expect(others.map(({ id }) => id)).to.deep.equal([2, 3, 3, 3]);
    const none = await answerOf(engine, asked('BCD', { maxTokens: 0, echo: true, logprobs: 0 }));
    expect(none.text).to.equal('BCD');
    expect(none.end).to.include({ reason: 'length', answerTokens: 0 });
    await engine.close();
  });

  it('takes penalties from what the answer has, and adds biases', async () => {
    const { engine, decoder } = fakeEngine();
    const penalties = { presence: 1, frequency: 0.5 };
    const bias = { 7: 2 };
    const { tokens } = await answerOf(engine, asked('BC', { penalties, bias }));
    const prefix = [1, 2];
    for (const id of tokens) {
      const logits = [...decoder.after(prefix)].map((logit, other) => {
        const count = prefix.slice(2).filter((token) => token === other).length;
        return logit - 0.5 * count - (count > 0 ? 1 : 0) + (other === 7 ? 2 : 0);
      });
      expect(logits[id]).to.be.closeTo(Math.max(...logits), 1e-6);
      prefix.push(id);
    }
    await engine.close();
  });

  it('says what a request cannot have', async () => {
    const { engine } = fakeEngine();
    const codeOf = async (request: Parameters<typeof answerOf>[1]): Promise<string> => {
      const error = await answerOf(engine, request).catch((thrown: unknown) => thrown);
      return error instanceof UserError ? error.diagnostic.code : String(error);
    };
    expect(await codeOf(asked('B'.repeat(40)))).to.equal('FTP0707');
    expect(await codeOf({ ...asked(''), prompt: { messages: [{ role: 'user', content: 'B' }] } })).to.equal(
      'no_chat_template',
    );
    expect(await codeOf(asked('B', { bias: { 24: 1 } }))).to.equal('unknown_token');
    expect(await engine.tokensOf({ text: 'BCA' })).to.deep.equal([1, 2, 0]);
    await engine.close();
  });
});
