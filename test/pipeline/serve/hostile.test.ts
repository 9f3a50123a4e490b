/** Clients that mean harm, against `ftpc serve`: each is refused in the form of OpenAI's errors, and nobody else is shut out. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { liveBytes } from '../../helpers/live-bytes.js';
import { type ServingProcess, startServing } from '../../helpers/serving-process.js';
import { until } from '../../helpers/until.js';
import { freshFolder } from '../run/worlds.js';

const STARTER = join(nodeHost().packageFolder, 'stdlib/models/starter');
const LIMITS = ['--max-num-seqs', '4', '--max-queue', '8', '--max-model-len', '256', '--threads', '1'];
const CHAT = '/v1/chat/completions';
const MIB = 2 ** 20;

const asked = (more: object = {}) => ({
  ...{ model: 'starter', messages: [{ role: 'user', content: 'Is the MIT License permissive?' }] },
  ...{ temperature: 0, max_tokens: 4, ...more },
});
const schemaOf = (schema: unknown) => ({
  response_format: { type: 'json_schema', json_schema: { name: 'a', schema } },
});

const head = (...headers: readonly string[]): string =>
  [`POST ${CHAT} HTTP/1.1`, 'host: 127.0.0.1', 'content-type: application/json', ...headers, '', ''].join(
    '\r\n',
  );
const requestOf = (body: string): string => `${head(`content-length: ${Buffer.byteLength(body)}`)}${body}`;

/** Fields of a request that ask for what there is not, and the field that is named. */
const ABSURD: readonly (readonly [fields: object, param: string])[] = [
  [{ n: 1e9 }, 'n'],
  [{ n: -1 }, 'n'],
  [{ n: 'all' }, 'n'],
  [{ max_tokens: 1e308 }, 'max_tokens'],
  [{ max_tokens: 2 ** 53 }, 'max_tokens'],
  [{ max_tokens: 0.5 }, 'max_tokens'],
  [{ max_tokens: -1 }, 'max_tokens'],
  [{ logit_bias: { '-1': 1 } }, 'logit_bias'],
  [{ logit_bias: { 5: 1e9 } }, 'logit_bias'],
  [{ logit_bias: [1, 2] }, 'logit_bias'],
  [{ logit_bias: { ['x'.repeat(1e6)]: 1 } }, 'logit_bias'],
  [{ stop: '' }, 'stop'],
  [{ stop: Array.from({ length: 10_000 }, (_, at) => `${at}`) }, 'stop'],
  [{ stop: 'x'.repeat(1e6) }, 'stop'],
  [{ stop: { a: 1 } }, 'stop'],
  [{ temperature: '1e999' }, 'temperature'],
  [{ top_logprobs: 1e6, logprobs: true }, 'top_logprobs'],
  [{ messages: Array.from({ length: 100_000 }, () => ({ role: 'user', content: '' })) }, 'messages'],
  [{ messages: Array.from({ length: 300_000 }, () => ({})) }, 'messages'],
  [{ ['x'.repeat(1e6)]: 1 }, 'x'.repeat(100)],
];

/** What is large and allowed: answered, or refused by the model's limits. */
const LARGE: readonly object[] = [
  { max_tokens: 2 ** 53 - 1 },
  { logit_bias: Object.fromEntries(Array.from({ length: 200 }, (_, id) => [id, -100])) },
  { logit_bias: Object.fromEntries(Array.from({ length: 100_000 }, (_, id) => [id, 1])) },
  { stop: Array.from({ length: 16 }, () => 'x'.repeat(1000)) },
  { n: 128 },
  { messages: [{ role: 'user', content: 'a b '.repeat(900_000) }] },
  { messages: [{ role: 'user', content: 'x'.repeat(3.5e6) }] },
  { messages: Array.from({ length: 10_000 }, () => ({ role: 'user', content: 'Hi' })) },
];

const nested = (depth: number, within: (inner: unknown) => unknown, core: unknown): unknown =>
  Array.from({ length: depth }).reduce(within, core);

