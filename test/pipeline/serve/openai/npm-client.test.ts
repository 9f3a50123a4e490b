/** OpenAI's own client for Node against `ftpc serve`, with each engine: what it asks is answered as it expects. */
import { join } from 'node:path';
import { expect } from 'chai';
import OpenAI from 'openai';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { whereLlama } from '../../../compute/serving/llama-cpp/here.js';
import { type ServingProcess, startServing } from '../../../helpers/serving-process.js';
import { freshFolder } from '../../run/worlds.js';

const STARTER = join(nodeHost().packageFolder, 'stdlib/models/starter');
const TOOL_TEMPLATE = join(nodeHost().packageFolder, 'test/fixtures/tools/qwen-2.5.jinja');
const KEY = 'sk-of-the-test-that-nobody-guesses';

const SCHEMA = {
  type: 'object',
  properties: { free: { type: 'boolean' }, name: { type: 'string', maxLength: 8 } },
  required: ['free', 'name'],
  additionalProperties: false,
} as const;

type Ask = OpenAI.ChatCompletionCreateParamsNonStreaming;
const ask = (more: Partial<Ask> = {}): Ask => ({
  model: 'starter',
  messages: [{ role: 'user', content: 'Is the MIT License free?' }],
  temperature: 0,
  max_tokens: 8,
  ...more,
});

interface Call {
  readonly what: string;
  readonly check: (client: OpenAI) => Promise<void>;
}

const textOf = async (client: OpenAI, more: Partial<Ask> = {}): Promise<string> =>
  (await client.chat.completions.create(ask(more))).choices[0]?.message.content ?? '';

async function piecesOf(client: OpenAI, more: Partial<Ask> & { readonly stream_options?: object } = {}) {
  const pieces: OpenAI.ChatCompletionChunk[] = [];
  for await (const piece of await client.chat.completions.create({ ...ask(more), stream: true }))
    pieces.push(piece);
  return pieces;
}

const said = (pieces: readonly OpenAI.ChatCompletionChunk[], index = 0): string =>
  pieces
    .flatMap(({ choices }) => choices)
    .filter((choice) => choice.index === index)
    .map(({ delta }) => delta.content ?? '')
    .join('');

/** The error of a call that must fail, as the client has it. */
async function failure(call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof OpenAI.APIError) return error;
  throw error ?? new Error('it was answered');
}

