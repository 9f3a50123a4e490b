import { expect } from 'chai';
import {
  checkSpecialTokens,
  compileChatTemplate,
  readChatTemplate,
} from '../../../../src/compute/models/chat-template/index.js';
import { parseTokenizer } from '../../../../src/compute/models/tokenizer/file.js';
import { buildTokenizer } from '../../../../src/compute/models/tokenizer/tokenizer.js';
import { type ChatMessage, ExcessiveTemplateError } from '../../../../src/compute/models/types.js';
import { modelError } from '../errors.js';
import { readFixture } from '../fixtures.js';
import { memoryHost } from '../memory-host.js';

interface Recorded {
  readonly name: string;
  readonly source: string;
  readonly cases: readonly {
    messages: readonly ChatMessage[];
    addGenerationPrompt: boolean;
    text?: string;
    error?: string;
  }[];
}

const SPECIAL = { bos_token: '<s>', eos_token: '</s>' };
const USER: readonly ChatMessage[] = [{ role: 'user', content: 'Hi' }];

describe('chat template', () => {
  for (const { name, source, cases } of readFixture<readonly Recorded[]>('tokenizer/templates.json')) {
    it(`${name}: text equals transformers'`, () => {
      const template = compileChatTemplate(source, SPECIAL, name);
      for (const { messages, addGenerationPrompt, text, error } of cases) {
        if (text !== undefined) expect(template.render(messages, { addGenerationPrompt })).to.equal(text);
        else {
          const thrown = modelError(() => template.render(messages, { addGenerationPrompt }));
          expect(thrown.code).to.equal('model_template');
          expect(thrown.detail).to.contain(error ?? '');
        }
      }
    });
  }

  const hostile: Readonly<Record<string, string>> = {
    'a loop in a loop': '{% for a in range(5000) %}{% for b in range(5000) %}{{ b }}{% endfor %}{% endfor %}',
    'a huge range': '{% for a in range(100000000) %}x{% endfor %}',
    'doubling text':
      '{% set ns = namespace(t="0123456789") %}{% for i in range(60) %}{% set ns.t = ns.t + ns.t %}{% endfor %}{{ ns.t }}',
    'a macro that calls itself': '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}',
    'reaching for the constructor': '{{ messages.constructor.constructor("return process")().exit(1) }}',
  };
  for (const [what, source] of Object.entries(hostile)) {
    it(`stops ${what}`, () => {
      expect(modelError(() => compileChatTemplate(source, {}, 'x').render(USER)).code).to.equal(
        'model_template',
      );
    });
  }

  it('takes what is not there, and what is no text, for a text where a filter reads one, as Jinja does', () => {
    const source =
      "[{{ x | trim }}|{{ x | title }}|{{ 5 | trim }}|{{ none | capitalize }}|{{ 55 | replace('5', '6') }}]";
    expect(compileChatTemplate(source, {}, 'x').render(USER)).to.equal('[||5|None|66]');
  });

  const missing: readonly (readonly [source: string, name: string])[] = [
    ['{{ messages[0].content.casefold() }}', 'messages[…].content.casefold()'],
    ['{{ nowhere() }}', 'nowhere()'],
    ['{{ messages[0].content.upper().nowhere() }}', '….nowhere()'],
    ['{% for part in 5 %}{% endfor %}', 'loops over'],
  ];
  for (const [source, name] of missing) {
    it(`names what ${source} lacks`, () => {
      expect(modelError(() => compileChatTemplate(source, {}, 'x').render(USER)).detail).to.contain(name);
    });
  }

  it('stops loops without a body as it stops others, in no time', () => {
    const source =
      '{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}{{ messages[0].role }}';
    expect(modelError(() => compileChatTemplate(source, {}, 'x').render(USER))).to.be.instanceOf(
      ExcessiveTemplateError,
    );
  });

  it('lets a template look at every character of a long text', () => {
    const content = 'long '.repeat(20_000);
    const source = '{% for letter in messages[0].content %}{{ letter }}{% endfor %}';
    expect(compileChatTemplate(source, {}, 'x').render([{ role: 'user', content }])).to.equal(content);
  });

  const refused: readonly (readonly [source: string, why: string])[] = [
    ['{{ 1 / 0 }}', 'division by zero'],
    ['{{ 1 // 0 }}', 'division by zero'],
    ['{{ 1 % 0 }}', 'division by zero'],
    ['{{ 9 ** 9 ** 9 }}', 'beyond 2^53'],
    ['{{ 9007199254740993 }}', 'beyond 2^53'],
    ['{{ 99999999 * 99999999 }}', 'beyond 2^53'],
    ["{{ 'x' * 100000000000 }}", 'too often'],
    ["{{ 'a' + 1 }}", "unsupported operand type(s) for +: 'str' and 'int'"],
    ["{{ 1 + 'a' }}", "'int' and 'str'"],
    ['{{ nowhere|tojson }}', 'not JSON serializable'],
    ["{{ messages|join(',', attribute='role') }}", 'filter `join`'],
    ["{{ messages|selectattr('x', 'undefined')|list }}", 'test `undefined`'],
    ['{{ raise_exception }}', 'writes a function'],
    ['{{ messages[0].items }}', 'writes a function'],
  ];
  for (const [source, why] of refused) {
    it(`refuses ${source}, which Python does otherwise than JavaScript`, () => {
      expect(modelError(() => compileChatTemplate(source, {}, 'x').render(USER)).detail).to.contain(why);
    });
  }

  it('tells a template that asks that there is no clock', () => {
    const source = "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}no clock{% endif %}";
    expect(compileChatTemplate(source, {}, 'x').render(USER)).to.equal('no clock');
  });

  it('names the file of a template that is no Jinja', () => {
    const error = modelError(() => compileChatTemplate('{% if %}', {}, '/m/chat_template.jinja'));
    expect(error).to.include({ code: 'model_template', path: '/m/chat_template.jinja' });
  });

  it('takes the file, the text, or the default of a list', () => {
    const config = (template: unknown) =>
      JSON.stringify({ chat_template: template, eos_token: { content: '</s>' } });
    const list = [
      { name: 'tool_use', template: 'no' },
      { name: 'default', template: 'list{{ eos_token }}' },
    ];
    const render = (files: Readonly<Record<string, string>>) =>
      readChatTemplate(memoryHost(files), '/m')?.render(USER);
    expect(render({ '/m/tokenizer_config.json': config('text{{ eos_token }}') })).to.equal('text</s>');
    expect(render({ '/m/tokenizer_config.json': config(list) })).to.equal('list</s>');
    expect(render({ '/m/tokenizer_config.json': config('text'), '/m/chat_template.jinja': 'file' })).to.equal(
      'file',
    );
    expect(render({})).to.equal(undefined);
    expect(modelError(() => render({ '/m/tokenizer_config.json': config([]) })).code).to.equal(
      'model_template',
    );
  });

  it('finds a special token that the tokenizer would split', async () => {
    const json = readFixture<Parameters<typeof parseTokenizer>[0]>('tokenizer/byte-level.json');
    const tokenizer = await buildTokenizer(parseTokenizer(json, ''), '');
    const check =
      (source: string, special = {}) =>
      () =>
        checkSpecialTokens(tokenizer, compileChatTemplate(source, special, '/m/t'));
    expect(check('<|im_start|>{# <|comment|> #}<|im_end|> [INST]')).not.to.throw();
    expect(modelError(check('<|im_start|>{{ x }}<|eot_id|>')).detail).to.contain('<|eot_id|>');
    expect(modelError(check('{{ eos_token }}', SPECIAL)).detail).to.contain('</s>');
    expect(check('no token', SPECIAL)).not.to.throw();
  });
});
