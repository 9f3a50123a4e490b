import { expect } from 'chai';
import type { CompletionRequest } from '../../../../src/compute/serving/types.js';
import { chatExchange } from '../../../../src/pipeline/serve/openai/chat.js';
import { fakeModel, fakeServer, saying } from '../../../helpers/served-model.js';
import { sseEvents } from '../../../helpers/sse.js';

const URL = '/v1/chat/completions';
const ASKED = { model: 'fake', messages: [{ role: 'user', content: 'Hi' }] };
const TOOL = {
  type: 'function',
  function: { name: 'rain', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};
const CALL = ['<tool_', 'call>{"name":"rain","arguments":', '{"city":"Bern"}}</tool_call>'];

const requestOf = (fields: object): CompletionRequest => {
  const [request] = chatExchange({ ...ASKED, ...fields }, { temperature: 1, seed: () => 5 }).requests;
  if (request === undefined) throw new Error('there is one answer at least');
  return request;
};

describe('chat completions', () => {
  it('answers as OpenAI does', async () => {
    const { post } = fakeServer(fakeModel(saying('Hello', ' world')));
    const { status, headers, json } = await post(URL, ASKED);
    const { id, created, ...body } = json();
    expect(status).to.equal(200);
    expect(id)
      .to.match(/^chatcmpl-[0-9a-f]{32}$/)
      .and.to.equal(headers['x-request-id']);
    expect(headers['x-ftpc-release']).to.equal('3');
    expect(created).to.be.a('number');
    expect(body).to.deep.equal({
      model: 'fake',
      object: 'chat.completion',
      system_fingerprint: 'fp_3',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello world', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        ...{ prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
        prompt_tokens_details: { cached_tokens: 2 },
      },
    });
  });

  it('streams deltas, usage where it is asked for, and [DONE]', async () => {
    const { post } = fakeServer(fakeModel(saying('Hello', ' world')));
    const { headers, body } = await post(URL, {
      ...ASKED,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(headers['content-type']).to.equal('text/event-stream; charset=utf-8');
    const { chunks, done } = sseEvents(body);
    expect(done).to.equal(true);
    expect(chunks.map(({ choices }) => choices)).to.deep.equal([
      [
        {
          index: 0,
          delta: { role: 'assistant', content: '', refusal: null },
          logprobs: null,
          finish_reason: null,
        },
      ],
      [{ index: 0, delta: { content: 'Hello' }, logprobs: null, finish_reason: null }],
      [{ index: 0, delta: { content: ' world' }, logprobs: null, finish_reason: null }],
      [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }],
      [],
    ]);
    expect(chunks.map(({ usage }) => usage?.['total_tokens'])).to.deep.equal([
      undefined,
      undefined,
      undefined,
      undefined,
      9,
    ]);
    expect(new Set(chunks.map(({ id, object }) => `${id} ${object}`)).size).to.equal(1);
  });

  it('gives log-probabilities in both forms', async () => {
    const { post } = fakeServer(fakeModel(saying('é')));
    const fields = { ...ASKED, logprobs: true, top_logprobs: 2 };
    const { json } = await post(URL, fields);
    const token = { token: 'é', logprob: -0.5, bytes: [195, 169] };
    const expected = { content: [{ ...token, top_logprobs: [token, token] }], refusal: null };
    expect(json()['choices']?.[0]?.['logprobs']).to.deep.equal(expected);
    const { chunks } = sseEvents((await post(URL, { ...fields, stream: true })).body);
    expect(chunks[1]?.['choices']?.[0]?.['logprobs']).to.deep.equal(expected);
  });

  it('gives several answers, whose prompt counts once', async () => {
    const { post } = fakeServer(fakeModel(saying('a', 'b')));
    const { choices, usage } = (await post(URL, { ...ASKED, n: 3, max_tokens: 1 })).json();
    expect(choices?.map(({ index, finish_reason: reason }) => [index, reason])).to.deep.equal([
      [0, 'length'],
      [1, 'length'],
      [2, 'length'],
    ]);
    expect(usage).to.include({ prompt_tokens: 7, completion_tokens: 3 });
  });

  it('hands on how an answer is drawn', () => {
    expect(requestOf({})).to.deep.equal({
      draw: { temperature: 1, topP: undefined, topK: undefined, minP: undefined, seed: 5 },
      ...{ stop: [], maxTokens: undefined, stream: 0, prompt: { messages: ASKED.messages } },
    });
    const fields = {
      ...{
        temperature: 0.5,
        top_p: 0.9,
        top_k: 40,
        min_p: 0.1,
        seed: 3,
        max_completion_tokens: 9,
        stop: 'END',
      },
      ...{ presence_penalty: 1, frequency_penalty: -1, repetition_penalty: 1.1, logit_bias: { 5: -100 } },
      ...{ logprobs: true, response_format: { type: 'json_object' } },
    };
    expect(requestOf(fields)).to.deep.include({
      draw: { temperature: 0.5, topP: 0.9, topK: 40, minP: 0.1, seed: 3 },
      penalties: { presence: 1, frequency: -1, repetition: 1.1 },
      ...{ bias: { 5: -100 }, stop: ['END'], maxTokens: 9, logprobs: 0, format: { type: 'json_object' } },
    });
    const schema = { type: 'object' };
    const format = { type: 'json_schema', json_schema: { name: 'x', schema } };
    expect(requestOf({ response_format: format }).format).to.deep.equal({ type: 'json_schema', schema });
    expect(requestOf({ temperature: null, stop: null, user: 'me' }).draw.temperature).to.equal(1);
  });

  it('writes messages as templates read them', () => {
    const call = { id: 'a', type: 'function', function: { name: 'rain', arguments: '{"city":"Bern"}' } };
    const messages = [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Rain ' },
          { type: 'text', text: 'in Bern?' },
        ],
        name: 'Ann',
      },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'a', content: 'yes' },
    ];
    expect(requestOf({ messages }).prompt).to.deep.equal({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Rain in Bern?', name: 'Ann' },
        { role: 'assistant', content: '', tool_calls: [call] },
        { role: 'tool', content: 'yes', tool_call_id: 'a' },
      ],
    });
  });

  it('reads calls of tools out of answers, streamed or not', async () => {
    const { post } = fakeServer(fakeModel(saying('Wait', '. ', ...CALL)));
    const asked = { ...ASKED, tools: [TOOL] };
    const choice = (await post(URL, asked)).json()['choices']?.[0];
    const message = choice?.['message'];
    const calls = message?.['tool_calls'];
    expect([message?.['content'], choice?.['finish_reason'], calls?.length]).to.deep.equal([
      'Wait.',
      'tool_calls',
      1,
    ]);
    expect(calls?.[0]).to.deep.include({
      type: 'function',
      function: { name: 'rain', arguments: '{"city":"Bern"}' },
    });
    expect(calls?.[0]?.['id']).to.match(/^call_/);
    const { chunks } = sseEvents((await post(URL, { ...asked, stream: true })).body);
    const deltas = chunks.map(({ choices }) => choices?.[0]?.['delta']);
    expect(deltas.map((delta) => delta?.['content'] ?? '').join('')).to.equal('Wait. ');
    const streamed = deltas.find((delta) => delta?.['tool_calls'] !== undefined)?.['tool_calls'];
    expect(streamed?.[0]).to.deep.include({ index: 0, type: 'function' });
    expect(chunks.at(-1)?.['choices']?.[0]?.['finish_reason']).to.equal('tool_calls');
  });

  it('holds an answer to a call where there has to be one', async () => {
    let seen: CompletionRequest | undefined;
    const { post } = fakeServer(
      fakeModel((request, signal) => {
        seen = request;
        return saying('{"name":"rain",', '"arguments":{"city":"Bern"}}')(request, signal);
      }),
    );
    const choice = { type: 'function', function: { name: 'rain' } };
    const message = (await post(URL, { ...ASKED, tools: [TOOL], tool_choice: choice })).json()[
      'choices'
    ]?.[0]?.['message'];
    expect(message?.['content']).to.equal(null);
    expect(message?.['tool_calls']?.[0]?.['function']).to.deep.equal({
      name: 'rain',
      arguments: '{"city":"Bern"}',
    });
    expect(seen?.format).to.deep.equal({
      type: 'json_schema',
      schema: {
        type: 'object',
        properties: { name: { const: 'rain' }, arguments: TOOL.function.parameters },
        ...{ required: ['name', 'arguments'], additionalProperties: false },
      },
    });
    await post(URL, { ...ASKED, tools: [TOOL], tool_choice: 'none' });
    expect([seen?.format, Object.keys(seen?.prompt ?? {})]).to.deep.equal([undefined, ['messages']]);
  });

  it('lets a function that names no parameters be called with none', async () => {
    let seen: CompletionRequest | undefined;
    const { post } = fakeServer(
      fakeModel((request, signal) => {
        seen = request;
        return saying('{"name":"now","arguments":{}}')(request, signal);
      }),
    );
    const argumentsFor = async (parameters: object | undefined): Promise<unknown> => {
      const tools = [{ type: 'function', function: { name: 'now', parameters } }];
      await post(URL, { ...ASKED, tools, tool_choice: 'required' });
      const { format } = seen ?? {};
      const schema = (format?.type === 'json_schema' ? format.schema : {}) as {
        readonly properties?: { readonly arguments?: unknown };
      };
      return schema.properties?.arguments;
    };
    const none = { type: 'object', properties: {}, additionalProperties: false };
    expect(await argumentsFor(undefined)).to.deep.equal(none);
    expect(await argumentsFor({ type: 'object', properties: {} })).to.deep.equal(none);
    for (const open of [
      { type: 'object' },
      { type: 'object', properties: {}, additionalProperties: true },
      { type: 'object', properties: {}, required: ['a'] },
    ])
      expect(await argumentsFor(open)).to.deep.equal(open);
  });

  const REFUSED: readonly (readonly [object, string | null, RegExp])[] = [
    [{ temprature: 1 }, 'temprature', /did you mean `temperature`/],
    [{ temperature: 2.5 }, 'temperature', /from 0 to 2, not 2.5/],
    [{ temperature: '1' }, 'temperature', /not "1"/],
    [{ model: 'other' }, 'model', /does not exist/],
    [{ model: undefined }, 'model', /must provide a model/],
    [{ messages: [] }, 'messages', /at least one message/],
    [{ messages: 'Hi' }, 'messages', /must be a list/],
    [{ messages: [{ role: 'bot', content: 'x' }] }, 'messages', /messages\[0\]\.role/],
    [{ messages: [{ role: 'user' }] }, 'messages[0].content', /no `content`/],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id', /no `tool_call_id`/],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      'messages[0].content[0]',
      /text only/,
    ],
    [{ stop: Array(17).fill('a') }, 'stop', /at most 16/],
    [{ stop: '' }, 'stop', /1 to 1000/],
    [{ n: 0 }, 'n', /from 1 to 128/],
    [{ max_tokens: 0 }, 'max_tokens', /at least 1/],
    [{ max_tokens: 1, max_completion_tokens: 2 }, 'max_tokens', /contradict/],
    [{ top_logprobs: 2 }, 'top_logprobs', /with `logprobs: true`/],
    [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs', /from 0 to 20/],
    [{ logit_bias: { a: 1 } }, 'logit_bias', /token ids/],
    [{ stream_options: { include_usage: true } }, 'stream_options', /with `stream: true`/],
    [
      { stream: true, stream_options: { continuous_usage_stats: true } },
      'stream_options',
      /continuous_usage/,
    ],
    [{ functions: [TOOL.function] }, 'functions', /write `tools`/],
    [{ modalities: ['audio'] }, 'modalities', /text only/],
    [{ reasoning_effort: 'high' }, 'reasoning_effort', /not supported/],
    [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema.schema', /needs/],
    [{ tool_choice: 'auto' }, 'tool_choice', /with `tools`/],
    [
      { tools: [TOOL], tool_choice: { type: 'function', function: { name: 'snow' } } },
      'tool_choice',
      /does not have/,
    ],
    [{ tools: [TOOL], tool_choice: { type: 'allowed_tools' } }, 'tool_choice', /"required", or `.*"name"/],
    [{ tools: [TOOL], tool_choice: 'any' }, 'tool_choice', /not "any"/],
    [{ tools: [{ type: 'function', function: { name: 'a b' } }] }, 'tools', /letters, digits/],
  ];
  for (const [fields, param, message] of REFUSED)
    it(`refuses ${JSON.stringify(fields).slice(0, 70)}`, async () => {
      const { post, router, told } = fakeServer(fakeModel(saying('x')));
      const { status, json } = await post(URL, { ...ASKED, ...fields });
      const { error } = json();
      expect([status, error?.['type'], error?.['param']]).to.deep.equal([
        'model' in fields && fields.model !== undefined ? 404 : 400,
        'invalid_request_error',
        param,
      ]);
      expect(error?.['message']).to.match(message);
      expect([router.open(), told.ends.length]).to.deep.equal([0, 1]);
    });

  it('takes what has no effect on answers, and values that ask for nothing', async () => {
    const { post } = fakeServer(fakeModel(saying('x')));
    const fields = {
      store: true,
      metadata: { a: 'b' },
      service_tier: 'auto',
      modalities: ['text'],
      functions: [],
    };
    expect((await post(URL, { ...ASKED, ...fields })).status).to.equal(200);
  });

  it('refuses tools and messages that the model has no template for', async () => {
    const plain = fakeServer(fakeModel(saying('x'), { tools: false }));
    expect((await plain.post(URL, { ...ASKED, tools: [TOOL] })).json()['error']).to.include({
      param: 'tools',
    });
    const base = fakeServer(fakeModel(saying('x'), { chats: false }));
    const { status, json } = await base.post(URL, ASKED);
    expect([status, json()['error']?.['code']]).to.deep.equal([400, 'unsupported_model']);
    expect(base.router.open()).to.equal(0);
  });

  it('refuses more tokens than the server allows', async () => {
    const { post } = fakeServer(fakeModel(saying('x')), {
      defaults: { temperature: 1, maxTokens: 10, seed: () => 1 },
    });
    expect((await post(URL, { ...ASKED, max_tokens: 11 })).json()['error']).to.include({
      param: 'max_tokens',
    });
    expect((await post(URL, { ...ASKED, max_tokens: 10 })).status).to.equal(200);
  });
});
