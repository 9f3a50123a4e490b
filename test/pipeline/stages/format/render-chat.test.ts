import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { compileChatTemplate } from '../../../../src/compute/models/chat-template/index.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { parseExact } from '../../../../src/language/host/exact-json.js';
import type { FormatSettings } from '../../../../src/language/schemas/stages/format.js';
import { renderRow } from '../../../../src/pipeline/stages/format/render-row.js';
import {
  type RenderContext,
  type RenderedRow,
  RowProblem,
} from '../../../../src/pipeline/stages/format/rendered-row.js';
import { openEncoder } from '../../../../src/pipeline/stages/format/row-encoder.js';
import { call, fixtures, host, type Row, settingsOf, stageOf } from './format-runner.js';

const tools = join(host.packageFolder, 'test/fixtures/tools');
const style = (name: string) => ({
  file: `${name}.jinja`,
  sha256: '',
  text: host.readText(join(host.packageFolder, 'stdlib/chat', `${name}.jinja`)),
});

interface Message {
  readonly role: string;
  readonly content?: string | null;
  readonly tool_calls?: readonly { readonly function: { readonly name: string } }[];
}

/** Rows that Hermes' template can write: over a type of several names, it calls itself without end. */
const renderable = new Set(
  (
    JSON.parse(readFileSync(join(tools, 'rendered.json'), 'utf8')) as Readonly<
      Record<string, readonly { readonly error?: string }[]>
    >
  )['hermes-3']?.flatMap(({ error }, index) => (error?.includes('recursion') === true ? [] : [index])),
);

/** Some of the recorded conversations, with a mark in what the assistant says and another in what others say. */
const rows = readFileSync(join(tools, 'conversations.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => parseExact(line, 1) as { readonly messages: readonly Message[] })
  .filter(({ messages }, index) => renderable.has(index) && messages.some(({ role }) => role === 'assistant'))
  .filter((_, index) => index % 8 === 0)
  .map((row) => ({
    ...row,
    messages: row.messages.map((message, index) => ({
      ...message,
      ...(message.role === 'assistant' && (message.content ?? undefined) === undefined
        ? {}
        : { content: `${message.role === 'assistant' ? 'AA' : 'ZZ'}${index}. ${message.content}` }),
    })),
  }));

/** The turn ends of each template. */
const TURN_ENDS: Readonly<Record<string, string>> = {
  'hermes-3': '<|im_end|>',
  'llama-3.1': '<|eot_id|>',
  'mistral-nemo': '</s>',
  'qwen-2.5': '<|im_end|>',
  'qwen-3': '<|im_end|>',
};

const contextOf = (name: string): RenderContext => ({
  chat: compileChatTemplate(
    readFileSync(join(tools, `${name}.jinja`), 'utf8'),
    { bos_token: '<s>', eos_token: '</s>' },
    name,
  ),
  endToken: '',
  turnEnds: [TURN_ENDS[name] ?? ''],
  lossOn: 'assistant',
  shown: (text) => text,
  own: (usual) => usual,
  examples: { rows: [] },
});

describe('answers in chats with tools', () => {
  for (const name of Object.keys(TURN_ENDS))
    it(`${name}: all that the assistant says and calls is supervised, and nothing that others say`, () => {
      const context = contextOf(name);
      let kept = 0;
      for (const row of rows) {
        let rendered: RenderedRow;
        try {
          rendered = renderRow(call('chat'), row, context);
        } catch (error) {
          // Llama's template refuses two calls at once
          if (error instanceof RowProblem && error.reason === 'wrong_type') continue;
          throw error;
        }
        kept++;
        const { text, answers } = rendered;
        const turns = row.messages.filter(({ role }) => role === 'assistant');
        expect(answers).to.have.length(turns.length);
        answers.forEach(({ start, end }, index) => {
          const answer = text.slice(start, end);
          expect(answer).not.to.contain('ZZ');
          expect(answer.endsWith(TURN_ENDS[name] ?? ''), answer).to.equal(true);
          const { content, tool_calls: calls = [] } = turns[index] ?? {};
          for (const { function: called } of calls) expect(answer).to.contain(called.name);
          // Hermes' template writes no text next to calls, Llama's neither
          if (calls.length === 0 || name.startsWith('qwen')) expect(answer).to.contain(content?.trim() ?? '');
        });
        const rest = answers.reduceRight(
          (left, { start, end }) => left.slice(0, start) + left.slice(end),
          text,
        );
        expect(rest).not.to.contain('AA');
      }
      expect(kept).to.be.greaterThan(6);
    });
});

const open = (changes: Partial<FormatSettings> = {}, named = 'hermes') =>
  openEncoder(
    openModel(host, join(fixtures, 'bytes')),
    settingsOf({ template: call('chat', { style: style(named) }), max_length: 4096, ...changes }),
    stageOf('format', 'dialogs', {}),
  );

type Encoder = Awaited<ReturnType<typeof open>>;

function encoded(encoder: Encoder, row: Row) {
  const outcome = encoder.encode(row);
  if ('reason' in outcome) throw new Error(`${outcome.reason}: ${outcome.detail}`);
  const [piece] = outcome.kept;
  if (piece === undefined) throw new Error('nothing is kept');
  const said = [...piece.ids].filter((_, t) => piece.labels[t] !== -100);
  return { ...outcome, piece, said: encoder.tokenizer.decode(said) };
}

function reasonOf(encoder: Encoder, row: Row): string {
  const outcome = encoder.encode(row);
  return 'reason' in outcome ? `${outcome.reason}: ${outcome.detail}` : expect.fail('the row was kept');
}

const TOOLS = [{ name: 'add', description: 'Adds.', parameters: { type: 'object', properties: {} } }];
const CALLED = '<tool_call>\n{"name": "add", "arguments": {"a": 2.0, "b": "é"}}\n</tool_call>';
const asked = { role: 'user', content: 'What is 2 + é?' };
const calling = (args: unknown) => ({
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'c1', type: 'function', function: { name: 'add', arguments: args } }],
});
const answered = [
  { role: 'tool', tool_call_id: 'c1', content: '3' },
  { role: 'assistant', content: 'Three.' },
];

