import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { compileChatTemplate } from '../../../../src/compute/models/chat-template/index.js';
import { MessageFault, readMessage, readTools } from '../../../../src/compute/models/messages.js';
import type { ChatMessage } from '../../../../src/compute/models/types.js';
import { parseExact } from '../../../../src/language/host/exact-json.js';
import type { Json } from '../../../../src/language/host/json.js';
import { fixturePath } from '../fixtures.js';

const folder = fixturePath('tools');

type Recorded = Readonly<
  Record<string, readonly { readonly sha256?: string; readonly text?: string; readonly error?: string }[]>
>;

const recorded = JSON.parse(readFileSync(join(folder, 'rendered.json'), 'utf8')) as Recorded;
const rows = readFileSync(join(folder, 'conversations.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => parseExact(line, 1) as { readonly messages: readonly Json[]; readonly tools?: unknown });

function sound<T>(value: T | MessageFault): T {
  if (value instanceof MessageFault) throw new Error(`${value.at} ${value.detail}`);
  return value;
}

describe('chats with tools', () => {
  for (const [name, cases] of Object.entries(recorded)) {
    const special = { bos_token: '<s>', eos_token: '</s>' };
    const template = compileChatTemplate(readFileSync(join(folder, `${name}.jinja`), 'utf8'), special, name);
    const render = ({ messages, tools }: (typeof rows)[number]): string => {
      const read = messages.map((message): ChatMessage => sound(readMessage(message, '')));
      const addGenerationPrompt = read.at(-1)?.role !== 'assistant';
      return template.render(read, { addGenerationPrompt, tools: sound(readTools(tools, '')) });
    };

    it(`${name}: 200 conversations are written as by transformers`, () => {
      let written = 0;
      for (const [index, { sha256, text, error }] of cases.entries()) {
        const row = rows[index] ?? { messages: [] };
        if (error !== undefined) {
          expect(() => render(row), error).to.throw();
          continue;
        }
        const whole = render(row);
        if (text !== undefined) expect(whole).to.equal(text);
        expect(createHash('sha256').update(whole).digest('hex'), `row ${index}`).to.equal(sha256);
        written++;
      }
      expect(written).to.be.greaterThan(100);
    });
  }

  const json: readonly (readonly [filter: string, json: string, text: string])[] = [
    ['tojson', '[2.0, 1e22, 1e-7, 1.5, -0.0, 3]', '[2.0, 1e+22, 1e-07, 1.5, -0.0, 3]'],
    ['tojson', '[123456789012345678, -9223372036854775808]', '[123456789012345678, -9223372036854775808]'],
    ['tojson', '{"b": "é", "2": null, "1": []}', '{"b": "é", "2": null, "1": []}'],
    ['tojson(ensure_ascii=true)', '["é🙂\\u007f"]', '["\\u00e9\\ud83d\\ude42\\u007f"]'],
    ['tojson(sort_keys=true)', '{"b": 1, "a": {"B": 2, "A": 3}}', '{"a": {"A": 3, "B": 2}, "b": 1}'],
    ["tojson(separators=(',', ':'))", '{"a": [1, 2]}', '{"a":[1,2]}'],
    ['tojson(indent=2)', '{"a": [1, {}], "b": []}', '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}'],
  ];
  for (const [filter, value, text] of json)
    it(`${filter} writes ${value} as Python's json.dumps`, () => {
      const template = compileChatTemplate(`{{ tools[0].v | ${filter} }}`, {}, 'x');
      const tools = [parseExact(`{"v": ${value}}`) as Json];
      expect(template.render([], { tools })).to.equal(text);
    });
});
