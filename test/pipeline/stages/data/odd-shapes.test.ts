/** Shapes that no file of people has: with a step for each two of their parts, none of these tests would end in time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { addedTokenSplitter } from '../../../../src/compute/models/tokenizer/added.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import type { Line, Splitter } from '../../../../src/pipeline/stages/data/file-lines.js';
import { CsvSplitter } from '../../../../src/pipeline/stages/data/read/csv.js';
import { ListSplitter } from '../../../../src/pipeline/stages/data/read/json-list.js';
import { textSplitter } from '../../../../src/pipeline/stages/data/read/text-splitters.js';
import { Scratch, TextColumn } from '../../../../src/pipeline/stages/data/scratch.js';
import { openPages } from '../../../../src/pipeline/store/output-folder.js';
import { cleanUp, jsonl, lines, pair, runData } from './stage.js';

const read = (splitter: Splitter, text: string): readonly Line[] => [
  ...splitter.push(Buffer.from(text)),
  ...splitter.end(),
];

const rowOf = (line: Line | undefined): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(line?.bytes ?? []).toString());

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `column ${at}`);

describe('data stage: odd shapes of files', () => {
  afterEach(cleanUp);

  it('CSV of 100,000 columns is read, and a name that it has twice is told', () => {
    const header = names(100_000);
    const [row, ...more] = read(new CsvSplitter('f', ','), `${header.join(',')}\n${header.join(',')}\n`);
    expect(more).to.deep.equal([]);
    const values = Object.values(rowOf(row));
    expect([values.length, values[0], values.at(-1)]).to.deep.equal([100_000, 'column 0', 'column 99999']);
    const twice = 'x'.repeat(1000);
    expect(() => read(new CsvSplitter('f', ','), `${[twice, ...header, twice].join(',')}\n`))
      .to.throw(UserError)
      .with.nested.property('diagnostic.message')
      .that.includes(`the header names the column \`${twice.slice(0, 60)}…\` twice`);
  });

  it('line ends of a text are trimmed where it ends, a million of them as one', () => {
    for (const end of ['\n', '\r', '\r\n']) {
      const inside = `a${end.repeat(1_000_000)}b`;
      const [row] = read(textSplitter('document'), `${inside}${end.repeat(1_000_000)}`);
      expect(rowOf(row)['text'] === inside, JSON.stringify(end)).to.equal(true);
    }
    expect(read(textSplitter('document'), '\r\n'.repeat(1_000_000))).to.deep.equal([]);
  });

  it('a paragraph has all of its lines, however many', () => {
    const text = Array.from({ length: 10_000 }, (_, at) => `${at}\n`).join('');
    const [row, last, ...more] = read(textSplitter('paragraph'), `${text}\nend`);
    expect(rowOf(row)['text'] === text.trimEnd()).to.equal(true);
    expect([rowOf(last)['text'], more]).to.deep.equal(['end', []]);
  });

  it('a paragraph that is longer than may be read is told with its line', () => {
    const [first, row, ...more] = read(textSplitter('paragraph', 20_000), `a\n\n${'b\n'.repeat(30_000)}`);
    expect(rowOf(first)).to.deep.equal({ text: 'a' });
    expect([row?.tooLong, row?.number, row?.length, row?.bytes.length]).to.deep.equal([true, 3, 59_999, 0]);
    expect(more).to.deep.equal([]);
  });

  it('the name of a member may be as long as the file, and is told from the one that is looked for', () => {
    const long = 'a'.repeat(1_000_000);
    const escaped = [...'häß'].map((unit) => `\\u00${unit.charCodeAt(0).toString(16)}`).join('');
    const file = `{"${long}":1,"häßlich":2,"${escaped}":[{"text":"b"}]}`;
    const found = read(new ListSplitter('f', 'häß'), file);
    expect(found.map(rowOf)).to.deep.equal([{ text: 'b' }]);
  });

  it('rows nested without end are dropped, with their line', async () => {
    const deep = `{"a":${'{"a":'.repeat(300_000)}1${'}'.repeat(300_000)}}\n`;
    const { report } = await runData({ f: deep + lines(pair('q', 'a')) }, { source: jsonl('f') });
    expect(report.dropped.map(({ file, line, detail }) => [file, line, detail])).to.deep.equal([
      ['f', 1, 'it is nested more than 500 levels deep'],
    ]);
    expect(report.kept).to.equal(1);
  });

  it('the detail of each of many rows is its own', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftpc-odd-'));
    const scratch = new Scratch(() => openPages(join(folder, 'pages')));
    const texts = new TextColumn(scratch, 4);
    const detail = (row: number): string => `${row} ${'x'.repeat(row % 100_000)}`;
    const rows = Array.from({ length: 60 }, (_, at) => 99_000 * at);
    for (const row of rows) texts.set(row, detail(row));
    for (const row of rows) expect(texts.get(row) === detail(row), String(row)).to.equal(true);
    scratch.close();
    rmSync(folder, { recursive: true });
  });

  it('an added token takes the white space before it, among a hundred thousand of its kind', () => {
    const token = { id: 7, content: '<m>', leftStrip: true, rightStrip: false, singleWord: false };
    const split = addedTokenSplitter([{ ...token, normalized: false, special: true }]);
    const text = 'a \u0085\u3000<m>'.repeat(100_000);
    const pieces = split(`${text}${' '.repeat(100_000)}b`);
    expect(pieces).to.have.lengthOf(200_001);
    expect(pieces.slice(0, 3)).to.deep.equal([{ text: 'a', start: 0 }, { id: 7 }, { text: 'a', start: 7 }]);
    const single = addedTokenSplitter([{ ...token, singleWord: true, normalized: false, special: true }]);
    expect(single('\u{1d400}<m> <m>').filter((piece) => 'id' in piece)).to.have.lengthOf(1);
  });
});
