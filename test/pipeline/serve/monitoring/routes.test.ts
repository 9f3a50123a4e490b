import { expect } from 'chai';
import { fastify } from 'fastify';
import { createObserver } from '../../../../src/pipeline/serve/monitoring/create-observer.js';
import { registerMonitoring } from '../../../../src/pipeline/serve/monitoring/routes.js';
import { fakeModel, fakeServer, saying } from '../../../helpers/served-model.js';

describe('routes of monitoring', () => {
  const observer = createObserver({
    ...{ model: 'legal', now: () => 1000, report: () => {}, pair: () => undefined },
    loads: () => [{ release: 3, role: 'current', share: 1, running: 0, waiting: 0 }],
  });
  const app = fastify();
  registerMonitoring(app, { observer });
  observer.finished({
    ...{ id: 'chatcmpl-1', endpoint: 'chat', release: { number: 3, role: 'current' }, status: 200 },
    ...{ reason: 'stop', streamed: true, promptTokens: 1, cachedTokens: 0, answerTokens: 1 },
    ...{ queueSeconds: 0, seconds: 1, answers: ['Yes.'] },
  });
  after(async () => {
    await app.close();
    await observer.close();
  });
  const send = async (payload: unknown) => {
    const answer = await app.inject({
      ...{ method: 'POST', url: '/feedback', headers: { 'content-type': 'application/json' } },
      payload: JSON.stringify(payload),
    });
    return { status: answer.statusCode, body: answer.json() };
  };

  it('take feedback once, and refuse what is none', async () => {
    const down = { id: 'chatcmpl-1', thumbs: 'down', reason: 'too long' };
    expect(await send(down)).to.deep.equal({
      status: 200,
      body: { object: 'feedback', id: 'chatcmpl-1', thumbs: 'down', result: 'taken' },
    });
    expect((await send(down)).body.result).to.equal('same');
    expect((await send({ ...down, thumbs: 'up' })).body.result).to.equal('changed');
    for (const wrong of [
      {},
      [],
      null,
      { id: 'chatcmpl-1' },
      { id: '', thumbs: 'up' },
      { id: 7, thumbs: 'up' },
      { id: 'chatcmpl-1', thumbs: 'sideways' },
      { id: 'chatcmpl-1', thumbs: 'up', note: 'x' },
      { id: 'chatcmpl-1', thumbs: 'up', reason: 'x'.repeat(2001) },
    ]) {
      const { status, body } = await send(wrong);
      expect(status, JSON.stringify(wrong)).to.equal(400);
      expect(body.error).to.include({ type: 'invalid_request_error' });
    }
    expect(await send({ id: '__proto__', thumbs: 'up' })).to.nested.include({
      status: 404,
      'body.error.code': 'unknown_id',
    });
    expect((await send({ id: 'chatcmpl-1', thumbs: 'up', reason: 'x'.repeat(20_000) })).status).to.equal(413);
    expect(observer.dashboard().releases[0]).to.include({ up: 1, down: 0 });
  });

  it('count feedback as they count requests: an opinion that changes is a line of the journal each time', async () => {
    const server = fakeServer(fakeModel(saying('x')), { rate: { requests: 2, seconds: 3600 } });
    registerMonitoring(server.app, { observer });
    const say = async (thumbs: string): Promise<number> =>
      (await server.post('/feedback', { id: 'chatcmpl-1', thumbs })).status;
    expect([await say('down'), await say('up'), await say('down')]).to.deep.equal([200, 200, 429]);
    const long = fakeServer(fakeModel(saying('x')));
    registerMonitoring(long.app, { observer });
    const opinion = { id: 'chatcmpl-1', thumbs: 'up' };
    const said = async (length: number) =>
      (await long.post('/feedback', { ...opinion, reason: 'x'.repeat(length) })).json()['error']?.['message'];
    expect(await said(2001)).to.match(/`reason` must be a text of at most 2000 characters/);
    expect(await said(20_000)).to.equal('the body of the request is too large: at most 16384 bytes are read');
    expect((await server.app.inject('/metrics')).statusCode).to.equal(200);
  });

  it('give metrics and what the dashboard shows', async () => {
    const metrics = await app.inject('/metrics');
    expect(metrics.headers['content-type']).to.match(/^text\/plain; version=0\.0\.4/);
    expect(metrics.body).to.match(/^vllm:e2e_request_latency_seconds_count\{.*release="3".*\} 1$/m);
    const data = (await app.inject('/dashboard/data')).json();
    expect(data).to.include({ version: 1, model: 'legal', open: 0 });
    expect(data.releases[0]).to.include({ release: 3, role: 'current', share: 1, requests: 1 });
    expect(data.releases[0].points).to.have.length(119);
  });

  it('compute figures and pages once for all who ask within some time', async () => {
    const computed: string[] = [];
    const counting = fastify();
    const counted = {
      metrics: () => {
        computed.push('metrics');
        return observer.metrics();
      },
      dashboard: () => {
        computed.push('dashboard');
        return observer.dashboard();
      },
    };
    registerMonitoring(counting, { observer: { ...observer, ...counted }, seconds: 3600 });
    for (const path of ['/metrics', '/dashboard/data', '/dashboard/view', '/dashboard'])
      for (let at = 0; at < 3; at++) expect((await counting.inject(path)).statusCode).to.equal(200);
    expect(computed).to.deep.equal(['metrics', 'dashboard']);
    await counting.close();
  });
});
