import { expect } from 'chai';
import type { GgufHeader, GgufValue } from '../../../src/compute/models/gguf/header.js';
import { ggufBegins, ggufTokenizerJson } from '../../../src/compute/models/gguf/tokenizer.js';
import { parseTokenizer } from '../../../src/compute/models/tokenizer/file.js';
import { loadTokenizer } from '../../../src/compute/models/tokenizer/tokenizer.js';
import { turnEnd } from '../../../src/compute/models/turn-end.js';
import { type ChatTemplate, ModelError } from '../../../src/compute/models/types.js';
import { readFixture } from './fixtures.js';
import { memoryHost } from './memory-host.js';

type Json = Parameters<typeof parseTokenizer>[0];

const plain = readFixture<Json>('tokenizer/sentence-piece.json');
const TEMPLATE = {
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [],
  special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
};
const NESTED = { type: 'Sequence', processors: [{ type: 'ByteLevel' }, TEMPLATE] };
const END = { ...TEMPLATE, single: [...TEMPLATE.single].reverse() };

async function beginId(step: unknown, config?: object): Promise<number | undefined> {
  const host = memoryHost({
    '/m/tokenizer.json': JSON.stringify({ ...plain, post_processor: step }),
    ...(config === undefined ? {} : { '/m/tokenizer_config.json': JSON.stringify(config) }),
  });
  return (await loadTokenizer(host, '/m')).beginId;
}

describe('the token that a tokenizer puts before a text', () => {
  it('is read from its post-processor', async () => {
    expect(await beginId(null)).to.equal(undefined);
    expect(await beginId(TEMPLATE)).to.equal(1);
    expect(await beginId(NESTED)).to.equal(1);
    expect(await beginId(END)).to.equal(undefined);
    expect(await beginId({ ...TEMPLATE, special_tokens: {} })).to.equal(undefined);
  });

  it('is decided by add_bos_token where that is set', async () => {
    expect(await beginId(TEMPLATE, { bos_token: '<s>' })).to.equal(1);
    expect(await beginId(TEMPLATE, { add_bos_token: false, bos_token: '<s>' })).to.equal(undefined);
    expect(await beginId(null, { add_bos_token: true, bos_token: { content: '<s>' } })).to.equal(1);
    expect(await beginId(null, { add_bos_token: true })).to.equal(undefined);
  });

  it('is what llama.cpp would put there for a GGUF file', () => {
    const begin = (pre: string, asked?: boolean): number | undefined => {
      const values = new Map<string, GgufValue>([
        ['tokenizer.ggml.model', 'gpt2'],
        ['tokenizer.ggml.pre', pre],
        ['tokenizer.ggml.tokens', ['a', '<bos>']],
        ['tokenizer.ggml.token_type', [1, 3]],
        ['tokenizer.ggml.merges', []],
        ['tokenizer.ggml.bos_token_id', 1],
        ...(asked === undefined ? [] : ([['tokenizer.ggml.add_bos_token', asked]] as const)),
      ]);
      const header: GgufHeader = { path: 'x.gguf', values, tensors: new Map() };
      const found = parseTokenizer(ggufTokenizerJson(header), 'x.gguf').beginId;
      expect(found !== undefined).to.equal(ggufBegins(header));
      return found;
    };
    expect(begin('llama-bpe')).to.equal(1);
    expect(begin('llama-bpe', false)).to.equal(undefined);
    expect(begin('smollm')).to.equal(undefined);
    expect(begin('smollm', true)).to.equal(1);
  });
});

describe('the end of a turn', () => {
  const end = async (render: ChatTemplate['render']) =>
    turnEnd(
      { source: '', render },
      await loadTokenizer(memoryHost({ '/m/tokenizer.json': JSON.stringify(plain) }), '/m'),
    );

  it('is the special token that a template writes after an answer', async () => {
    const answer = (after: string): ChatTemplate['render'] => {
      return (messages) => `<s>${messages.map(({ content }) => content).join(' ')}${after}`;
    };
    expect(await end(answer('\n</s>\n'))).to.deep.equal({ id: 2, token: '</s>' });
    expect(await end(answer('\n'))).to.equal(undefined);
    expect(await end(answer('\nthe end'))).to.equal(undefined);
    expect(await end(() => '<s>')).to.equal(undefined);
    const refuse = (): never => {
      throw new ModelError('model_template', 'x', 'refused', 'fix it');
    };
    expect(await end(refuse)).to.equal(undefined);
  });
});
