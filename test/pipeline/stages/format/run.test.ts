import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { openModel } from '../../../../src/compute/models/load.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { openEncoder } from '../../../../src/pipeline/stages/format/row-encoder.js';
import { type FormatInfo, openSplit } from '../../../../src/pipeline/stages/format/split-files.js';
import { call, cases, fixtures, host, type Row, settingsOf, stageOf, world } from './format-runner.js';

const validReport = new Ajv2020({ strict: false }).compile(
  JSON.parse(readFileSync(join(host.packageFolder, 'docs', 'schema', 'stage-report.json'), 'utf8')),
);

interface Report {
  readonly rows: number;
  readonly kept: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly dropped: readonly { readonly line: number; readonly reason: string; readonly detail: string }[];
  readonly warnings: readonly { readonly line: number; readonly reason: string; readonly detail: string }[];
}

const row = (i: number, output = `answer ${i}`): Row => ({ instruction: `question ${i}`, output });
const rows = (count: number, from = 0): readonly Row[] =>
  Array.from({ length: count }, (_, i) => row(from + i));

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('the stage ended well'),
    (error: unknown) => error,
  );
}

describe('the format stage', () => {
  const place = world();
  after(() => place.remove());

  it('drops a row of many megabytes without cutting it into tokens', async () => {
    const { json } = await place.format({ train: [row(1), row(2, 'x'.repeat(20_000_000))] });
    const report = json<Report>('report.json');
    expect(report.counts).to.deep.equal({ too_long: 1 });
    expect(report.dropped[0]?.detail).to.match(/^20\d{6} characters, at most \d+ tokens are allowed$/);
  });

  it('writes splits that read back as they were encoded', async () => {
    const splits = {
      train: [
        ...rows(300),
        ...cases('bytes')
          .chats.slice(0, 10)
          .map((recorded) => recorded.row),
      ],
      test: [{ ...row(400), kind: 'licence' }],
    };
    const { artefact, result, json } = await place.format(splits);
    const encoder = await openEncoder(
      openModel(host, join(fixtures, 'bytes')),
      settingsOf(),
      stageOf('format', 'dialogs', {}),
    );
    const all = [...splits.train, ...splits.test];
    for (const [name, expected, first] of [
      ['train', splits.train, 1],
      ['valid', [], 1],
      ['test', splits.test, 311],
      ['all', all, 1],
    ] as const) {
      const split = openSplit(host, artefact.path, name);
      expect(split.rows, name).to.equal(expected.length);
      const texts = split.rows === 0 ? [] : [...split.texts()];
      let [tokens, supervised] = [0, 0];
      for (const [i, given] of expected.entries()) {
        const outcome = encoder.encode(given);
        if ('reason' in outcome) return expect.fail(outcome.detail);
        const [piece] = outcome.kept;
        if (piece === undefined) return expect.fail('no piece');
        expect(split.read(i)).to.deep.equal({ ids: piece.ids, labels: piece.labels });
        expect(split.lengths[i]).to.equal(piece.ids.length);
        expect(split.countsOf(i)).to.deep.equal({ prompt: piece.promptTokens, supervised: piece.supervised });
        expect(split.placeOf(i)).to.deep.equal({ file: 'rows.jsonl', line: first + i });
        const { prompt, answer } = outcome.rendered;
        const kind = 'kind' in given ? { kind: given['kind'] } : {};
        expect(texts[i]).to.deep.equal({ prompt, answer, file: 'rows.jsonl', line: first + i, ...kind });
        tokens += piece.ids.length;
        supervised += piece.supervised;
      }
      const { histogram, answers, prompts, ...info } = split.info.splits[name] ?? expect.fail(name);
      const counts = expected.map((_, i) => split.countsOf(i).supervised);
      const mean = supervised / Math.max(1, counts.length);
      const variance =
        counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / Math.max(1, counts.length);
      expect(answers?.most).to.equal(Math.max(0, ...counts));
      expect(answers?.deviation).to.be.closeTo(Math.sqrt(variance), 1e-6);
      const asked = expected.map((_, i) => split.countsOf(i).prompt).filter((prompt) => prompt > 0);
      expect(prompts?.longest).to.equal(Math.max(0, ...asked));
      expect(prompts?.histogram).to.deep.equal(
        Array.from(
          { length: Math.ceil(Math.max(0, ...asked) / 16) },
          (_, i) => asked.filter((prompt) => Math.ceil(prompt / 16) - 1 === i).length,
        ),
      );
      expect(info).to.deep.equal({
        rows: expected.length,
        tokens,
        supervised,
        longest: Math.max(0, ...split.lengths),
      });
      expect(histogram.reduce((sum, count) => sum + count, 0)).to.equal(expected.length);
      for (const [i, count] of histogram.entries())
        expect([...split.lengths].filter((length) => Math.ceil(length / 16) - 1 === i).length).to.equal(
          count,
        );
    }
    const info = json<FormatInfo>('format.json');
    expect(info).to.deep.include({ version: 1, files: ['rows.jsonl'], stopIds: [2], padId: 0 });
    expect(info.tokenizer.sha256).to.match(/^[0-9a-f]{64}$/);
    expect(result.metrics).to.include({ rows: 311, dropped: 0 });
  });

  it('names every row that it drops, in a report that is valid with 0, 1 and more', async () => {
    for (const bad of [0, 1, 3]) {
      const broken: readonly Row[] = Array.from({ length: bad }, (_, i) =>
        row(i, i === 2 ? '' : 'a '.repeat(600)),
      );
      const { json, result } = await place.format({ train: [...rows(2), ...broken] });
      const report = json<Report>('report.json');
      expect(validReport(report), JSON.stringify(validReport.errors)).to.equal(true);
      expect(report).to.include({ rows: 2 + bad, kept: 2 });
      expect(report.dropped.map(({ line, reason }) => [line, reason])).to.deep.equal(
        [
          [3, 'too_long'],
          [4, 'too_long'],
          [5, 'empty'],
        ].slice(0, bad),
      );
      expect(report.counts).to.deep.equal(
        bad === 0 ? {} : bad === 1 ? { too_long: 1 } : { too_long: 2, empty: 1 },
      );
      expect(result.metrics['dropped']).to.equal(bad / (2 + bad));
    }
  });

  it('warns of rows that are kept in part', async () => {
    const long = row(1, 'a '.repeat(600));
    for (const [overflow, pieces] of [
      ['truncate', 1],
      ['split', 2],
    ] as const) {
      const { json, artefact, result } = await place.format({ train: [row(0), long] }, { overflow });
      const report = json<Report>('report.json');
      expect(validReport(report)).to.equal(true);
      expect(report).to.include({ rows: 2, kept: 2 });
      expect(report.warnings.map(({ line, reason }) => [line, reason])).to.deep.equal([[2, 'too_long']]);
      const split = openSplit(host, artefact.path, 'train');
      expect(split.rows).to.equal(1 + pieces);
      expect(Math.max(...split.lengths)).to.equal(512);
      expect(result.metrics).to.include({ rows: 2, longest: 512 });
    }
  });

  it('writes the text of a row once, however many pieces it is split into', async () => {
    const answer = 'words and more words '.repeat(5_000);
    const { artefact } = await place.format({ train: [row(0, answer), row(1)] }, { overflow: 'split' });
    const split = openSplit(host, artefact.path, 'train');
    expect(split.rows).to.be.greaterThan(50);
    const texts = [...split.texts()];
    expect(texts.map((text) => text.answer).filter((text) => text !== '')).to.deep.equal([
      answer,
      'answer 1',
    ]);
    expect(texts[0]?.prompt).to.contain('question 0');
    expect(texts.map(({ line }) => line)).to.deep.equal([...texts.slice(1).map(() => 1), 2]);
    expect(split.countsOf(0).prompt).to.be.greaterThan(0);
    expect(split.countsOf(1).prompt).to.equal(0);
  });

  it('says how far it is, up to the end', async () => {
    const { events } = await place.format({ train: rows(300) });
    const done = events.flatMap((event) =>
      event.type === 'stage.progress' ? [[event.done, event.total]] : [],
    );
    expect(done).to.deep.equal([
      [0, 300],
      [256, 300],
      [300, 300],
    ]);
  });

  it('stops where it is told to', async () => {
    const stop = new AbortController();
    const running = place.format(
      { train: rows(600) },
      {},
      {
        signal: stop.signal,
        emit: (event) => {
          if (event.type === 'stage.progress' && event.done > 0) stop.abort(new Error('stopped'));
        },
      },
    );
    expect(await failure(running)).to.include({ message: 'stopped' });
  });

  it('fails where nothing is kept, with the reasons and a whole report', async () => {
    const cut = { max_length: 16, overflow: 'truncate' } as const;
    const long: readonly Row[] = [row(0), row(1), { output: 'x' }].map((given) => ({
      ...given,
      ...('instruction' in given ? { instruction: 'a question that is far too long' } : {}),
    }));
    const error = await failure(place.format({ train: long }, cut));
    if (!(error instanceof UserError)) return expect.fail(String(error));
    expect(error.diagnostic).to.include({ code: 'FTP0621', message: 'stage `dialogs` kept none of 3 rows' });
    expect(error.diagnostic.notes?.length).to.equal(2);
    expect(error.diagnostic.notes?.[0]).to.match(
      /^2 without a supervised token, first rows\.jsonl:1: its answer is beyond/,
    );
    const report = JSON.parse(readFileSync(join(place.output(), 'report.json'), 'utf8'));
    expect(validReport(report)).to.equal(true);
    expect(report.dropped.length).to.equal(3);
  });

  it('fails where the data stage handed on nothing', async () => {
    const error = await failure(place.format({ train: [] }));
    if (!(error instanceof UserError)) return expect.fail(String(error));
    expect(error.diagnostic).to.include({
      code: 'FTP0621',
      message: 'stage `dialogs` got no rows from `rows`',
    });
  });

  it('takes tokenizer and template from a GGUF file', async () => {
    const file = join(host.packageFolder, 'test', 'fixtures', 'gguf', 'tiny.gguf');
    const model = call('gguf', { file });
    const { artefact, json } = await place.format({ train: rows(2) }, { model, template: call('alpaca') });
    expect(json<FormatInfo>('format.json').tokenizer.folder).to.equal(file);
    const { ids } = openSplit(host, artefact.path, 'train').read(0);
    expect(ids.at(-1)).to.equal(2);
  });

  it('says so where a model has no end token', async () => {
    const folder = join(place.folder, 'endless');
    cpSync(join(fixtures, 'bytes'), folder, { recursive: true });
    for (const name of ['config.json', 'generation_config.json']) {
      if (!existsSync(join(folder, name))) continue;
      const config = JSON.parse(readFileSync(join(folder, name), 'utf8'));
      writeFileSync(join(folder, name), JSON.stringify({ ...config, eos_token_id: null }));
    }
    const model = call('local', { folder });
    const notes = async (template: string) => {
      const { events } = await place.format(
        { train: [{ ...row(0), text: 'one' }] },
        { model, template: call(template) },
      );
      return events.filter(({ type }) => type === 'note').length;
    };
    expect(await notes('completion')).to.equal(1);
    // The template ends its answers by itself.
    expect(await notes('chat')).to.equal(0);
  });
});
