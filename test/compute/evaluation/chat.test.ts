import { join } from 'node:path';
import { expect } from 'chai';
import {
  type Answerer,
  type AnswererParts,
  answerer,
  textStream,
} from '../../../src/compute/evaluation/chat.js';
import { decoderModel } from '../../../src/compute/evaluation/language-model.js';
import { createDecoder } from '../../../src/compute/models/decoder/index.js';
import { openModel } from '../../../src/compute/models/load.js';
import type { ModelConfig, Tokenizer } from '../../../src/compute/models/types.js';
import { materialisedWithin } from '../../../src/compute/models/weights/load.js';
import { onnxRuntime } from '../../../src/compute/tensor/runtimes/onnx/index.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { openAnswerer } from '../../../src/pipeline/deploy/open-answerer.js';
import { expected, tiny } from './tiny.js';

const host = nodeHost();

describe('answering', () => {
  let base: Answerer;
  let tuned: Answerer;
  let tokenizer: Tokenizer;
  let parts: AnswererParts;
  let config: ModelConfig;
  before(async () => {
    base = await openAnswerer(host, { folder: join(tiny, 'base'), threads: 1 });
    tuned = await openAnswerer(host, { folder: join(tiny, 'adapter'), base: join(tiny, 'base'), threads: 1 });
    const model = openModel(host, join(tiny, 'base'));
    tokenizer = await model.tokenizer();
    const decoder = await createDecoder({
      runtime: await onnxRuntime({ threads: 1 }),
      config: model.config,
      weights: model.loadWeights('stored'),
      trainable: 'none',
      checkpointedBlocks: 0,
      logitsChunk: 64,
    });
    config = model.config;
    parts = { label: 'tiny', model: decoderModel(decoder), tokenizer, template: model.template() };
  });
  after(async () => {
    await parts.model.release();
    await base.release();
    await tuned.release();
  });

  it('goes on from a text as transformers does, with and without the adapter', async () => {
    for (const [model, { greedy }] of [
      [base, expected.base],
      [tuned, expected.tuned],
    ] as const) {
      const { text, answerTokens, promptTokens } = await model.answer(expected.prompts[0] ?? '', {
        maxTokens: 24,
      });
      expect(text).to.equal(tokenizer.decode(greedy[0] ?? [], { skipSpecial: true }));
      expect(answerTokens).to.equal(24);
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

  it('answers many prompts in their order, each with draws of its own, and none where one is wrong', async () => {
    const prompts = Array.from({ length: 70 }, (_, i) => ({ prompt: `Q${i % 35}` }));
    const options = { maxTokens: 4, temperature: 2 };
    const answers: string[] = [];
    for await (const { text } of base.answerAll(prompts, options)) answers.push(text);
    expect(answers).to.have.length(70);
    expect(answers[0]).to.equal((await base.answer('Q0', options)).text);
    expect(answers.slice(35)).not.to.deep.equal(answers.slice(0, 35));
    const broken = base.answerAll([...prompts, { prompt: '' }], options);
    let found: unknown;
    await broken.next().catch((error: unknown) => {
      found = error;
    });
    expect(found).to.be.instanceOf(UserError);
  });

  it('refuses a token that the model does not have', async () => {
    const longer: Tokenizer = { ...tokenizer, encode: () => Int32Array.of(65, 259), tokenOf: () => '<tool>' };
    const model = answerer({ label: 'tiny', model: parts.model, tokenizer: longer });
    let found: unknown;
    await model.answer('Q').catch((error: unknown) => {
      found = error;
    });
    if (!(found instanceof UserError)) throw found;
    expect(found.diagnostic).to.include({ code: 'FTP0871' });
    expect(found.diagnostic.message).to.contain('<tool>').and.to.contain('259 tokens');
  });

  it('ends at a special token that is named as a stop, which no text shows', async () => {
    const { template } = parts;
    const { text: whole } = await base.answer('Q', { maxTokens: 6 });
    const first = tokenizer.encode(whole)[0] ?? 0;
    const special: Tokenizer = {
      ...tokenizer,
      specialIds: new Set([first]),
      decode: (ids, given) => (given?.skipSpecial === true && ids[0] === first ? '' : tokenizer.decode(ids)),
    };
    const model = answerer({ label: 'tiny', model: parts.model, tokenizer: special, template });
    const stop = tokenizer.tokenOf(first) ?? '';
    expect(await model.answer('Q', { stop: [stop] })).to.include({ answerTokens: 0, reason: 'stop' });
  });

  it('goes on to the longest answer where the model knows no end', async () => {
    const endless = { ...parts.model, facts: { ...parts.model.facts, eosTokenIds: [] } };
    const model = answerer({ label: 'tiny', model: endless, tokenizer });
    expect(await model.answer('Q', { maxTokens: 50 })).to.include({ answerTokens: 50, reason: 'length' });
    expect(await model.answer('Q', { maxTokens: 500 })).to.include({ answerTokens: 127, reason: 'full' });
  });

  it('begins a text with the token that the tokenizer puts before texts, and a chat with what the template writes', async () => {
    const { template } = parts;
    const begins: Tokenizer = { ...tokenizer, beginId: tokenizer.encode('A')[0] };
    const model = answerer({ label: 'tiny', model: parts.model, tokenizer: begins, template });
    const options = { maxTokens: 4 };
    expect(await model.answer('Q', options)).to.deep.equal(await base.answer('AQ', options));
    expect(await model.answer('AQ', options)).to.deep.equal(await base.answer('AQ', options));
    const messages = [{ role: 'user', content: 'hi' }] as const;
    expect(await model.answer(messages, options)).to.deep.equal(await base.answer(messages, options));
    const plain = answerer({ label: 'tiny', model: parts.model, tokenizer: begins });
    expect(plain.chats).to.equal(false);
    expect(await plain.answer(messages, options)).to.deep.equal(await base.answer('Ahi', options));
  });

  it('ends where the template ends a turn, whatever the config says', async () => {
    const { text: whole } = await base.answer('Q', { maxTokens: 6 });
    const [first = 0] = tokenizer.encode(whole);
    const special: Tokenizer = {
      ...tokenizer,
      specialIds: new Set([first]),
      decode: (ids, given) =>
        given?.skipSpecial === true && ids.length === 1 && ids[0] === first
          ? ''
          : tokenizer.decode(ids, given),
    };
    const template = { source: '', render: () => `User: q\nAssistant: q7Zx${whole}` };
    const model = answerer({ label: 'tiny', model: parts.model, tokenizer: special, template });
    expect(await model.answer('Q', { maxTokens: 6 })).to.include({
      text: '',
      reason: 'stop',
      answerTokens: 0,
    });
  });

  it('holds packed weights as float32 where there is room for them, and answers alike', async () => {
    expect([
      materialisedWithin(config, 'stored', 0),
      materialisedWithin(config, 'stored', 1e9),
      materialisedWithin(config, 'nf4', 1e9),
    ]).to.deep.equal(['stored', 'f32', 'nf4_materialised']);
    const folder = join(host.packageFolder, 'stdlib/models/starter');
    const answers: string[] = [];
    for (const float32Bytes of [0, 1e9]) {
      const model = await openAnswerer(host, { folder, threads: 1, float32Bytes });
      const { text } = await model.answer([{ role: 'user', content: 'Is MIT free?' }], { maxTokens: 12 });
      answers.push(text);
      await model.release();
    }
    expect(answers[1]).to.equal(answers[0]);
  });

  it('knows no base under what is no adapter, and says where one is missing', async () => {
    const codeOf = async (options: { folder: string; base?: string }): Promise<string> => {
      try {
        await (await openAnswerer(host, { ...options, threads: 1 })).release();
      } catch (error) {
        if (error instanceof UserError) return error.diagnostic.code;
        throw error;
      }
      return 'none';
    };
    const [model, adapter] = [join(tiny, 'base'), join(tiny, 'adapter')];
    expect(await codeOf({ folder: model, base: model })).to.equal('FTP0751');
    expect(await codeOf({ folder: adapter, base: join(tiny, 'nowhere') })).to.equal('FTP0749');
    expect(await codeOf({ folder: adapter, base: model })).to.equal('none');
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