/** Schemas that are small to write and long to follow. */
const BOMBS: Readonly<Record<string, unknown>> = {
  'a reference to itself': { $ref: '#' },
  'references in a ring': {
    $ref: '#/$defs/a',
    $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } },
  },
  'a tree in itself': {
    type: 'object',
    properties: { a: { $ref: '#' }, b: { $ref: '#' } },
    required: ['a', 'b'],
  },
  'references that double': {
    $ref: '#/$defs/a0',
    $defs: Object.fromEntries(
      Array.from({ length: 60 }, (_, at) => [
        `a${at}`,
        at === 59 ? { type: 'null' } : { anyOf: [0, 1].map(() => ({ $ref: `#/$defs/a${at + 1}` })) },
      ]),
    ),
  },
  'all of what doubles': {
    $ref: '#/$defs/a0',
    $defs: Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [
        `a${at}`,
        at === 39 ? { type: 'object' } : { allOf: [0, 1].map(() => ({ $ref: `#/$defs/a${at + 1}` })) },
      ]),
    ),
  },
  'values without end': { enum: Array.from({ length: 20_000 }, (_, at) => `v${at}`) },
  'long values': { enum: Array.from({ length: 180 }, (_, at) => `${at}`.repeat(300)) },
  'names without end': {
    type: 'object',
    properties: Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`p${at}`, { type: 'integer' }])),
    additionalProperties: true,
  },
  'lists in lists': nested(90, (inner) => ({ type: 'array', items: inner }), { type: 'integer' }),
  'choices in choices': nested(12, (inner) => ({ anyOf: [inner, { type: 'array', items: inner }] }), {}),
  'schemas within schemas': nested(400, (inner) => ({ allOf: [inner] }), {}),
  'a long string': { type: 'string', minLength: 1e9 },
  'a long list': { type: 'array', items: { type: 'null' }, minItems: 1e9, maxItems: 1e15 },
  'a pattern in itself': { type: 'string', pattern: '^(a+)+$' },
  'a pattern of two ways': { type: 'string', pattern: '^((a|a)*)*b$' },
  'a pattern of counts': { type: 'string', pattern: '^((((a{1,100}){1,100}){1,100}){1,100})$' },
  'a pattern of a large count': { type: 'string', pattern: '^[a-z]{0,1000000000}$' },
  'a pattern of many ways': {
    type: 'string',
    pattern: `^(${Array.from({ length: 400 }, (_, at) => `a{${at}}`).join('|')})*$`,
  },
  'a pattern of 900 groups': { type: 'string', pattern: `${'('.repeat(900)}a${')'.repeat(900)}` },
  'a pattern that looks ahead at every place': { type: 'string', pattern: '(.*a){30}' },
  'numbers at the edge': { type: 'number', minimum: 1e-300, maximum: 1.0000001e-300 },
};

