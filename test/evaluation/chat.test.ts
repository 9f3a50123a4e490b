import { join } from 'node:path';
import { expect } from 'chai';
import { openAnswerer } from '../../src/deploy/index.js';
import { UserError } from '../../src/diagnostics/types.js';
import { type Answerer, turnEnd } from '../../src/evaluation/chat.js';
import { textStream } from '../../src/evaluation/text-stream.js';
import { openModel } from '../../src/models/load.js';
import type { Tokenizer } from '../../src/models/types.js';
import { nodeHost } from '../../src/source/node-host.js';
import { expected, tiny } from './tiny.js';

const host = nodeHost();

describe('answering', () => {
  let base: Answerer;
  let tuned: Answerer;
  let tokenizer: Tokenizer;
  before(async () => {
    base = await openAnswerer(host, { folder: join(tiny, 'base'), threads: 1 });
    tuned = await openAnswerer(host, {
      folder: join(tiny, 'base'),
      adapter: join(tiny, 'adapter'),
      threads: 1,
    });
    tokenizer = await openModel(host, join(tiny, 'base')).tokenizer();
  });
  after(async () => {
    await base.release();
    await tuned.release();
  });

  it('goes on from a text as transformers does, with and without the adapter', async () => {
    for (const [model, { greedy }] of [
      [base, expected.base],
      [tuned, expected.tuned],
    ] as const) {
      const { text, tokens, promptTokens } = await model.answer(expected.prompts[0] ?? '', { maxTokens: 24 });
      expect(text).to.equal(tokenizer.decode(greedy[0] ?? [], { skipSpecial: true }));
      expect(tokens).to.equal(24);
      expect(promptTokens).to.equal(expected.ids[0]?.length);
    }
  });

  it('renders messages with the template', async () => {
    const said = await base.answer([{ role: 'user', content: 'hi' }], { maxTokens: 5 });
    const raw = await base.answer('<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n', {
      maxTokens: 5,
    });
    expect(said).to.deep.equal(raw);
  });

  it('streams what it answers, piece by piece, and samples by the seed', async () => {
    const options = { maxTokens: 40, temperature: 1.2, topP: 0.95, seed: 3 };
    const pieces: string[] = [];
    const { text } = await base.answer('Q', options, (piece) => pieces.push(piece));
    expect(pieces.join('')).to.equal(text);
    expect(pieces.length).to.be.greaterThan(5);
    expect((await base.answer('Q', options)).text).to.equal(text);
    expect((await base.answer('Q', { ...options, seed: 4 })).text).not.to.equal(text);
  });

  it('ends before a stop string, in the text and in the stream', async () => {
    const { text: whole } = await base.answer('Q', { maxTokens: 24 });
    const stop = [...whole].filter((character) => character !== '\ufffd').at(3) ?? '';
    const pieces: string[] = [];
    const { text, reason } = await base.answer('Q', { maxTokens: 24, stop: [stop] }, (piece) =>
      pieces.push(piece),
    );
    expect(reason).to.equal('stop');
    expect(text).to.equal(whole.slice(0, whole.indexOf(stop)));
    expect(pieces.join('')).to.equal(text);
  });

  it('refuses an empty prompt and one that fills the model', async () => {
    const codeOf = async (prompt: string): Promise<string> => {
      try {
        await base.answer(prompt);
      } catch (error) {
        if (error instanceof UserError) return error.diagnostic.code;
        throw error;
      }
      return 'none';
    };
    expect(await codeOf('')).to.equal('FTP0707');
    expect(await codeOf('x'.repeat(128))).to.equal('FTP0707');
    expect(await codeOf('x'.repeat(127))).to.equal('none');
  });

  it('finds the token that ends a turn in the template', () => {
    const template = openModel(host, join(tiny, 'base')).template();
    if (template === undefined) throw new Error('the model has a template');
    expect(turnEnd(template, tokenizer)).to.deep.equal([258]);
    const plain = { source: '', render: () => 'User: q\nAssistant: q7Zx\n' };
    expect(turnEnd(plain, tokenizer)).to.deep.equal([]);
  });
});

describe('a stream of text', () => {
  it('shows a character when it is complete', () => {
    const stream = textStream();
    expect([stream.push('a'), stream.push('a\ufffd'), stream.push('aé'), stream.end()]).to.deep.equal([
      'a',
      '',
      'é',
      '',
    ]);
  });

  it('holds back what may be the beginning of a stop string', () => {
    const stream = textStream(['STOP']);
    expect([stream.push('a ST'), stream.push('a STx'), stream.push('a STxS'), stream.end()]).to.deep.equal([
      'a ',
      'STx',
      '',
      'S',
    ]);
  });
});
