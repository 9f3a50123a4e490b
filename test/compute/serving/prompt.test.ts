import { expect } from 'chai';
import { compileChatTemplate } from '../../../src/compute/models/chat-template/index.js';
import type { ChatMessage } from '../../../src/compute/models/types.js';
import { type PromptReader, servedIds } from '../../../src/compute/serving/prompt.js';
import { UserError } from '../../../src/language/diagnostics/types.js';

/** A token per character. */
const characters: PromptReader['tokenizer'] = {
  encode: (text) => Int32Array.from(text, (one) => one.charCodeAt(0)),
  decode: (ids) => String.fromCharCode(...Array.from(ids)),
  vocabSize: 256,
  beginId: 2,
  idOf: (token) => (token.length === 1 ? token.charCodeAt(0) : undefined),
  tokenOf: (id) => String.fromCharCode(id),
};

const template = (source: string) => compileChatTemplate(source, {}, 'chat_template.jinja');

const PLAIN = template(
  "{% for m in messages %}{{ m.role + ':' + m.content + ';' }}{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}",
);
const TOOLS = template(
  "{% if tools %}{{ tools[0].function.name }}|{% endif %}{% for m in messages %}{% for c in m.tool_calls or [] %}{{ c.function.name }}({{ c.function.arguments.city }}){% endfor %}{% if m.role == 'tool' %}{{ m.tool_call_id }}={% endif %}{{ m.content }};{% endfor %}",
);

const training = (system: string | null, style: 'chat' | 'text' = 'chat') => ({
  ...{ style, template: null, systems: [{ text: system, rows: 3 }], otherRows: 0, stop: [] },
});

const ask = (
  messages: readonly ChatMessage[],
  more: Partial<PromptReader> = {},
  tools?: readonly { readonly [name: string]: unknown }[],
) =>
  characters.decode(
    servedIds(
      { messages, tools },
      { label: 'm', tokenizer: characters, template: PLAIN, vocabSize: 256, contextTokens: 200, ...more },
    ),
  );

const user = (content: string): ChatMessage => ({ role: 'user', content });

describe('prompts of requests', () => {
  it('are written by the template, with the system message of training unless they bring one', () => {
    expect(ask([user('hi')])).to.equal('user:hi;assistant:');
    expect(ask([user('hi')], { training: training('short') })).to.equal('system:short;user:hi;assistant:');
    const own = [{ role: 'system', content: 'long' } as const, user('hi')];
    expect(ask(own, { training: training('short') })).to.equal('system:long;user:hi;assistant:');
    expect(ask([user('hi')], { training: training('short'), system: false })).to.equal('user:hi;assistant:');
    expect(ask([user('hi')], { system: 'odd' })).to.equal('system:odd;user:hi;assistant:');
  });

  it('are texts to be continued where the rows of training were', () => {
    expect(ask([user('hi')], { training: training(null, 'text') })).to.equal('\u0002hi');
    expect(
      ask([user('a'), { role: 'assistant', content: 'b' }, user('c')], { training: training(null, 'text') }),
    ).to.equal('user:a;assistant:b;user:c;assistant:');
  });

  it('show tools, calls with their arguments as objects, and answers of tools', () => {
    const call = { id: '1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } };
    const messages: readonly ChatMessage[] = [
      user('q'),
      { role: 'assistant', content: '', tool_calls: [call] },
      { role: 'tool', content: 'rain', tool_call_id: '1' },
    ];
    const tools = [{ type: 'function', function: { name: 'weather' } }];
    expect(ask(messages, { template: TOOLS }, tools)).to.equal('weather|q;weather(Oslo);1=rain;');
  });

  it('are refused, with what is wrong', () => {
    const refused = (make: () => unknown, code: string): void => {
      expect(make).to.throw(UserError).with.nested.property('diagnostic.code', code);
    };
    const tools = [{ type: 'function', function: { name: 'weather' } }];
    refused(() => ask([user('q')], { template: undefined }), 'no_chat_template');
    refused(() => ask([user('q')], {}, tools), 'tools_unsupported');
    refused(
      () => ask([user('q')], { template: template("{{ raise_exception('no user first') }}") }),
      'messages_refused',
    );
    refused(() => ask([user('x'.repeat(200))]), 'FTP0707');
    const ids = (tokens: readonly number[]) =>
      servedIds({ tokens }, { label: 'm', tokenizer: characters, vocabSize: 256, contextTokens: 200 });
    expect([...ids([5, 6])]).to.deep.equal([5, 6]);
    for (const tokens of [[-1], [256], [5, Number.NaN]]) refused(() => ids(tokens), 'unknown_token');
    refused(() => ids([]), 'empty_prompt');
  });

  it('are not read to their end where their beginning is too long already', () => {
    let read = 0;
    const tokenizer: PromptReader['tokenizer'] = {
      ...characters,
      encode: (text) => {
        read += text.length;
        return characters.encode(text);
      },
    };
    const refused = (text: string): string => {
      try {
        servedIds({ text }, { label: 'm', tokenizer, vocabSize: 256, contextTokens: 200 });
        return '';
      } catch (error) {
        return error instanceof UserError
          ? `${error.diagnostic.code}: ${error.diagnostic.message}`
          : String(error);
      }
    };
    expect(refused('a'.repeat(1e6))).to.equal(
      'FTP0707: the prompt has more than 3200 tokens, but `m` accepts fewer than 200',
    );
    expect(read).to.equal(3200);
    // its tokens are counted where that takes no time
    expect(refused('a'.repeat(3000))).to.contain('the prompt has 3001 tokens');
  });
});
