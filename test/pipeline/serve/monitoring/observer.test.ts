import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { dashboardView } from '../../../../src/pipeline/serve/dashboard/view.js';
import {
  createObserver,
  type ObserverOptions,
  type TrafficObserver,
} from '../../../../src/pipeline/serve/monitoring/create-observer.js';
import {
  openRequestJournal,
  readRequestJournal,
} from '../../../../src/pipeline/serve/monitoring/request-journal.js';
import type { RequestEnd } from '../../../../src/pipeline/serve/observer.js';
import { scratch } from '../../../compute/evaluation/tiny.js';
import { requestLine } from '../request-lines.js';

describe('what is measured of requests', () => {
  const place = scratch();
  after(() => place.remove());
  let count = 0;
  const fresh = (): string => join(place.path, `journal-${++count}`);
  const open: TrafficObserver[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });

  const told: string[] = [];
  const observer = (options: Partial<ObserverOptions> = {}): TrafficObserver => {
    const made = createObserver({
      model: 'legal',
      now: () => 1_000_000,
      report: (text) => told.push(text),
      loads: () => [{ release: 1, role: 'current', share: 1, running: 2, waiting: 3 }],
      pair: () => undefined,
      random: () => 0.5,
      ...options,
    });
    open.push(made);
    return made;
  };
  const end = (id: string, more: Partial<RequestEnd> = {}): RequestEnd => ({
    ...{ id, endpoint: 'chat', release: { number: 1, role: 'current' }, status: 200, reason: 'stop' },
    ...{ streamed: false, promptTokens: 10, cachedTokens: 4, answerTokens: 20 },
    ...{ queueSeconds: 0.1, firstTokenSeconds: 0.25, seconds: 2 },
    ...more,
  });

  it('is in the journal without what was asked and answered, unless that is wanted', async () => {
    const [plain, full] = [fresh(), fresh()];
    const request = {
      answers: ['My number is 555-1234.'],
      prompt: { messages: [{ role: 'user', content: 'call 555-1234' }] },
    };
    observer({ folder: plain }).finished(end('a', { ...request, user: 'ana' }));
    const text = readFileSync(join(plain, 'requests.jsonl'), 'utf8');
    expect(text).not.to.match(/number|call|ana/);
    expect(readRequestJournal(plain)[0]).to.include({
      id: 'a',
      release: 1,
      seconds: 2,
      refusal: false,
      repetition: 0,
    });
    observer({ folder: full, written: (each) => each.replace(/\d{3}-\d{4}/g, '…') }).finished(
      end('a', request),
    );
    expect(readRequestJournal(full)[0]).to.deep.include({
      answers: ['My number is ….'],
      prompt: { messages: [{ role: 'user', content: 'call …' }] },
    });
  });

  it('goes on from the journal when the server starts again, feedback too', async () => {
    const folder = fresh();
    const first = observer({ folder });
    first.finished(end('a'));
    first.finished(end('b', { status: 500, reason: 'error', errorCode: 'server_error' }));
    expect(first.feedback({ id: 'a', thumbs: 'down', reason: 'wrong' })).to.equal('taken');
    const second = observer({ folder });
    const [release] = second.dashboard().releases;
    expect(release).to.include({ release: 1, requests: 2, errors: 1, up: 0, down: 1, answerTokens: 40 });
    expect(second.feedback({ id: 'a', thumbs: 'down', reason: 'wrong' })).to.equal('same');
    expect(second.feedback({ id: 'a', thumbs: 'up' })).to.equal('changed');
    expect(second.feedback({ id: 'zzz', thumbs: 'up' })).to.equal('unknown_id');
    expect(second.dashboard().releases[0]).to.include({ up: 1, down: 0 });
    expect(observer({ folder }).dashboard().releases[0]).to.include({ up: 1, down: 0 });
  });

  it('has the names of vLLM in the text of Prometheus', async () => {
    const made = observer();
    made.finished(end('a', { answers: ['I am sorry, but no.'] }));
    made.finished(end('b', { status: 429, reason: 'error', errorCode: 'queue_full', release: undefined }));
    made.finished(end('c', { status: 400, reason: 'error', errorCode: `made-up-${Math.PI}` }));
    made.feedback({ id: 'a', thumbs: 'up' });
    const { contentType, text } = await made.metrics();
    expect(contentType).to.match(/^text\/plain; version=0.0.4/);
    for (const line of [
      'vllm:num_requests_running{release="1",model_name="legal"} 2',
      'vllm:num_requests_waiting{release="1",model_name="legal"} 3',
      'vllm:generation_tokens_total{release="1",model_name="legal"} 40',
      'vllm:request_success_total{release="1",finished_reason="stop",model_name="legal"} 1',
      'vllm:time_to_first_token_seconds_bucket{le="0.25",model_name="legal",release="1"} 1',
      'ftpc_request_errors_total{release="none",code="queue_full",model_name="legal"} 1',
      'ftpc_request_errors_total{release="1",code="other",model_name="legal"} 1',
      'ftpc_feedback_total{release="1",thumbs="up",model_name="legal"} 1',
      'ftpc_refusals_total{release="1",model_name="legal"} 1',
    ])
      expect(text.split('\n')).to.include(line);
    expect(text).to.match(/^process_resident_memory_bytes/m);
    expect(made.dashboard()).to.include({ refused: 1 });
  });

  it('keeps to the rules of Prometheus for names and labels, but for the names of vLLM', async () => {
    const made = observer();
    made.finished(end('a'));
    const { text } = await made.metrics();
    // those of `promtool check metrics`
    const types = new Map(
      [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => [name, type]),
    );
    const helps = new Set([...text.matchAll(/^# HELP (\S+) \S/gm)].map(([, name]) => name));
    const own = [...types].filter(([name]) => name.startsWith('ftpc'));
    expect(own.length).to.be.above(8);
    for (const [name, type] of own) {
      expect(name).to.match(/^ftpc_[a-z_]+$/);
      expect(helps).to.include(name);
      expect(name.endsWith('_total'), name).to.equal(type === 'counter');
      if (type !== 'histogram') expect(name).not.to.match(/_(?:count|sum|bucket)$/);
    }
    for (const [, name = '', labels] of text.matchAll(/^(\w+)\{(.*)\}/gm))
      if (types.get(name) === 'gauge' || types.get(name) === 'counter')
        expect(labels, name).not.to.match(/\b(?:le|quantile)=/);
  });

  it('is next to what the evaluation of the release had', async () => {
    const tokens = { mean: 12, median: 10, p95: 30, most: 31 };
    const made = observer({ evaluated: () => ({ count: 9, tokens, repetition: 0.5, refusals: 0.125 }) });
    for (let request = 1; request <= 100; request++)
      made.finished(end(`r${request}`, { answerTokens: request, answers: ['no no no no no'] }));
    const [release] = made.dashboard().releases;
    expect(release?.quality.tokens?.mean).to.be.closeTo(50.5, 1e-9);
    expect(release?.quality.tokens?.median).to.be.within(49, 51);
    expect(release?.quality.tokens?.p95).to.be.within(94, 96);
    expect(release?.evaluated).to.deep.equal({ tokens, repetition: 0.5, refusals: 0.125 });
    const lines = (await made.metrics()).text.split('\n');
    const labels = (source: string, more: string): string =>
      `{release="1",source="${source}",${more},model_name="legal"}`;
    for (const line of [
      `ftpc_answer_tokens${labels('evaluated', 'percentile="50"')} 10`,
      `ftpc_answer_tokens${labels('evaluated', 'percentile="95"')} 30`,
      `ftpc_answer_quality${labels('served', 'measure="repetition"')} 0.5`,
      `ftpc_answer_quality${labels('served', 'measure="refusals"')} 0`,
      `ftpc_answer_quality${labels('evaluated', 'measure="repetition"')} 0.5`,
      `ftpc_answer_quality${labels('evaluated', 'measure="refusals"')} 0.125`,
    ])
      expect(lines).to.include(line);
    const page = String(dashboardView(made.dashboard()));
    expect(page).to.contain('10 tokens in evaluation').and.to.contain('30 tokens in evaluation');
    expect(page).to.contain('50% in evaluation').and.to.contain('12.5% in evaluation');
  });

  it('compares a canary with the current release from when it became one', () => {
    const folder = fresh();
    const journal = openRequestJournal(folder, { report: () => {} });
    for (let group = 0; group < 200; group++)
      for (const release of [1, 2])
        for (const at of [500, 2000])
          journal.append(
            requestLine({
              id: `${release}-${group}-${at}`,
              at,
              release,
              group,
              seconds: release + group / 200,
            }),
          );
    journal.close();
    const made = observer({ folder, pair: () => ({ current: 1, canary: 2, since: 1000 }) });
    const found = made.dashboard().comparison;
    expect(found).to.include({ current: 1, canary: 2, since: 1000 });
    const duration = found?.measures.find(({ measure }) => measure === 'seconds');
    expect(duration?.a.count).to.equal(200);
    expect(duration).to.include({ verdict: 'real' });
    expect(duration?.difference).to.be.closeTo(0.68, 0.05);
  });

  it('is bounded: files of the journal, ids, releases', () => {
    const folder = fresh();
    const journal = openRequestJournal(folder, { report: () => {}, files: 3, largest: 2000 });
    for (let index = 0; index < 60; index++) journal.append(requestLine({ id: `id-${index}` }));
    journal.close();
    expect(existsSync(join(folder, 'requests.2.jsonl'))).to.equal(true);
    expect(existsSync(join(folder, 'requests.3.jsonl'))).to.equal(false);
    const lines = readRequestJournal(folder);
    expect(lines.at(-1)?.id).to.equal('id-59');
    expect(lines.length).to.be.within(8, 20);
    const ids = lines.map(({ id }) => Number(id.slice(3)));
    expect(ids).to.deep.equal([...ids].sort((a, b) => a - b));
    expect(readRequestJournal(folder, 700).at(-1)?.id).to.equal('id-59');
    const made = observer();
    for (let number = 1; number < 40; number++)
      made.finished(end(`${number}`, { release: { number, role: 'current' } }));
    expect(made.dashboard().releases.length).to.be.at.most(9);
  });

  it('is whole where two servers write into one folder', () => {
    const folder = fresh();
    const options = { report: () => {}, files: 4, largest: 2000 };
    const [a, b] = [openRequestJournal(folder, options), openRequestJournal(folder, options)];
    b.append(requestLine({ id: 'b-0' }));
    for (let index = 0; index < 6; index++) a.append(requestLine({ id: `a-${index}` }));
    const files = () => readdirSync(folder).sort();
    expect(files()).to.deep.equal(['requests.1.jsonl', 'requests.jsonl']);
    // the file that it had is full, and is not the newest any more
    b.append(requestLine({ id: 'b-1' }));
    expect(files()).to.deep.equal(['requests.1.jsonl', 'requests.jsonl']);
    expect(readRequestJournal(folder).map(({ id }) => id)).to.have.members([
      ...['b-0', 'b-1', 'a-0', 'a-1', 'a-2', 'a-3', 'a-4', 'a-5'],
    ]);
    for (const journal of [a, b]) journal.close();
  });

  it('leaves out lines that were torn or flipped, and goes on after them', () => {
    const folder = fresh();
    observer({ folder }).finished(end('a'));
    const path = join(folder, 'requests.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"seconds":2', '"seconds":3'));
    appendFileSync(path, '{"version":1,"type":"req');
    observer({ folder }).finished(end('b'));
    expect(readRequestJournal(folder).map(({ id }) => id)).to.deep.equal(['b']);
  });

  it('is not lost, nor is a request, where nothing can be written: it says so once', async () => {
    const folder = fresh();
    mkdirSync(place.path, { recursive: true });
    writeFileSync(folder, 'a file in the way');
    told.length = 0;
    const made = observer({ folder });
    made.finished(end('a'));
    made.finished(end('b'));
    expect(told.filter((text) => /are not written down/.test(text))).to.have.length(1);
    expect((await made.metrics()).text).to.include('ftpc_journal_unwritten{model_name="legal"} 2');
    rmSync(folder);
    made.finished(end('c'));
    expect(told.at(-1)).to.match(/written to .* again/);
    expect(made.dashboard().releases[0]?.requests).to.equal(3);
  });
});
