import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { UserError } from '../../../src/language/diagnostics/types.js';
import type { ServerWait } from '../../../src/language/host/host.js';
import type { HubAccess } from '../../../src/pipeline/hub/access.js';
import { request, retrying, TransientError, waitOf } from '../../../src/pipeline/hub/request.js';
import { ollamaAccess } from '../../../src/pipeline/ollama/ollama-access.js';
import { MAY_PASS } from '../../../src/pipeline/run/retry.js';

describe('a request to a hub', () => {
  let server: Server;
  const listen = async (answer: RequestListener): Promise<HubAccess> => {
    server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { endpoint: `http://127.0.0.1:${port}`, offline: false, patience: 30_000, pauses: [0, 0] };
  };
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  it('is given up where the server sends next to nothing, whatever came', async () => {
    let asked = 0;
    const access = await listen((_, response) => {
      asked++;
      response.write('a');
    });
    // each look at the clock is a minute later
    let now = 0;
    const pace = { bytes: 61_440, window: 60_000, clock: () => (now += 60_000) };
    const read = async (): Promise<void> => {
      const { body } = await request({ ...access, pace }, '/file');
      for await (const _ of body());
    };
    const error: unknown = await retrying(access, read, () => true).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(UserError);
    expect((error as UserError).diagnostic.notes?.[0]).to.match(/sent 1 bytes in 60 s/);
    expect(asked).to.equal(3);
  });

  it('is not repeated where the server asks for more time than anybody waits, and says how long', async () => {
    const access = await listen(() => {});
    const said = async (after: number, more: Partial<HubAccess> = {}) => {
      let tries = 0;
      const late = async (): Promise<never> => {
        tries++;
        throw new TransientError('status 429', false, after);
      };
      const error: unknown = await retrying({ ...access, ...more }, late).catch((reason: unknown) => reason);
      expect(tries).to.equal(1);
      return (error as UserError).diagnostic;
    };
    const { code, message, notes } = await said(3_600_000);
    expect([code, notes]).to.deep.equal(['FTP1417', ['status 429']]);
    expect(message).to.match(/asks to be asked again in 60 minutes$/);
    expect((await said(1e300)).message).to.match(/in more than a day$/);
    const { lost, late } = ollamaAccess({ env: () => undefined });
    expect((await said(3_600_000, { lost, late })).code).to.equal('FTP2140');
  });

  it('is not made again by a run where the server asks for more time than anybody waits', () => {
    expect(Object.keys(MAY_PASS)).to.include('FTP1405').and.not.to.include('FTP1417');
  });

  it('reads how long it has to wait, in seconds or as a date by the clock of the server', () => {
    const wait = (said: string, more: Record<string, string> = {}): number =>
      waitOf(new Headers({ 'retry-after': said, ...more }));
    const date = 'Mon, 30 Nov 2026 08:00:00 GMT';
    expect(wait('3')).to.equal(3000);
    expect(wait('Mon, 30 Nov 2026 08:00:07 GMT', { date })).to.equal(7000);
    expect(wait('Mon, 30 Nov 2026 07:00:00 GMT', { date })).to.equal(0);
    for (const none of ['', 'soon', '-3', '1e999', 'Mon, 30 Nov 2026 08:00:07 GMT'])
      expect(wait(none)).to.equal(0);
    expect(waitOf(new Headers())).to.equal(0);
  });

  it('says how long it waits', async () => {
    const access = await listen(() => {});
    const said: ServerWait[] = [];
    let tries = 0;
    const once = async (): Promise<string> => {
      if (tries++ === 0) throw new TransientError('status 429', false, 5);
      return 'done';
    };
    expect(await retrying({ ...access, waiting: (wait) => said.push(wait) }, once)).to.equal('done');
    expect(said).to.deep.equal([{ server: new URL(access.endpoint).host, pause: 5 }]);
  });

  it('says that it waits where the server takes long', async () => {
    let answer = (): void => {};
    const access = await listen((_, response) => {
      answer = () => response.end('late');
    });
    const said: ServerWait[] = [];
    const waiting = (wait: ServerWait): void => {
      said.push(wait);
      answer();
    };
    const { close } = await request({ ...access, waiting, quiet: 200 }, '/file');
    close();
    expect(said).to.deep.equal([{ server: new URL(access.endpoint).host }]);
  });
});