const CHATS: readonly Call[] = [
  {
    what: 'lists its models, and knows one by its name',
    async check(client) {
      const ids: string[] = [];
      for await (const { id } of await client.models.list()) ids.push(id);
      expect(ids).to.deep.equal(['starter']);
      expect(await client.models.retrieve('starter')).to.include({ id: 'starter', object: 'model' });
    },
  },
  {
    what: 'answers messages',
    async check(client) {
      const found = await client.chat.completions.create(ask());
      expect(found).to.include({ object: 'chat.completion', model: 'starter' });
      expect(found.id).to.match(/^chatcmpl-/);
      expect(found.choices).to.have.length(1);
      expect(found.choices[0]?.message.role).to.equal('assistant');
      const { usage } = found;
      expect(usage?.total_tokens).to.equal((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
      expect(usage?.completion_tokens).to.be.within(1, 8);
    },
  },
  {
    what: 'answers the same at temperature 0, with parts of content, a system message and no matter whose',
    async check(client) {
      const messages: Ask['messages'] = [
        { role: 'system', content: 'Answer briefly.' },
        { role: 'user', content: [{ type: 'text', text: 'Is the MIT License free?' }] },
      ];
      const [first, second] = await Promise.all([
        textOf(client, { messages }),
        textOf(client, { messages, user: 'somebody', metadata: { of: 'test' } }),
      ]);
      expect(first).to.equal(second).and.not.equal('');
    },
  },
  {
    what: 'draws the same for a seed, and others for another',
    async check(client) {
      const draw = (seed: number) => textOf(client, { temperature: 1.5, seed, max_tokens: 12 });
      const [a, b, ...others] = await Promise.all([1, 1, 2, 3].map(draw));
      expect(a).to.equal(b);
      expect(new Set([a, ...others]).size).to.be.above(1);
    },
  },
  {
    what: 'ends at the length that is asked for',
    async check(client) {
      for (const more of [{ max_tokens: 2 }, { max_tokens: null, max_completion_tokens: 2 }]) {
        const { choices, usage } = await client.chat.completions.create(ask(more));
        expect(choices[0]?.finish_reason).to.equal('length');
        expect(usage?.completion_tokens).to.equal(2);
      }
    },
  },
  {
    what: 'ends at a text, and at one of several',
    async check(client) {
      const whole = await textOf(client, { max_tokens: 12 });
      const stop = whole.slice(2, 4);
      for (const more of [{ stop }, { stop: ['§§', stop] }]) {
        const { choices } = await client.chat.completions.create(ask({ ...more, max_tokens: 12 }));
        expect(choices[0]?.message.content).to.equal(whole.slice(0, whole.indexOf(stop)));
        expect(choices[0]?.finish_reason).to.equal('stop');
      }
    },
  },
  {
    what: 'gives several answers to one prompt',
    async check(client) {
      const { choices } = await client.chat.completions.create(ask({ n: 3, temperature: 1.5, seed: 2 }));
      expect(choices.map(({ index }) => index)).to.deep.equal([0, 1, 2]);
      expect(new Set(choices.map(({ message }) => message.content)).size).to.be.above(1);
    },
  },
  {
    what: 'gives log-probabilities with alternatives',
    async check(client) {
      const { choices } = await client.chat.completions.create(ask({ logprobs: true, top_logprobs: 3 }));
      const [first, ...others] = choices[0]?.logprobs?.content ?? [];
      expect(others.length).to.be.above(0);
      expect(first?.logprob).to.be.within(-20, 0);
      expect(first?.top_logprobs.map(({ token }) => token)[0]).to.equal(first?.token);
      expect(first?.top_logprobs).to.have.length(3);
      expect(Buffer.from(first?.bytes ?? []).toString()).to.equal(first?.token);
    },
  },
  {
    what: 'gives eight answers, the same for a seed, each with twenty alternatives per token',
    async check(client) {
      const draw = async () => {
        const more = { n: 8, temperature: 1, seed: 7, logprobs: true, top_logprobs: 20 } as const;
        const { choices } = await client.chat.completions.create(ask(more));
        return choices;
      };
      const [a, b] = [await draw(), await draw()];
      const texts = (choices: typeof a) => choices.map(({ message }) => message.content);
      expect(texts(a)).to.deep.equal(texts(b));
      expect(new Set(texts(a)).size).to.be.above(1);
      const tokens = a.flatMap(({ logprobs }) => logprobs?.content ?? []);
      for (const { top_logprobs: top } of tokens) {
        expect(top).to.have.length(20);
        expect(top.map(({ logprob }) => logprob)).to.deep.equal(
          top.map(({ logprob }) => logprob).sort((one, other) => other - one),
        );
      }
    },
  },
  {
    what: 'takes its own answers back, parts of a refusal, and texts that are empty',
    async check(client) {
      const { choices } = await client.chat.completions.create(ask());
      const said = choices[0]?.message ?? expect.fail('no answer');
      for (const messages of [
        [...ask().messages, said, { role: 'user', content: 'Why?' }],
        [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] },
          { role: 'user', content: 'b' },
        ],
        [{ role: 'user', content: '' }],
      ] as const)
        expect(await textOf(client, { messages: messages as unknown as Ask['messages'] })).to.be.a('string');
    },
  },
  {
    what: 'takes a share of the likeliest tokens, penalties and biases',
    async check(client) {
      expect(await textOf(client, { temperature: 2, top_p: 0.0001, seed: 9 })).to.equal(await textOf(client));
      const penalised = await textOf(client, {
        frequency_penalty: 2,
        presence_penalty: 2,
        max_tokens: 24,
        logit_bias: { '2': -100 },
      });
      expect(penalised).not.to.equal(await textOf(client, { max_tokens: 24, logit_bias: { '2': -100 } }));
      const forced = await client.chat.completions.create(ask({ logit_bias: { '20': 100 }, max_tokens: 3 }));
      expect(new Set(forced.choices[0]?.message.content).size).to.equal(1);
    },
  },
  {
    what: 'keeps to JSON, and to a schema',
    async check(client) {
      const schema = { type: 'json_schema', json_schema: { name: 'licence', schema: SCHEMA } } as const;
      const kept = JSON.parse(await textOf(client, { response_format: schema, max_tokens: 60 }));
      expect(Object.keys(kept).sort()).to.deep.equal(['free', 'name']);
      expect(kept.free).to.be.a('boolean');
      const any = await textOf(client, {
        ...{ response_format: { type: 'json_object' }, max_tokens: 60, temperature: 1, seed: 1 },
      });
      expect(any.trimStart()[0]).to.equal('{');
      expect(await textOf(client, { response_format: { type: 'text' } })).to.equal(await textOf(client));
    },
  },
];