describe('hostile clients of ftpc serve @long', () => {
  let serving: ServingProcess;
  const live = liveBytes();
  let port = 0;
  const sockets: Socket[] = [];

  before(async () => {
    serving = await startServing(freshFolder(), [STARTER, '--quiet', ...LIMITS], live.environment);
    port = Number(new URL(serving.url).port);
  });

  after(async () => {
    serving.process.kill('SIGKILL');
    await serving.ended;
    live.end();
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await answered();
    expect(serving.err()).not.to.contain('bug').and.not.to.contain('warning[');
  });

  /** Somebody else asks. */
  async function answered(): Promise<void> {
    // places of those that are gone are free a moment later
    await until(async () => {
      const { status } = await serving.post(CHAT, asked());
      expect([200, 429]).to.contain(status);
      return status === 200;
    });
  }

  async function dial(sent = ''): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    if (sent !== '') socket.write(sent);
    return socket;
  }

  /** All that is said until the server closes the connection. */
  async function replyTo(sent: string): Promise<string> {
    const socket = await dial(sent);
    let said = '';
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
    });
    // also where the server closes before all was sent, which is an error
    await new Promise((resolve) => socket.once('close', resolve));
    return said;
  }

  interface Refusal {
    readonly status: number;
    readonly param: string | null;
    readonly code: string | null;
  }

  function refusal(status: number, body: string): Refusal {
    const { error, ...more } = JSON.parse(body) as { readonly error: Record<string, unknown> };
    expect(more).to.deep.equal({});
    expect(Object.keys(error)).to.deep.equal(['message', 'type', 'param', 'code']);
    expect(error['message']).to.be.a('string').and.not.to.equal('');
    expect(String(error['message']).length).to.be.below(2000);
    expect(error['type']).to.match(/_error$/);
    const textOf = (value: unknown) => (value === null ? null : String(value));
    return { status, param: textOf(error['param']), code: textOf(error['code']) };
  }

  async function sent(body: string | Buffer | object): Promise<Refusal | 'answered'> {
    const response = await fetch(`${serving.url}${CHAT}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return response.status === 200 ? 'answered' : refusal(response.status, text);
  }

  const refusalIn = (said: string): Refusal => {
    const [top = '', body = ''] = said.split('\r\n\r\n', 2);
    return refusal(Number(/^HTTP\/1\.1 (\d+)/.exec(top)?.[1]), body);
  };

  it('send headers and bodies a byte at a time', async () => {
    const begun = await Promise.all(
      Array.from({ length: 300 }, (_, at) =>
        dial(at % 2 === 0 ? 'POST /v1' : `${head('content-length: 1000')}{`),
      ),
    );
    for (let round = 0; round < 5; round++) {
      for (const socket of begun) socket.write('x');
      await answered();
    }
  });

  it('send 60 MB, or a body that does not end', async () => {
    const size = 60 * MIB;
    expect(refusalIn(await replyTo(`${head(`content-length: ${size}`)}{`))).to.include({
      status: 413,
      code: 'body_too_large',
    });
    const socket = await dial(head('transfer-encoding: chunked'));
    let said = '';
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
    });
    // a body that does not end is answered as soon as it is too large; who sends on, hears of a closed connection alone
    const step = 2 ** 16;
    const chunk = `${step.toString(16)}\r\n${' '.repeat(step)}\r\n`;
    for (let at = 0; at <= (4 * MIB) / step; at++)
      await new Promise((resolve) => socket.write(chunk, resolve));
    await until(() => said.includes('\r\n\r\n{') || socket.destroyed);
    expect(refusalIn(said)).to.include({ status: 413, code: 'body_too_large' });
  });

  it('send what is no JSON', async () => {
    const deep = 200_000;
    const bodies = [
      `${'['.repeat(deep)}${']'.repeat(deep)}`,
      `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`,
      Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
      Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
      `{"model":"starter","messages":[{"role":"user","content":"${'\\u'.repeat(1000)}"}]}`,
      `${'9'.repeat(1e6)}e${'9'.repeat(1e6)}`,
      '\u0000'.repeat(1000),
    ];
    for (const body of bodies) {
      const found = await sent(body);
      expect(found).to.include({ status: 400 });
      expect((found as Refusal).code).to.be.oneOf(['invalid_json', 'invalid_type']);
    }
  });

  it('hold 1,000 connections open, some with half a request', async () => {
    const half = requestOf(JSON.stringify(asked())).slice(0, -1);
    for (let at = 0; at < 1000; at++) await dial(at % 4 === 0 ? half : '');
    await answered();
  });

  it('send the next requests before the first is answered', async () => {
    const socket = await dial('GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'.repeat(500));
    let said = '';
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
    });
    const statuses = () => [...said.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
    await until(() => statuses().length === 500);
    expect(new Set(statuses())).to.deep.equal(new Set([200]));
    said = '';
    socket.write(requestOf(JSON.stringify(asked())).repeat(40));
    await until(() => statuses().length === 40);
    // those that find the queue full are told so
    expect(statuses()[0]).to.equal(200);
    for (const status of statuses()) expect(status).to.be.oneOf([200, 429]);
  });

  it('send floods of headers, and bodies in chunks that are none', async () => {
    const many = Array.from({ length: 3000 }, (_, at) => `x${at}: y`);
    const [long, longer] = [20_000, MIB].map((length) => 'x'.repeat(length));
    // what is still sent when the server closes takes its answer away
    await replyTo(head(`x: ${longer}`));
    await replyTo(`${head('transfer-encoding: chunked')}2;${longer}\r\n{}\r\n0\r\n\r\n`);
    const wrong: readonly (readonly [sent: string, status: number])[] = [
      [head(`x: ${long}`), 431],
      [head(...many), 431],
      [`${head('transfer-encoding: chunked')}zz\r\n{}\r\n0\r\n\r\n`, 400],
      [`${head('transfer-encoding: chunked')}-1\r\n{}\r\n0\r\n\r\n`, 400],
      [`${head('transfer-encoding: chunked')}fffffffffffffffff\r\n{}\r\n0\r\n\r\n`, 400],
      [`${head('transfer-encoding: chunked')}2;${long}\r\n{}\r\n0\r\n\r\n`, 400],
      [`${head('transfer-encoding: chunked', 'content-length: 2')}2\r\n{}\r\n0\r\n\r\n`, 400],
      [`${head('content-length: 2', 'content-length: 3')}{}`, 400],
      [`${head('content-length: -2')}{}`, 400],
      [`${head('content-length: 1e3')}{}`, 400],
      ['GET / HTTP/9.9\r\n\r\n', 400],
      ['\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 400],
    ];
    for (const [text, status] of wrong)
      expect(refusalIn(await replyTo(text)), text.slice(0, 200)).to.include({ status });
  });

  it('leave while they are answered', async () => {
    const body = JSON.stringify(asked({ stream: true, max_tokens: 200 }));
    for (let round = 0; round < 5; round++) {
      const begun = await Promise.all(Array.from({ length: 8 }, () => dial(requestOf(body))));
      const [first] = begun;
      if (first !== undefined) await once(first, 'data');
      for (const socket of begun) socket.resetAndDestroy();
    }
    await until(async () => {
      const metrics = await (await fetch(`${serving.url}/metrics`)).text();
      return ['running', 'waiting'].every((name) =>
        new RegExp(`^vllm:num_requests_${name}\\{.*\\} 0$`, 'm').test(metrics),
      );
    });
  });

  it('ask for what there is not', async () => {
    for (const [fields, param] of ABSURD) {
      const found = await sent(asked(fields));
      expect(found, JSON.stringify(fields).slice(0, 100)).to.include({ status: 400, param });
    }
  });

  it('ask for much', async () => {
    for (const fields of LARGE) {
      const [found] = await Promise.all([sent(asked(fields)), answered()]);
      if (found !== 'answered')
        expect(found.status, JSON.stringify(fields).slice(0, 100)).to.be.oneOf([400, 429]);
    }
  });

  for (const [what, schema] of Object.entries(BOMBS))
    it(`send a schema: ${what}`, async () => {
      const [found] = await Promise.all([sent(asked({ ...schemaOf(schema), max_tokens: 8 })), answered()]);
      if (found !== 'answered') expect(found.status).to.equal(400);
    });

  if (process.platform === 'linux')
    it('leave nothing in its memory', async () => {
      const pid = serving.process.pid ?? 0;
      const [model = 0] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
        .trim()
        .split(' ')
        .map(Number);
      const round = async (): Promise<void> => {
        for (let at = 0; at < 10; at++) {
          await sent(`${'['.repeat(1.5e6)}${']'.repeat(1.5e6)}`);
          await replyTo(`${head(`content-length: ${60 * MIB}`)}{`);
          await sent(asked({ messages: Array.from({ length: 300_000 }, () => ({})) }));
          await sent(
            asked({
              ...schemaOf({ type: 'object', properties: { [`a${at}`]: { type: 'integer' } } }),
              seed: at,
            }),
          );
        }
      };
      const held = async () => [await live.of(pid), await live.of(model)];
      await round();
      const before = await held();
      for (let rounds = 0; rounds < 3; rounds++) await round();
      // one of those bodies is 3 MB or more
      for (const [at, bytes] of (await held()).entries())
        expect(bytes).to.be.below((before[at] ?? 0) + 2 * MIB);
    });
});
