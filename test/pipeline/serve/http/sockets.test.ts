import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import type { ServerOptions } from '../../../../src/pipeline/serve/http/server.js';
import type { ServedModel } from '../../../../src/pipeline/serve/model.js';
import { type FakeServer, fakeModel, fakeServer, saying, silent } from '../../../helpers/served-model.js';
import { until } from '../../../helpers/until.js';

const PATH = '/v1/chat/completions';
const ASKED = { model: 'fake', messages: [{ role: 'user', content: 'Hi' }] };
const POST = { method: 'POST', headers: { 'content-type': 'application/json' } } as const;

interface Listening extends FakeServer {
  readonly url: string;
  readonly port: number;
}

/** What connects to a real socket. */
describe('connections', () => {
  const open: FakeServer[] = [];
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const { app } of open.splice(0)) {
      app.server.closeAllConnections();
      await app.close();
    }
  });

  async function listen(model: ServedModel, options: Partial<ServerOptions> = {}): Promise<Listening> {
    const server = fakeServer(model, options);
    open.push(server);
    await server.app.listen({ port: 0, host: '127.0.0.1' });
    const address = server.app.server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    return { ...server, port, url: `http://127.0.0.1:${port}${PATH}` };
  }

  async function dial(port: number, sent: string): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(sent);
    return socket;
  }

  it('streams as the model answers', async () => {
    const going: (() => void)[] = [];
    const model = fakeModel(async function* () {
      yield { type: 'start', promptTokens: 1, cachedTokens: 0 };
      for (const word of ['a', 'b']) {
        yield { type: 'text', text: word, tokens: [1] };
        await new Promise<void>((resolve) => going.push(resolve));
      }
      yield { type: 'end', reason: 'stop', promptTokens: 1, answerTokens: 2, seconds: 0 };
    });
    const { url, told } = await listen(model);
    const { body } = await fetch(url, { ...POST, body: JSON.stringify({ ...ASKED, stream: true }) });
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    let read = '';
    for (const [word, next] of [
      ['"a"', () => going.shift()?.()],
      ['"b"', () => going.shift()?.()],
      ['[DONE]', () => {}],
    ] as const) {
      while (!read.includes(word)) read += (await reader?.read())?.value ?? '';
      if (word === '"a"') expect(read).not.to.contain('"b"');
      await until(() => word === '[DONE]' || going.length > 0);
      next();
    }
    await until(() => told.ends.length === 1);
    expect(told.ends[0]).to.include({ status: 200, reason: 'stop', streamed: true, answerTokens: 2 });
  });

  for (const stream of [true, false])
    it(`cancels when the client goes, ${stream ? 'while it reads a stream' : 'before the answer'}`, async () => {
      const reasons: unknown[] = [];
      const { url, told, router } = await listen(fakeModel(silent((reason) => reasons.push(reason))));
      const client = new AbortController();
      const asked = fetch(url, {
        ...POST,
        signal: client.signal,
        body: JSON.stringify({ ...ASKED, stream }),
      });
      void asked.catch(() => {});
      await until(() => router.open() === 1);
      client.abort();
      await until(() => told.ends.length === 1 && router.open() === 0);
      expect(told.ends[0]).to.include({ status: 499, reason: 'abort' });
      expect(reasons.length).to.equal(1);
    });

  it('gives the place back of an answer that nobody reads', async () => {
    const words = Array.from({ length: 3000 }, () => 'x'.repeat(1000));
    let isComputed = false;
    const model = fakeModel(async function* (request, signal) {
      yield* saying(...words)(request, signal);
      isComputed = true;
    });
    const { port, router } = await listen(model);
    const body = JSON.stringify({ ...ASKED, stream: true });
    const socket = await dial(
      port,
      `POST ${PATH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    socket.pause();
    await until(() => isComputed && router.open() === 0);
    expect(socket.bytesRead).to.be.lessThan(3_000_000);
  });

  it('closes connections whose headers or bodies do not come', async () => {
    const { port, url } = await listen(fakeModel(saying('x')), {
      waits: { headers: 50, request: 100, idle: 50, look: 20 },
    });
    const head = `POST ${PATH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n`;
    const slow = await Promise.all(
      ['', 'POST /v1', head, `${head}content-length: 100\r\n\r\n{`].map((sent) => dial(port, sent)),
    );
    const ends = await Promise.all(slow.map((socket) => text(socket)));
    for (const end of ends) expect(end === '' || end.startsWith('HTTP/1.1 408')).to.equal(true);
    expect((await fetch(url, { ...POST, body: JSON.stringify(ASKED) })).status).to.equal(200);
  });

  it('answers what is no HTTP in the form of all errors', async () => {
    const { port } = await listen(fakeModel(saying('x')));
    const answer = await text(await dial(port, 'HELLO\r\n\r\n'));
    expect(answer)
      .to.match(/^HTTP\/1\.1 400 /)
      .and.to.contain('"invalid_request_error"');
    const large = await text(await dial(port, `GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`));
    expect(large).to.match(/^HTTP\/1\.1 431 /);
  });

  it('shuts nobody out, however many connections say nothing or send half a request', async () => {
    const { port, url } = await listen(fakeModel(saying('x')), { connections: 100 });
    const half = `POST ${PATH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`;
    for (let at = 0; at < 300; at++) await dial(port, at % 2 === 0 ? '' : half);
    expect((await fetch(url, { ...POST, body: JSON.stringify(ASKED) })).status).to.equal(200);
  });

  const GET = 'GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n';
  const COMPLETION = ((body: string) =>
    `POST ${PATH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)(
    JSON.stringify(ASKED),
  );

  it('answers one request of a connection at a time, in their order', async () => {
    let running = 0;
    let most = 0;
    const model = fakeModel(async function* (request, signal) {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      yield* saying('x')(request, signal);
    });
    const { port } = await listen(model);
    const socket = await dial(port, `${COMPLETION.repeat(20)}${GET}`);
    let said = '';
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until(() => said.includes('"object":"list"'));
    expect(said.match(/HTTP\/1\.1 200/g)?.length).to.equal(21);
    expect(most).to.equal(1);
  });

  it('begins nothing more of a connection that is closed', async () => {
    let begun = 0;
    const { port, told } = await listen(
      fakeModel((request, signal) => {
        begun++;
        return silent(() => {})(request, signal);
      }),
    );
    const socket = await dial(port, COMPLETION.repeat(20));
    await until(() => begun === 1);
    socket.resetAndDestroy();
    await until(() => told.ends.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).to.equal(1);
  });

  it('answers others while many ask thousands of times and read nothing', async () => {
    const { port, url, app } = await listen(fakeModel(saying('x')));
    let answered = 0;
    app.server.on('request', () => answered++);
    const asked = 3000;
    for (let at = 0; at < 20; at++) (await dial(port, GET.repeat(asked))).pause();
    expect((await fetch(url, { ...POST, body: JSON.stringify(ASKED) })).status).to.equal(200);
    // parsed some dozens at a time, not as they come
    expect(answered).to.be.lessThan(20 * asked);
  });

  it('answers a client that sends no more', async () => {
    const { port } = await listen(fakeModel(saying('x')));
    for (const sent of [GET, COMPLETION, GET.repeat(50)]) {
      const socket = await dial(port, '');
      socket.end(sent);
      const said = await text(socket);
      expect(said.match(/HTTP\/1\.1 200/g)?.length).to.equal(
        sent === COMPLETION ? 1 : sent.length / GET.length,
      );
    }
  });

  it('refuses a request with two hosts, with none, or with headers without end, and says so', async () => {
    const { port } = await listen(fakeModel(saying('x')));
    const many = Array.from({ length: 2000 }, () => 'a: b\r\n').join('');
    for (const [headers, word] of [
      ['host: a\r\nhost: b\r\n', '2 headers `host`'],
      ['', 'no header `host`'],
      [`${many}host: a\r\n`, '2001 headers are too many'],
    ] as const) {
      const socket = await dial(port, '');
      socket.end(`GET /health HTTP/1.1\r\n${headers}\r\n`);
      const said = await text(socket);
      expect(said)
        .to.match(/^HTTP\/1\.1 400 /)
        .and.to.contain(word)
        .and.to.contain('bad_headers');
    }
  });

  it('lets a client that is still sending read that its body is too large', async () => {
    const { port } = await listen(fakeModel(saying('x')), { bodyBytes: 1000 });
    const size = 8 * 2 ** 20;
    const head = `POST ${PATH} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n`;
    const socket = await dial(port, head);
    socket.write(Buffer.alloc(size, ' '));
    expect(await text(socket))
      .to.match(/^HTTP\/1\.1 413 /)
      .and.to.contain('body_too_large');
  });

  it('finishes what it has when it is closed, and takes nothing more', async () => {
    let go = (): void => {};
    const model = fakeModel(async function* () {
      yield { type: 'start', promptTokens: 1, cachedTokens: 0 };
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      yield { type: 'end', reason: 'stop', promptTokens: 1, answerTokens: 0, seconds: 0 };
    });
    const { url, app, router } = await listen(model);
    const asked = fetch(url, { ...POST, body: JSON.stringify(ASKED) });
    await until(() => router.open() === 1);
    const closed = app.close();
    await until(() => !app.server.listening);
    const refused = await fetch(url, { ...POST, body: JSON.stringify(ASKED) }).catch(
      (error: unknown) => error,
    );
    expect(refused).to.be.instanceOf(TypeError);
    go();
    expect((await asked).status).to.equal(200);
    await closed;
  });
});