const STREAMS: readonly Call[] = [
  {
    what: 'streams the answer that it gives as a whole',
    async check(client) {
      const pieces = await piecesOf(client);
      expect(pieces[0]?.choices[0]?.delta.role).to.equal('assistant');
      expect(pieces[0]?.object).to.equal('chat.completion.chunk');
      expect(new Set(pieces.map(({ id }) => id)).size).to.equal(1);
      expect(pieces.at(-1)?.choices[0]?.finish_reason).to.be.oneOf(['stop', 'length']);
      expect(said(pieces)).to.equal(await textOf(client));
    },
  },
  {
    what: 'streams how much it was, where asked',
    async check(client) {
      const pieces = await piecesOf(client, { stream_options: { include_usage: true } });
      expect(pieces.at(-1)?.choices).to.deep.equal([]);
      expect(pieces.at(-1)?.usage?.completion_tokens).to.be.above(0);
      expect(pieces.slice(0, -1).every(({ usage }) => !usage)).to.equal(true);
    },
  },
  {
    what: 'streams several answers at once, with log-probabilities',
    async check(client) {
      const pieces = await piecesOf(client, { n: 2, temperature: 1, seed: 4, logprobs: true });
      for (const index of [0, 1]) {
        const tokens = pieces.flatMap(({ choices }) =>
          choices.flatMap((choice) => (choice.index === index ? (choice.logprobs?.content ?? []) : [])),
        );
        expect(said(pieces, index)).not.to.equal('');
        expect(tokens.length).to.be.above(0);
      }
    },
  },
  {
    what: 'streams into the client’s own collector',
    async check(client) {
      const stream = client.chat.completions.stream({ ...ask(), stream: true });
      expect(await stream.finalContent()).to.equal(await textOf(client));
      expect((await stream.finalChatCompletion()).choices).to.have.length(1);
    },
  },
  {
    what: 'streams JSON that parses',
    async check(client) {
      const schema = {
        type: 'json_schema',
        json_schema: { name: 'a', schema: SCHEMA, strict: true },
      } as const;
      const text = said(await piecesOf(client, { response_format: schema, max_tokens: 60 }));
      expect(JSON.parse(text)).to.have.keys('free', 'name');
    },
  },
  {
    what: 'streams characters that several tokens are needed for, each whole',
    async check(client) {
      const text = 'é漢字🙂👩‍👩‍👧 ок';
      const schema = { type: 'json_schema', json_schema: { name: 'a', schema: { const: text } } } as const;
      const pieces = await piecesOf(client, { response_format: schema, max_tokens: 120, logprobs: true });
      const choices = pieces.flatMap(({ choices }) => choices);
      expect(said(pieces)).to.equal(JSON.stringify(text));
      for (const { delta } of choices) expect(delta.content ?? '').not.to.contain('\ufffd');
      const bytes = choices.flatMap(({ logprobs }) =>
        (logprobs?.content ?? []).flatMap((each) => each.bytes ?? []),
      );
      expect(Buffer.from(bytes).toString()).to.equal(JSON.stringify(text));
    },
  },
  {
    what: 'ends where the client goes, and answers the next',
    async check(client) {
      const stream = await client.chat.completions.create({ ...ask({ max_tokens: 400 }), stream: true });
      for await (const _ of stream) break;
      stream.controller.abort();
      expect(await textOf(client)).not.to.equal('');
    },
  },
];