describe('rows with tools', () => {
  const text = '{"a": 2.0, "b": "é"}';

  it('are the same in every form in which they are written', async () => {
    const encoder = await open();
    const messages = [asked, calling(text), ...answered];
    const { rendered, said } = encoded(encoder, { messages, tools: TOOLS });
    expect(rendered.text).to.contain('<tools>\n{"type": "function", "function": {"name": "add"');
    expect(said).to.equal(`${CALLED}<|im_end|>Three.<|im_end|>`);
    expect(rendered.prompt.endsWith('<|im_start|>assistant\n')).to.equal(true);
    expect(rendered.prompt).to.contain('<|im_start|>user\n<tool_response>\n3\n</tool_response><|im_end|>');
    const others: readonly Row[] = [
      { messages, tools: JSON.stringify(TOOLS) },
      { messages, tools: TOOLS.map((each) => ({ type: 'function', function: each })) },
      { messages: [asked, calling(parseExact(text)), ...answered], tools: TOOLS },
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is ' },
              { type: 'text', text: '2 + é?' },
            ],
          },
          { role: 'assistant', tool_calls: [], function_call: { name: 'add', arguments: text } },
          { role: 'function', name: 'add', content: '3' },
          { role: 'assistant', content: [{ type: 'text', text: 'Three.' }] },
        ],
        tools: TOOLS,
      },
    ];
    for (const row of others) expect(encoded(encoder, row).rendered.text).to.equal(rendered.text);
    const spoken = await open({ template: call('sharegpt', { style: style('hermes') }) });
    const conversations = [
      { from: 'human', value: 'What is 2 + é?' },
      { from: 'function_call', value: `{"name": "add", "arguments": ${text}}` },
      { from: 'observation', value: '3' },
      { from: 'gpt', value: 'Three.' },
    ];
    for (const given of [TOOLS, JSON.stringify(TOOLS)])
      expect(encoded(spoken, { conversations, tools: given }).rendered.text).to.equal(rendered.text);
  });

  it('ask for the call where it is the last answer', async () => {
    const { rendered } = encoded(await open(), { messages: [asked, calling(text)], tools: TOOLS });
    expect(rendered.answer).to.equal(CALLED);
    expect(rendered.prompt.endsWith('What is 2 + é?<|im_end|>\n<|im_start|>assistant\n')).to.equal(true);
  });

  const refused: readonly (readonly [string, Row])[] = [
    [
      'wrong_type: /messages/0/content/1 is a part of type "image_url", which is not supported: the model reads text only',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'q' },
              { type: 'image_url', image_url: {} },
            ],
          },
          { role: 'assistant', content: 'a' },
        ],
      },
    ],
    [
      'wrong_type: /messages/1/tool_calls/0/function/arguments must be an object, or the text of one in JSON',
      { messages: [asked, calling('{"a":')], tools: TOOLS },
    ],
    [
      'wrong_type: /messages/0 calls tools, which only the assistant does',
      { messages: [{ ...calling({}), role: 'user' }, ...answered] },
    ],
    [
      'wrong_type: /tools/0 must be a tool: a `function` with a `name`',
      { messages: [asked, ...answered], tools: [{ description: 'x' }] },
    ],
    [
      'wrong_type: /tools must be a list of tools, or its JSON',
      { messages: [asked, ...answered], tools: '[' },
    ],
    [
      'wrong_type: /messages/1 is to be trained on, but only what the assistant says can be',
      { messages: [asked, { ...asked, train: true }, ...answered] },
    ],
    [
      'wrong_type: /messages/1/weight is 2, must be a number from 0 to 1',
      { messages: [asked, { role: 'assistant', content: 'a', weight: 2 }] },
    ],
    [
      'wrong_type: /messages/1/train is a string, must be `true` or `false`',
      { messages: [asked, { role: 'assistant', content: 'a', train: 'no' }] },
    ],
    [
      'no_supervised_token: no token of the row is supervised',
      { messages: [asked, { role: 'assistant', content: 'a', weight: 0 }] },
    ],
  ];
  for (const [reason, row] of refused)
    it(`${reason}`, async () => {
      expect(reasonOf(await open(), row)).to.equal(reason);
    });

  it('are refused where the template writes no tools', async () => {
    const plain = await open({}, 'chatml');
    expect(reasonOf(plain, { messages: [asked, ...answered], tools: TOOLS })).to.contain('the row has tools');
    expect(reasonOf(plain, { messages: [asked, calling({})] })).to.contain('`chat(style: hermes)`');
  });
});

