import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { FormatSettings } from '../../../../src/language/schemas/stages/format.js';
import type { SplitName } from '../../../../src/pipeline/stages/data/split.js';
import { type FormatInfo, openSplit } from '../../../../src/pipeline/stages/format/split-files.js';
import { surveyLengths } from '../../../../src/pipeline/stages/format/survey.js';
import { cleanUp, runData, lines as text } from '../data/stage.js';
import { call, cases, fixtures, host, type Row, settingsOf, stageOf, world } from './format-runner.js';

const words = (count: number): string => Array.from({ length: count }, (_, i) => `word${i}`).join(' ');
const row = (i: number, length = (i * 7) % 40): Row => ({ instruction: `q${i}`, output: words(1 + length) });

describe('a survey of lengths', () => {
  const place = world();
  after(() => {
    place.remove();
    cleanUp();
  });

  const survey = (
    data: object,
    changes: Partial<FormatSettings> = {},
    maxRows?: number,
    mostAssigned?: number,
  ) =>
    surveyLengths(
      {
        folder: place.folder,
        stages: [stageOf('data', 'rows', { dedupe: [], contradictions: 'warn', ...data })],
      },
      host,
      stageOf('format', 'dialogs', settingsOf(changes)),
      maxRows,
      mostAssigned,
    );
  const lines = (name: string, rows: readonly (Row | string)[], end = '\n'): void =>
    writeFileSync(
      join(place.folder, name),
      rows.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)) + end).join(''),
    );
  const source = call('jsonl', { files: 'a*.jsonl' });
  const rows = Array.from({ length: 120 }, (_, i) => row(i));

  it('equals what the stage then writes', async () => {
    const all = [...rows, ...cases('bytes').chats.map((recorded) => recorded.row)];
    lines('a1.jsonl', all.slice(0, 50), '\r\n');
    lines('a2.jsonl', ['', ...all.slice(50), '   ', 'no json', '[]']);
    for (const overflow of ['drop', 'truncate', 'split'] as const) {
      const changes = { overflow, max_length: 128 };
      const { json, artefact } = await place.format(
        { train: all.slice(0, 70), valid: all.slice(70) },
        changes,
      );
      const { splits } = json<FormatInfo>('format.json');
      for (const mostAssigned of [0, 1000]) {
        const surveyed = await survey({ source }, changes, undefined, mostAssigned);
        const { rows: count, expected, sampled, splits: _, inOrder, asked, ...found } = surveyed;
        expect(count).to.equal(all.length + 2);
        expect(expected.all).to.be.closeTo(splits['all']?.rows ?? 0, 1e-9);
        expect({ rows: sampled, ...found }, overflow).to.deep.equal(splits['all']);
        const written = openSplit(host, artefact.path, 'all');
        expect(inOrder).to.deep.equal(mostAssigned === 0 ? undefined : [...written.lengths]);
        expect(asked).to.deep.equal(written.asked(4096));
      }
    }
  });

  it('counts pairs of answers as the stage does, their prompt once', async () => {
    const pairs = rows.map(({ instruction, output }, at) => ({
      prompt: `${instruction} ${words(at % 9)}`,
      chosen: output,
      rejected: `no ${at}`,
    }));
    lines('pairs.jsonl', pairs);
    const changes = { template: call('preference') };
    const { json } = await place.format({ train: pairs }, changes);
    const { all } = json<FormatInfo>('format.json').splits;
    const found = await survey({ source: call('jsonl', { files: 'pairs.jsonl' }) }, changes);
    expect(found).to.deep.include({ isPaired: true, joined: all?.joined });
    expect(all?.joined?.tokens).to.be.below(all?.tokens ?? 0);
    expect(all?.joined?.histogram.reduce((sum, count) => sum + count, 0)).to.equal((all?.rows ?? 0) / 2);
  });

  it('takes a sample of what is too much', async () => {
    lines('b.jsonl', rows);
    const found = await survey({ source: call('jsonl', { files: 'b.jsonl' }) }, {}, 30, 0);
    expect(found).to.include({ rows: 120, sampled: 30 });
    expect(found.histogram.reduce((sum, count) => sum + count, 0)).to.equal(30);
  });

  it('measures some of all rows together where there is no tokenizer', async () => {
    const shape = join(place.folder, 'shape');
    mkdirSync(shape);
    copyFileSync(join(fixtures, 'bytes', 'config.json'), join(shape, 'config.json'));
    lines(
      'many.jsonl',
      Array.from({ length: 4100 }, (_, i) => row(i)),
    );
    const changes = { model: call('local', { folder: shape, shape: true }) };
    const {
      rows: count,
      sampled,
      splits,
    } = await survey({ source: call('jsonl', { files: 'many.jsonl' }) }, changes);
    expect({ count, splits }).to.deep.equal({ count: 4100, splits: undefined });
    expect(sampled).to.be.within(1000, 2000);
  });

  it('knows other names of columns, and the limit', async () => {
    lines(
      'c.jsonl',
      rows.map(({ instruction, output }) => ({ frage: instruction, output, instruction: 3 })),
    );
    const renamed = call('jsonl', { files: 'c.jsonl', columns: { instruction: 'frage' } });
    const plain = await survey({ source: call('jsonl', { files: 'b.jsonl' }) });
    expect(await survey({ source: renamed })).to.deep.equal(plain);
    expect((await survey({ source: renamed, limit: 30 })).expected).to.deep.equal({
      train: 30,
      valid: 0,
      test: 0,
      all: 30,
    });
  });

  it('knows the rows of each split, as the stages then write them', async () => {
    const grouped = rows.map((each, i) => ({ ...each, group: `group ${i % 37}` }));
    const other = { ...grouped[5], output: words(90) };
    const own = [...grouped, ...grouped.slice(0, 25), other, { instruction: 'q' }];
    const general = Array.from({ length: 60 }, (_, i) => row(1000 + i, 2 + i));
    const files = { 'own.jsonl': text(...own), 'more.jsonl': text(...general) };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(place.folder, name), content);
    const settings = {
      source: call('jsonl', { files: 'own.jsonl' }),
      dedupe: [call('exact')],
      contradictions: 'drop',
      split: { train: 0.7, valid: 0.1, test: 0.2, by: 'group' },
      mix: { general: call('jsonl', { files: 'more.jsonl' }), share: 0.2 },
      limit: 100,
    };
    const made = await runData(files, settings);
    const of = (split: SplitName): readonly Row[] => made.rows(split).map((each) => each.row);
    const changes = { overflow: 'drop' as const, max_length: 96 };
    const { json, artefact } = await place.format(
      { train: of('train'), valid: of('valid'), test: of('test') },
      changes,
    );
    const written = json<FormatInfo>('format.json').splits;
    const { splits, expected } = await survey(settings, changes);
    for (const split of ['train', 'valid', 'test'] as const) {
      const { sampled, inOrder, asked, ...found } = splits?.[split] ?? { sampled: 0 };
      const opened = openSplit(host, artefact.path, split);
      if (split === 'train') expect(inOrder).to.deep.equal([...opened.lengths]);
      expect(asked).to.deep.equal(opened.asked(4096));
      expect(opened.asked(2).length).to.be.within(1, 2);
      expect({ rows: sampled, ...found }, split).to.deep.equal(written[split]);
      expect(expected[split]).to.be.closeTo(written[split]?.rows ?? 0, 1e-9);
      expect(sampled).to.be.above(0);
    }
    expect(expected.all).to.be.below(100);
  });

  it('counts so many general rows as are mixed in, and knows the longest of all', async () => {
    lines('general.jsonl', [...Array.from({ length: 99 }, (_, i) => row(1000 + i, 2)), row(2000, 60)]);
    const mix = { general: call('jsonl', { files: 'general.jsonl' }), share: 0.2 };
    const own = call('jsonl', { files: 'b.jsonl' });
    const plain = await survey({ source: own });
    const mixed = await survey({ source: own, mix }, {}, undefined, 0);
    expect(mixed.rows).to.equal(120);
    expect(mixed.expected).to.deep.equal({ train: 150, valid: 0, test: 0, all: 150 });
    expect(mixed.sampled).to.be.within(149, 150);
    expect(mixed.longest).to.be.greaterThan(plain.longest);
    const some = await survey({ source: own, mix }, {}, 60, 0);
    expect(some.sampled).to.be.within(73, 77);
    const split = { train: 0.5, valid: 0.25, test: 0.25 };
    const parts = { train: 75, valid: 30, test: 30, all: 135 };
    for (const mostAssigned of [0, 1000]) {
      const found = await survey({ source: own, mix, split }, {}, undefined, mostAssigned);
      expect(found.expected).to.deep.equal(parts);
    }
    const bad = [...rows, ...rows.map(() => ({ instruction: 'q' }))];
    lines('half.jsonl', bad);
    const half = await survey({ source: call('jsonl', { files: 'half.jsonl' }), split });
    expect(half.expected).to.deep.equal({ train: 60, valid: 30, test: 30, all: 120 });
    expect(half.rows).to.equal(240);
  });
});