type Continue = OpenAI.CompletionCreateParamsNonStreaming;
const continued = (more: Partial<Continue> = {}): Continue => ({
  ...{ model: 'starter', prompt: 'The MIT License', temperature: 0, max_tokens: 6 },
  ...more,
});

const TEXTS: readonly Call[] = [
  {
    what: 'continues a text, whole and as a stream',
    async check(client) {
      const whole = await client.completions.create(continued());
      expect(whole).to.include({ object: 'text_completion', model: 'starter' });
      let text = '';
      for await (const { choices } of await client.completions.create({ ...continued(), stream: true }))
        text += choices[0]?.text ?? '';
      expect(text).to.equal(whole.choices[0]?.text);
    },
  },
  {
    what: 'continues several texts, and lists of tokens',
    async check(client) {
      const { choices } = await client.completions.create(continued({ prompt: ['One', 'Two', 'Three'] }));
      expect(choices.map(({ index }) => index)).to.deep.equal([0, 1, 2]);
      const ids = await client.completions.create(continued({ prompt: [20, 21, 22] }));
      expect(ids.usage?.prompt_tokens).to.equal(3);
    },
  },
  {
    what: 'gives log-probabilities of a prompt that it repeats',
    async check(client) {
      const { choices } = await client.completions.create(
        continued({ echo: true, logprobs: 2, max_tokens: 1 }),
      );
      const { logprobs, text = '' } = choices[0] ?? {};
      expect(text.startsWith('The MIT License')).to.equal(true);
      expect(logprobs?.tokens?.join('')).to.equal(text);
      expect(logprobs?.token_logprobs?.[0]).to.equal(null);
      expect(logprobs?.token_logprobs?.slice(1).every((value) => value < 0)).to.equal(true);
    },
  },
];

const TOOLS: Ask['tools'] = [
  {
    type: 'function',
    function: {
      name: 'weather',
      strict: true,
      parameters: {
        ...{ type: 'object', required: ['city'], additionalProperties: false },
        properties: { city: { type: 'string', maxLength: 8 } },
      },
    },
  },
  { type: 'function', function: { name: 'now' } },
];

const WITH_TOOLS: readonly Call[] = [
  {
    what: 'calls a tool where it has to, and reads what that answers',
    async check(client) {
      const more = { tools: TOOLS, tool_choice: 'required', max_tokens: 60 } as const;
      const { choices } = await client.chat.completions.create(ask(more));
      const [choice] = choices;
      expect(choice?.finish_reason).to.equal('tool_calls');
      const message = choice?.message ?? expect.fail('no answer');
      const [call] = message.tool_calls ?? [];
      if (call?.type !== 'function') return expect.fail('no call');
      const given = JSON.parse(call.function.arguments) as object;
      expect(Object.keys(given)).to.deep.equal(call.function.name === 'now' ? [] : ['city']);
      const answer = { role: 'tool', tool_call_id: call.id, content: 'rain' } as const;
      const text = await textOf(client, { tools: TOOLS, messages: [...ask().messages, message, answer] });
      expect(text).to.be.a('string');
    },
  },
  {
    what: 'streams calls into the client’s own collector, which runs the tool',
    async check(client) {
      let calls = 0;
      const runner = client.chat.completions.runTools({
        ...{
          ...ask({ max_tokens: 60 }),
          stream: true,
          tool_choice: { type: 'function', function: { name: 'now' } },
        },
        tools: [
          {
            type: 'function',
            function: {
              ...{ name: 'now', description: 'the time' },
              parse: JSON.parse,
              function: () => {
                calls++;
                return 'noon';
              },
              parameters: { type: 'object', properties: {} },
            },
          },
        ],
      });
      const message = await runner.finalMessage();
      expect(calls).to.equal(1);
      const [call] = message.tool_calls ?? [];
      if (call?.type !== 'function') return expect.fail('no call');
      expect([call.function.name, JSON.parse(call.function.arguments)]).to.deep.equal(['now', {}]);
    },
  },
];