describe('turns that count less', () => {
  const turn = (content: string, more: Row = {}) => ({ role: 'assistant', content, ...more });
  const messages = [
    asked,
    turn('One.', { weight: 0.25 }),
    asked,
    turn('Two.', { train: false }),
    asked,
    turn('Three.'),
  ];

  it('have their weight at every token, and those of none are not supervised', async () => {
    const { piece, said, rendered } = encoded(await open(), { messages });
    expect(said).to.equal('One.<|im_end|>Three.<|im_end|>');
    const weights = [...(piece.weights ?? [])].filter((_, t) => piece.labels[t] !== -100);
    const first = (await open()).tokenizer.encode('One.<|im_end|>').length;
    expect(weights).to.deep.equal(weights.map((_, at) => (at < first ? 0.25 : 1)));
    expect(rendered.answer).to.equal('Three.');
  });

  it('need no weights where each counts in full or not at all', async () => {
    const { piece, said } = encoded(await open(), {
      messages: [asked, turn('One.', { weight: 0 }), asked, turn('Two.', { weight: 1, train: true })],
    });
    expect(said).to.equal('Two.<|im_end|>');
    expect(piece.weights).to.equal(undefined);
  });

  it('are the last alone, or all', async () => {
    expect(encoded(await open({ loss_on: 'last' }), { messages }).said).to.equal('Three.<|im_end|>');
    expect(reasonOf(await open({ loss_on: 'all' }), { messages })).to.equal(
      'wrong_type: message 2 has a weight, but `loss_on = all` counts every token',
    );
  });

  it('keep their weights where a row is cut or split', async () => {
    const whole = encoded(await open(), { messages });
    const length = 40;
    const outcome = (await open({ overflow: 'split', max_length: length })).encode({ messages });
    if ('reason' in outcome) throw new Error(outcome.detail);
    for (const { ids, weights } of outcome.kept) expect(weights).to.have.length(ids.length);
    const cut = (await open({ overflow: 'truncate', max_length: length })).encode({ messages });
    if ('reason' in cut) throw new Error(cut.detail);
    expect(cut.kept[0]?.weights).to.deep.equal(whole.piece.weights?.slice(0, length));
  });
});
