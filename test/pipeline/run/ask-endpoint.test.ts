import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { expect } from 'chai';
import { UserError } from '../../../src/language/diagnostics/types.js';
import type { Value } from '../../../src/language/ir/program.js';
import { openEndpoint } from '../../../src/pipeline/run/ask-endpoint.js';
import { SPAN } from '../../compute/evaluation/tiny.js';
import { fakeModel, fakeServer, saying } from '../../helpers/served-model.js';

type Handle = (response: ServerResponse, request: IncomingMessage, body: string) => void;

const KEY = 'sk-very-secret';
const reply = (content: string): string =>
  JSON.stringify({ choices: [{ message: { role: 'assistant', content } }] });
const good: Handle = (response) => response.end(reply('{"score": 4}'));
const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Handle =>
  (response) =>
    response.writeHead(code, headers).end(body);

describe('an endpoint that judges', () => {
  let server: Server;
  let url = '';
  /** What the server does with each request, in turn; the last one with all others. */
  let script: Handle[] = [];
  const seen: { readonly path: string; readonly key: string; readonly body: string }[] = [];
  beforeEach(async () => {
    seen.length = 0;
    server = createServer(async (request, response) => {
      const body = await textOf(request);
      seen.push({ path: request.url ?? '', key: request.headers.authorization ?? '', body });
      (script.length > 1 ? script.shift() : script[0])?.(response, request, body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  });
  afterEach(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });

  const ask = async (args: Readonly<Record<string, Value>> = {}, times = 1): Promise<string> => {
    const call = {
      call: 'endpoint',
      args: { url, model: 'judge', timeout: 1, max_tokens: 64, concurrency: 1, ...args },
    };
    const options = { at: SPAN, signal: new AbortController().signal, pauses: [1, 1, 1] };
    const endpoint = await openEndpoint({ env: () => KEY }, call, options);
    const one = () => endpoint.ask({ messages: [{ role: 'user', content: 'How good is it?' }], schema: {} });
    let last = await one();
    for (let more = 1; more < times; more++) last = await one();
    return last;
  };
  const problem = async (args: Readonly<Record<string, Value>> = {}) => {
    try {
      await ask(args);
    } catch (error) {
      if (error instanceof UserError) return error.diagnostic;
      throw error;
    }
    throw new Error('it answered');
  };

  it('answers', async () => {
    script = [good];
    expect(await ask({ key: { secret: 'judge_key', env: 'JUDGE_KEY' } })).to.equal('{"score": 4}');
    expect(seen[0]?.path).to.equal('/v1/chat/completions');
    expect(seen[0]?.key).to.equal(`Bearer ${KEY}`);
    expect(JSON.parse(seen[0]?.body ?? '')).to.deep.include({
      model: 'judge',
      temperature: 0,
      max_tokens: 64,
    });
  });

  const PASSING: Readonly<Record<string, Handle>> = {
    '429 with Retry-After': status(429, { 'retry-after': '1' }),
    '500': status(500),
    '503': status(503),
    'a cut connection': (response) => response.destroy(),
    'a cut answer': (response) => {
      response.writeHead(200, { 'content-length': '1000' }).write(reply('{"score": 4}').slice(0, 20));
      setTimeout(() => response.destroy(), 20);
    },
    'an answer that is no JSON': (response) => response.end('<html>Bad gateway</html>'),
    'an empty answer': (response) => response.end(),
    silence: () => {},
    'an answer without end': (response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(' '), 5);
      response.on('close', () => clearInterval(drip));
    },
  };
  for (const [name, fault] of Object.entries(PASSING))
    it(`is asked again after ${name}`, async () => {
      script = [fault, good];
      expect(await ask(name === 'an answer without end' ? { timeout: 0.2 } : {})).to.equal('{"score": 4}');
      expect(seen).to.have.length(2);
    });

  it('is given up where it stays so', async () => {
    script = [status(500)];
    const found = await problem();
    expect(found.code).to.equal('FTP2174');
    expect(seen).to.have.length(4);
  });
  it('is given up at once where it asks to be waited for too long', async () => {
    script = [status(429, { 'retry-after': '86400' })];
    expect((await problem()).code).to.equal('FTP2174');
    expect(seen).to.have.length(1);
  });
  it('is not asked again where it refuses, and its words are shown without the key', async () => {
    script = [status(401, {}, JSON.stringify({ error: { message: `Incorrect API key provided: ${KEY}` } }))];
    const found = await problem({ key: { secret: 'judge_key', env: 'JUDGE_KEY' } });
    expect(found.code).to.equal('FTP2175');
    expect(JSON.stringify(found)).to.include('Incorrect API key').and.not.include(KEY);
    expect(seen).to.have.length(1);
  });
  it('is asked without what it does not take', async () => {
    script = [
      status(400, {}, JSON.stringify({ error: { message: 'response_format is unknown' } })),
      status(400, {}, JSON.stringify({ error: { message: 'temperature must be 1' } })),
      good,
    ];
    expect(await ask()).to.equal('{"score": 4}');
    const [first, second, third] = seen.map(({ body }) => Object.keys(JSON.parse(body) as object));
    expect(first).to.include('response_format');
    expect(second).to.include('temperature').and.not.include('response_format');
    expect(third).to.not.include('temperature');
  });
  it('may decline a text and go on: what it takes of others stays as it is', async () => {
    const filtered = status(400, {}, JSON.stringify({ error: { message: `filtered for ${KEY}` } }));
    script = [good, filtered, good];
    const key = { secret: 'judge_key', env: 'JUDGE_KEY' };
    expect(await ask({ key }, 3)).to.equal('{"score": 4}');
    for (const { body } of seen)
      expect(Object.keys(JSON.parse(body) as object)).to.include('response_format');
    script = [good, filtered];
    expect(await ask({ key }, 2)).to.equal('status 400: filtered for ***');
    // a model that is no longer there is no matter of the text
    script = [good, status(404)];
    expect(await ask({ key }, 2).catch(({ diagnostic }: UserError) => diagnostic.code)).to.equal('FTP2175');
  });
  it('answers in parts, declines, or repeats the key', async () => {
    const message =
      (one: object): Handle =>
      (response) =>
        response.end(JSON.stringify({ choices: [{ message: one }] }));
    const key = { secret: 'judge_key', env: 'JUDGE_KEY' };
    for (const [one, expected] of [
      [
        {
          content: [{ type: 'thinking', thinking: [] }, { type: 'text', text: '{"score":' }, { text: ' 4}' }],
        },
        '{"score": 4}',
      ],
      [{ content: null, refusal: 'I cannot judge that.' }, 'I cannot judge that.'],
      [{ content: null }, ''],
      [{ content: `{"score": 4, "reason": "${KEY}"}` }, '{"score": 4, "reason": "***"}'],
    ] as const) {
      script = [message(one)];
      expect(await ask({ key })).to.equal(expected);
    }
  });
  it('says its only model', async () => {
    script = [(response) => response.end(JSON.stringify({ data: [{ id: 'mine' }] })), good];
    await ask({ model: null });
    expect(JSON.parse(seen[1]?.body ?? '')).to.include({ model: 'mine' });
  });
  it('has to be told which of several', async () => {
    script = [(response) => response.end(JSON.stringify({ data: [{ id: 'one' }, { id: 'other' }] }))];
    const found = await problem({ model: null });
    expect(found.code).to.equal('FTP2175');
    expect(found.notes?.[0]).to.include('name one');
  });

  it('may be `ftpc serve`, which is held to the schema', async () => {
    const formats: unknown[] = [];
    const model = fakeModel(async function* (request, signal) {
      formats.push(request.format);
      yield* saying('{"score": ', '4}')(request, signal);
    });
    const { app } = fakeServer(model);
    url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/v1`;
    expect(await ask({ model: null })).to.equal('{"score": 4}');
    expect(formats).to.have.nested.property('[0].type', 'json_schema');
    await app.close();
  });
});
