import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { apiKey } from '../../../../src/pipeline/serve/http/keys.js';
import { ownNames } from '../../../../src/pipeline/serve/http/listen-address.js';
import { ModelEndedError } from '../../../../src/pipeline/serve/model-process.js';
import { NoModelError } from '../../../../src/pipeline/serve/router.js';
import { fakeModel, fakeServer, saying, silent } from '../../../helpers/served-model.js';
import { sseEvents } from '../../../helpers/sse.js';

const URL = '/v1/chat/completions';
const ASKED = { model: 'fake', messages: [{ role: 'user', content: 'Hi' }] };
const KEY = 'a-key-that-nobody-guesses';

/** A model whose answers fail after some text, or before any. */
const failing = (error: Error, texts: readonly string[] = []) =>
  fakeModel(async function* () {
    yield { type: 'start', promptTokens: 7, cachedTokens: 0 };
    for (const text of texts) yield { type: 'text', text, tokens: [1] };
    throw error;
  });

describe('the server', () => {
  it('lists its model, and says that it lives and is ready', async () => {
    const { app } = fakeServer(fakeModel(saying('x')));
    const card = { id: 'fake', object: 'model', created: 1, owned_by: 'ftpc' };
    expect((await app.inject('/v1/models')).json()).to.deep.equal({ object: 'list', data: [card] });
    expect((await app.inject('/v1/models/fake')).json()).to.deep.equal(card);
    expect((await app.inject('/v1/models/other')).statusCode).to.equal(404);
    expect((await app.inject('/health')).statusCode).to.equal(200);
    expect((await app.inject('/ready')).json()).to.deep.equal({ status: 'ready' });
  });

  it('gives the tokens of a prompt', async () => {
    const { post, router } = fakeServer(fakeModel(saying('x')));
    const { json } = await post('/tokenize', { model: 'fake', prompt: 'abc' });
    expect(json()).to.deep.equal({ count: 3, max_model_len: 1000, tokens: [0, 1, 2] });
    expect((await post('/tokenize', { messages: ASKED.messages })).json()['tokens']).to.deep.equal([1, 2, 3]);
    expect((await post('/tokenize', {})).status).to.equal(400);
    expect(router.open()).to.equal(0);
  });

  it('names no folder of the machine where a prompt has no tokens', async () => {
    const error = new UserError({
      ...{
        code: 'no_chat_template',
        severity: 'error',
        message: '`/home/ana/models/x` has no chat template',
      },
      ...{ file: '', line: 0, column: 0, endLine: 0, endColumn: 0, fixes: [] },
    });
    const model = {
      ...fakeModel(saying('x'), { label: '/home/ana/models/x' }),
      tokensOf: () => Promise.reject(error),
    };
    const { status, json } = await fakeServer(model).post('/tokenize', { messages: ASKED.messages });
    expect(status).to.equal(400);
    expect(json()['error']?.['message']).to.equal('`fake` has no chat template');
  });

  it('asks for a key, but not for whether it lives', async () => {
    const { app, post } = fakeServer(fakeModel(saying('x')), {
      keys: [apiKey('A', KEY), apiKey('B', `${KEY}2`)],
    });
    const none = await post(URL, ASKED);
    expect([none.status, none.headers['www-authenticate'], none.json()['error']?.['code']]).to.deep.equal([
      401,
      'Bearer',
      'missing_api_key',
    ]);
    const wrong = await post(URL, ASKED, { authorization: `Bearer ${KEY}3` });
    expect([wrong.status, wrong.json()['error']?.['code']]).to.deep.equal([401, 'invalid_api_key']);
    for (const key of [KEY, `${KEY}2`])
      expect((await post(URL, ASKED, { authorization: `Bearer ${key}` })).status).to.equal(200);
    expect((await app.inject('/v1/models')).statusCode).to.equal(401);
    expect((await app.inject('/tokenize')).statusCode).to.equal(405);
    expect((await app.inject('/health')).statusCode).to.equal(200);
    expect((await app.inject('/ready')).statusCode).to.equal(200);
  });

  it('counts requests per key', async () => {
    const { post } = fakeServer(fakeModel(saying('x')), {
      keys: [apiKey('A', KEY), apiKey('B', `${KEY}2`)],
      rate: { requests: 2, seconds: 3600 },
    });
    const ask = (key: string) => post(URL, ASKED, { authorization: `Bearer ${key}` });
    expect((await ask(KEY)).headers['x-ratelimit-remaining-requests']).to.equal('1');
    await ask(KEY);
    const over = await ask(KEY);
    expect([over.status, over.json()['error']?.['code']]).to.deep.equal([429, 'rate_limit_exceeded']);
    expect(Number(over.headers['retry-after'])).to.be.within(1700, 1800);
    expect((await ask(`${KEY}2`)).status).to.equal(200);
  });

  it('says that it is busy when its queue is full, and takes the next when a place is free', async () => {
    const { post, router, told } = fakeServer(fakeModel(silent(), { rows: 1 }), {
      queue: 1,
      timeoutSeconds: 0.2,
    });
    const both = [post(URL, ASKED), post(URL, ASKED)];
    await new Promise(setImmediate);
    while (router.open() < 2) await new Promise(setImmediate);
    const third = await post(URL, ASKED);
    expect([third.status, third.json()['error']?.['code'], third.headers['retry-after']]).to.deep.equal([
      429,
      'queue_full',
      '1',
    ]);
    for (const { status } of await Promise.all(both)) expect(status).to.equal(504);
    expect((await post(URL, ASKED)).status).to.equal(504);
    expect(router.open()).to.equal(0);
    expect(told.ends.map(({ status, reason }) => `${status} ${reason}`)).to.have.members([
      ...['429 error', '504 timeout', '504 timeout', '504 timeout'],
    ]);
  });

  it('keeps no place for requests that a model refuses because its process has ended', async () => {
    let isUp = false;
    const there = fakeModel(saying('x'), { rows: 1 });
    const { post } = fakeServer(
      {
        ...there,
        complete: (request, signal) => {
          if (!isUp) throw new NoModelError('the model is started again', 1);
          return there.complete(request, signal);
        },
      },
      { queue: 1 },
    );
    for (let request = 0; request < 5; request++) expect((await post(URL, ASKED)).status).to.equal(503);
    isUp = true;
    expect((await post(URL, ASKED)).status).to.equal(200);
  });

  it('takes a user for the same one on both routes, and nobody who asks through this machine', async () => {
    const { post, told } = fakeServer(fakeModel(saying('x')));
    for (const user of [undefined, '', 'ana']) {
      await post(URL, { ...ASKED, user });
      await post('/v1/completions', { model: 'fake', prompt: 'A', user });
    }
    expect(told.ends.map(({ user }) => user)).to.deep.equal([
      ...[undefined, undefined, undefined, undefined, 'ana', 'ana'],
    ]);
  });

  const FAILURES: readonly (readonly [string, Error, number, string])[] = [
    ['a model that ended', new ModelEndedError('the process ended'), 503, 'model_unavailable'],
    ['no model', new NoModelError('none', 7), 503, 'model_unavailable'],
    [
      'a prompt that is too long',
      new UserError({ code: 'FTP0707', severity: 'error', message: 'too long' }),
      400,
      'context_length_exceeded',
    ],
    [
      'an empty prompt',
      new UserError({ code: 'empty_prompt', severity: 'error', message: 'empty' }),
      400,
      'empty_string',
    ],
    [
      'another mistake',
      new UserError({ code: 'FTP2002', severity: 'error', message: 'a schema', help: 'another' }),
      400,
      'FTP2002',
    ],
    ['a bug', new Error('secret trace'), 500, 'internal_error'],
  ];
  for (const [what, error, status, code] of FAILURES)
    it(`tells of ${what}, also in a stream that has begun`, async () => {
      const { post, bugs, router, told } = fakeServer(failing(error));
      const response = await post(URL, ASKED);
      expect([response.status, response.json()['error']?.['code']]).to.deep.equal([status, code]);
      expect(response.body).not.to.contain('secret');
      const begun = fakeServer(failing(error, ['Hello']));
      const { chunks, done } = sseEvents((await begun.post(URL, { ...ASKED, stream: true })).body);
      expect([done, chunks.at(-1)?.['error']?.['code']]).to.deep.equal([false, code]);
      expect(bugs.length).to.equal(status === 500 ? 1 : 0);
      expect(router.open() + begun.router.open()).to.equal(0);
      expect(told.ends.map(({ errorCode }) => errorCode)).to.deep.equal([code]);
    });

  it('tells clients nothing of folders', async () => {
    const wrong = new UserError({
      code: 'FTP0707',
      severity: 'error',
      message: 'too long for `/home/ana/model`',
    });
    const model = { ...failing(wrong), info: { ...fakeModel(saying()).info, label: '/home/ana/model' } };
    expect((await fakeServer(model).post(URL, ASKED)).json()['error']?.['message']).to.equal(
      'too long for `fake`',
    );
    const begun = { ...failing(wrong, ['Hello']), info: model.info };
    const { chunks } = sseEvents((await fakeServer(begun).post(URL, { ...ASKED, stream: true })).body);
    expect(chunks.at(-1)?.['error']?.['message']).to.equal('too long for `fake`');
  });

  it('answers requests of other names only where a key is needed', async () => {
    const { app } = fakeServer(fakeModel(saying('x')), { hosts: ownNames({ host: '127.0.0.1', port: 1 }) });
    const statusFor = async (host: string) =>
      (await app.inject({ url: '/v1/models', headers: { host } })).statusCode;
    expect(await statusFor('localhost:8000')).to.equal(200);
    expect(await statusFor('127.0.0.1:8000')).to.equal(200);
    expect(await statusFor('[::1]:8000')).to.equal(200);
    expect(await statusFor('evil.example')).to.equal(403);
    expect(ownNames({ host: '0.0.0.0', port: 1 })).to.equal(undefined);
  });

  it('lets pages of an origin ask only if it was told so', async () => {
    const closed = fakeServer(fakeModel(saying('x')));
    const open = fakeServer(fakeModel(saying('x')), {
      origins: ['https://a.example'],
      keys: [apiKey('A', KEY)],
    });
    const asks = async ({ app }: typeof open, origin: string) => {
      const { statusCode, headers } = await app.inject({ method: 'OPTIONS', url: URL, headers: { origin } });
      return [statusCode, headers['access-control-allow-origin']];
    };
    expect(await asks(closed, 'https://a.example')).to.deep.equal([405, undefined]);
    expect(await asks(open, 'https://a.example')).to.deep.equal([204, 'https://a.example']);
    expect(await asks(open, 'https://b.example')).to.deep.equal([405, undefined]);
    const refused = await open.post(URL, ASKED, { origin: 'https://a.example' });
    expect([refused.status, refused.headers['access-control-allow-origin']]).to.deep.equal([
      401,
      'https://a.example',
    ]);
  });

  it('lets such a page send the headers that it asks for, as clients of OpenAI send many', async () => {
    const { app } = fakeServer(fakeModel(saying('x')), { origins: ['https://a.example'] });
    const allowed = async (wanted?: string) => {
      const asking = { origin: 'https://a.example', 'access-control-request-method': 'POST' };
      const headers = { ...asking, ...(wanted && { 'access-control-request-headers': wanted }) };
      const answer = await app.inject({ method: 'OPTIONS', url: URL, headers });
      expect(answer.headers['vary']).to.include('access-control-request-headers');
      return answer.headers['access-control-allow-headers'];
    };
    const wanted = 'authorization,content-type,x-stainless-arch,x-stainless-retry-count';
    expect(await allowed(wanted)).to.equal(wanted);
    expect(await allowed()).to.equal('authorization, content-type');
    expect(await allowed('a b:c')).to.equal('authorization, content-type');
  });

  it('knows no other routes', async () => {
    const { post } = fakeServer(fakeModel(saying('x')));
    const { status, json } = await post('/chat/completions', ASKED);
    expect([status, json()['error']?.['code']]).to.deep.equal([404, 'unknown_url']);
  });

  it('says by which method a route is asked', async () => {
    const { app } = fakeServer(fakeModel(saying('x')));
    const asked = async (method: 'GET' | 'POST' | 'DELETE', url: string) => {
      const { statusCode, headers, json } = await app.inject({ method, url });
      return [statusCode, headers['allow'], json<{ error: { code: string } }>().error.code];
    };
    expect(await asked('GET', `${URL}?a=b`)).to.deep.equal([405, 'POST', 'method_not_allowed']);
    expect(await asked('DELETE', '/v1/models/fake')).to.deep.equal([405, 'GET, HEAD', 'method_not_allowed']);
    expect(await asked('POST', '/v1/models/fake/more')).to.deep.equal([404, undefined, 'unknown_url']);
  });

  it('says so whatever is sent along', async () => {
    const { app } = fakeServer(fakeModel(saying('x')));
    const asked = async (method: 'DELETE' | 'PUT' | 'POST' | 'OPTIONS', url: string, more: object) =>
      (await app.inject({ method, url, ...more })).statusCode;
    const json = { 'content-type': 'application/json' };
    const large = 'x'.repeat(100_000);
    for (const more of [
      { headers: json },
      { headers: json, payload: '{"model":' },
      { headers: { 'content-type': 'text/plain' }, payload: large },
    ]) {
      expect(await asked('DELETE', '/v1/models/fake', more)).to.equal(405);
      expect(await asked('PUT', URL, more)).to.equal(405);
      expect(await asked('OPTIONS', URL, more)).to.equal(405);
      expect(await asked('POST', '/v1/embeddings', more)).to.equal(404);
    }
  });

  const BODIES: readonly (readonly [string, string | Buffer, number, string])[] = [
    ['nothing', '', 400, 'invalid_json'],
    ['half an object', '{"model":', 400, 'invalid_json'],
    ['a list', '[]', 400, 'invalid_type'],
    [
      'bytes that are no UTF-8',
      Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]),
      400,
      'invalid_json',
    ],
    ['lists in lists', '['.repeat(40_000), 400, 'invalid_json'],
    [
      'deep values',
      `{"model":"fake","messages":${'['.repeat(1000)}${']'.repeat(1000)}}`,
      400,
      'invalid_json',
    ],
    [
      'a prototype',
      '{"model":"fake","messages":[{"role":"user","content":"x","__proto__":{"a":1}}]}',
      400,
      'invalid_json',
    ],
    ['an escaped prototype', '{"\\u005f_proto__":{"a":1}}', 400, 'invalid_json'],
    ['a constructor', '{"constructor":{"prototype":{"a":1}}}', 400, 'unknown_parameter'],
    ['too much', JSON.stringify({ ...ASKED, user: 'x'.repeat(100_000) }), 413, 'body_too_large'],
  ];
  for (const [what, body, status, code] of BODIES)
    it(`survives a body of ${what}`, async () => {
      const { post, bugs } = fakeServer(fakeModel(saying('x')));
      const response = await post(URL, body);
      expect([response.status, response.json()['error']?.['code']]).to.deep.equal([status, code]);
      expect(bugs).to.deep.equal([]);
      expect((await post(URL, ASKED)).status).to.equal(200);
    });

  it('reads JSON only, so that a page cannot send it without being asked', async () => {
    const { post } = fakeServer(fakeModel(saying('x')));
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'text/json', 'json', ''])
      expect((await post(URL, ASKED, { 'content-type': type })).status, type).to.equal(415);
    const { json } = await post(URL, ASKED, { 'content-type': 'text/plain' });
    expect(json()['error']?.['code']).to.equal('unsupported_media_type');
    for (const type of [
      'application/json; charset=utf-8',
      'application/json;charset=UTF-8',
      'Application/JSON ; charset="utf-8"',
      'application/json; odata=verbose',
    ])
      expect((await post(URL, ASKED, { 'content-type': type })).status, type).to.equal(200);
  });

  it('reads no body that is compressed, and says how it is to be sent', async () => {
    const { post } = fakeServer(fakeModel(saying('x')));
    const { status, headers, json } = await post(URL, gzipSync(JSON.stringify(ASKED)), {
      'content-encoding': 'gzip',
    });
    expect([status, headers['accept-encoding'], json()['error']?.['code']]).to.deep.equal([
      415,
      'identity',
      'unsupported_media_type',
    ]);
    expect((await post(URL, ASKED, { 'content-encoding': 'identity' })).status).to.equal(200);
  });
});