const FAILURES: readonly Call[] = [
  {
    what: 'does not know another model',
    async check(client) {
      expect(await failure(client.models.retrieve('gpt-5'))).to.include({
        status: 404,
        code: 'model_not_found',
      });
      expect(await failure(textOf(client, { model: 'gpt-5' }))).to.include({ status: 404 });
    },
  },
  {
    what: 'refuses a key that it does not have',
    async check({ baseURL }) {
      const other = new OpenAI({ baseURL, apiKey: 'sk-other', maxRetries: 0 });
      expect(await failure(textOf(other))).to.be.instanceOf(OpenAI.AuthenticationError);
      expect(await failure(textOf(other))).to.include({ status: 401, code: 'invalid_api_key' });
    },
  },
  ...(
    [
      ['no messages', { messages: [] }, 'messages'],
      ['a temperature above 2', { temperature: 3 }, 'temperature'],
      ['a field that nobody knows', { temprature: 1 }, 'temprature'],
      ['a role that nobody has', { messages: [{ role: 'nobody', content: 'a' }] }, undefined],
      [
        'tools, which its template does not write',
        { tools: [{ type: 'function', function: { name: 'a' } }] },
        undefined,
      ],
      [
        'a schema that is none',
        { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 5 } } } },
        undefined,
      ],
      ['more log-probabilities than there are', { logprobs: true, top_logprobs: 99 }, 'top_logprobs'],
      [
        'a prompt that is too long',
        { messages: [{ role: 'user', content: 'free '.repeat(3000) }] },
        undefined,
      ],
      [
        'pictures',
        { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'a' } }] }] },
        undefined,
      ],
    ] as const
  ).map(([what, more, param]) => ({
    what: `refuses ${what}`,
    async check(client: OpenAI) {
      const error = await failure(client.chat.completions.create(ask(more as unknown as Partial<Ask>)));
      expect(error).to.be.instanceOf(OpenAI.BadRequestError);
      expect(error.type).to.equal('invalid_request_error');
      expect(error.message.length).to.be.above(10);
      if (param !== undefined) expect(error.param).to.equal(param);
    },
  })),
  {
    what: 'has no embeddings',
    async check(client) {
      const error = await failure(client.embeddings.create({ model: 'starter', input: 'a' }));
      expect(error).to.be.instanceOf(OpenAI.NotFoundError);
    },
  },
];

function calls(engine: 'embedded' | 'llama.cpp', more: readonly string[], all: readonly Call[]): void {
  describe(`by ${engine}${more.length === 0 ? '' : ', with a template that writes tools'}`, () => {
    let serving: ServingProcess;
    let client: OpenAI;
    before(async () => {
      const words = [STARTER, '--engine', engine, '--served-model-name', 'starter', '--key-from', 'A_KEY'];
      serving = await startServing(freshFolder(), [...words, '--threads', '1', ...more], { A_KEY: KEY });
      client = new OpenAI({ baseURL: `${serving.url}/v1`, apiKey: KEY, maxRetries: 0 });
    });
    after(async () => {
      serving?.process.kill('SIGTERM');
      if (serving !== undefined) expect(await serving.ended).to.deep.equal({ code: 0, signal: null });
    });
    for (const { what, check } of all) it(what, () => check(client));
  });
}

const ENGINES = ['embedded', 'llama.cpp'] as const;

describe('OpenAI’s client for Node @long', () => {
  for (const engine of ENGINES) {
    const asked = (): void => {
      calls(engine, [], [...CHATS, ...STREAMS, ...TEXTS, ...FAILURES]);
      calls(engine, ['--template', TOOL_TEMPLATE], WITH_TOOLS);
    };
    if (engine === 'embedded') asked();
    else whereLlama(asked);
  }
});
