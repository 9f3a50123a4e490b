import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { preview, previewTokens } from '../../../../src/pipeline/stages/format/preview.js';
import { cases, host, modelCall, type Row, stageOf, world } from './format-runner.js';

describe('a preview', () => {
  const place = world();
  after(() => place.remove());

  for (const name of ['bytes', 'pieces']) {
    it(`shows rows as they are trained on: ${name}`, async () => {
      const recorded = cases(name).chats.filter((found) => 'text' in found);
      const rows = recorded.map(({ row }) => row);
      const { artefact } = await place.format(
        { train: rows, test: rows.slice(0, 1) },
        { model: modelCall(name) },
      );
      const shown = await preview(host, artefact, 'train', 100);
      expect(shown).to.include({ version: 1, stage: 'dialogs' });
      expect(shown.rows.length).to.equal(recorded.length);
      for (const [i, row] of shown.rows.entries()) {
        const { ids = [], supervised = [], text = '' } = recorded[i] ?? {};
        expect(row.input_ids).to.deep.equal(ids);
        expect(row.labels).to.deep.equal(ids.map((id, t) => (supervised.includes(t) ? id : -100)));
        expect(row).to.include({ file: 'rows.jsonl', line: i + 1, supervised: supervised.length });
        const parts = await previewTokens(host, artefact, row);
        expect(parts.map((part) => part.text).join('')).to.equal(row.text);
        const answers = parts.filter((part) => part.supervised).map((part) => part.text);
        expect(
          answers.every((answer) => /(?:<\|im_end\|>|<\/s>)$/.test(answer)),
          text,
        ).to.equal(true);
        for (const answer of answers) expect(row.text).to.contain(answer);
      }
      expect((await preview(host, artefact, 'test', 5)).rows.length).to.equal(1);
      expect((await preview(host, artefact, 'all', 2)).rows.length).to.equal(2);
      expect((await preview(host, artefact, 'constructor', 2)).rows).to.deep.equal([]);
    });
  }

  it('shows the rows of a data stage as they are handed on', async () => {
    const path = join(place.folder, 'data');
    mkdirSync(path);
    const line = (n: number, row: Row): string => `${JSON.stringify({ file: 'a.jsonl', line: n, row })}\n`;
    writeFileSync(join(path, 'train.jsonl'), line(1, { text: 'a' }) + line(3, { text: 'b' }));
    writeFileSync(join(path, 'test.jsonl'), line(2, { text: 'c' }));
    const artefact = {
      stage: stageOf('data', 'rows', {}),
      path,
      key: '',
      result: { outputs: {}, metrics: {} },
    };
    const lines = async (split: string, count: number) =>
      (await preview(host, artefact, split, count)).rows.map((row) => [row.line, row.text]);
    expect(await lines('all', 10)).to.deep.equal([
      [1, '{"text":"a"}'],
      [3, '{"text":"b"}'],
      [2, '{"text":"c"}'],
    ]);
    expect(await lines('train', 1)).to.deep.equal([[1, '{"text":"a"}']]);
    expect(await lines('valid', 1)).to.deep.equal([]);
  });
});
