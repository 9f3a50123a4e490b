import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { classPosition, sameLabels, someLabels } from '../../../../src/compute/models/labels.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import type { FormatSettings } from '../../../../src/language/schemas/stages/format.js';
import {
  labelledColumns,
  lookAlikes,
  sortedLabels,
} from '../../../../src/pipeline/stages/format/labelled-rows.js';
import { type FormatInfo, openSplit } from '../../../../src/pipeline/stages/format/split-files.js';
import { call, host, type Row, world } from './format-runner.js';

interface Report {
  readonly dropped: readonly { readonly line: number; readonly reason: string; readonly detail: string }[];
}

const ROWS: readonly Row[] = [
  { text: 'you may', label: 'grant' },
  { text: 'you must', label: 'duty' },
  { text: 'you may not', label: 'ban' },
];

async function problem(made: Promise<unknown>): Promise<UserError['diagnostic']> {
  const error = await made.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) throw new Error('no diagnostic was thrown');
  return error.diagnostic;
}

describe('labelled rows', () => {
  const here = world();
  after(here.remove);

  const labelled = (
    splits: Readonly<Record<string, readonly Row[]>>,
    args: Row = {},
    more: Partial<FormatSettings> = {},
  ) => {
    const template = call('labelled', { text: 'text', label: 'label', ...(args as Record<string, string>) });
    return here.format(splits, { template, ...more });
  };

  it('have the number of their label, by its place in the order, at their last token', async () => {
    const { artefact, json } = await labelled({ train: ROWS });
    expect(json<FormatInfo>('format.json').labels).to.deep.equal(['ban', 'duty', 'grant']);
    const split = openSplit(host, artefact.path, 'train');
    const found = Array.from({ length: split.rows }, (_, row) => {
      const { ids, labels } = split.read(row);
      expect(labels.slice(0, -1).every((label) => label === -100)).to.equal(true);
      expect(split.countsOf(row)).to.deep.equal({ supervised: 1, prompt: ids.length });
      return labels.at(-1);
    });
    expect(found).to.deep.equal([2, 1, 0]);
    expect([...split.texts()].map(({ prompt, answer }) => [prompt, answer])).to.deep.equal(
      ROWS.map(({ text, label }) => [text, label]),
    );
  });

  it('have declared labels in the order of their declaration', async () => {
    const { json } = await labelled({ train: ROWS }, { labels: ['grant', 'duty', 'ban', 'duty'] } as Row);
    expect(json<FormatInfo>('format.json').labels).to.deep.equal(['grant', 'duty', 'ban']);
  });

  it('take columns of other names, numbers and truth values', async () => {
    const rows = [
      { said: 'a', is: 10 },
      { said: 'b', is: 9 },
    ];
    const { json } = await labelled({ train: rows }, { text: 'said', label: 'is' });
    expect(json<FormatInfo>('format.json').labels).to.deep.equal(['9', '10']);
    const flags = [
      { text: 'a', label: true },
      { text: 'b', label: false },
    ];
    const other = await labelled({ train: flags });
    expect(other.json<FormatInfo>('format.json').labels).to.deep.equal(['false', 'true']);
  });

  it('are left out and named where label or text is missing', async () => {
    const rows = [
      ...ROWS,
      { text: 'no label' },
      { text: 'x', label: ' ' },
      { text: ' ', label: 'ban' },
      { label: 'ban' },
    ];
    const { json, result } = await labelled({ train: rows });
    expect(result.metrics['rows']).to.equal(3);
    expect(
      json<Report>('report.json').dropped.map(({ line, reason, detail }) => [line, reason, detail]),
    ).to.deep.equal([
      [4, 'missing_column', 'no label in `label`'],
      [5, 'empty', 'the label in `label` is empty'],
      [6, 'empty', '`text` is empty'],
      [7, 'missing_column', 'no column `text`'],
    ]);
  });

  it('keep their beginning where they are too long, or are left out', async () => {
    const rows = [{ text: 'a'.repeat(40), label: 'duty' }, ...ROWS];
    const cut = await labelled({ train: rows }, {}, { max_length: 12, overflow: 'truncate' });
    const { ids, labels } = openSplit(host, cut.artefact.path, 'train').read(0);
    expect([ids.length, labels.at(-1)]).to.deep.equal([12, 1]);
    const dropped = await labelled({ train: rows }, {}, { max_length: 12 });
    expect(dropped.json<Report>('report.json').dropped).to.have.length(1);
  });

  it('must have declared labels, where there are any', async () => {
    const found = await problem(labelled({ train: ROWS }, { labels: ['grant', 'duty'] } as Row));
    expect(found).to.deep.include({ code: 'FTP0775', at: { file: 'rows.jsonl', line: 3, column: 0 } });
  });

  it('must have two labels at least', async () => {
    const found = await problem(labelled({ train: ROWS.slice(0, 1) }));
    expect(found.code).to.equal('FTP0776');
    expect(found.notes).to.deep.equal(['the first of them is rows.jsonl:1']);
  });

  it('must have a row to train on for every label', async () => {
    const held = await problem(labelled({ train: ROWS.slice(0, 2), test: ROWS.slice(2) }));
    expect(held).to.deep.include({ code: 'FTP0777', at: { file: 'rows.jsonl', line: 3, column: 0 } });
    const nowhere = await problem(
      labelled({ train: ROWS }, { labels: ['ban', 'duty', 'grant', 'notice'] } as Row),
    );
    expect(nowhere.code).to.equal('FTP0777');
    // rows that are only evaluated on
    const { artefact } = await labelled({ test: ROWS.slice(0, 2) });
    expect(existsSync(join(artefact.path, 'format.json'))).to.equal(true);
  });

  it('are numbered by the size of numbers and the characters of texts', () => {
    expect(sortedLabels(['b', 'a', 'B', 'a'])).to.deep.equal(['B', 'a', 'b']);
    expect(sortedLabels(['10', '9', '-1'])).to.deep.equal(['-1', '9', '10']);
    expect(sortedLabels(['10', '9', 'x'])).to.deep.equal(['10', '9', 'x']);
    expect(sortedLabels(['7', '07', '1'])).to.deep.equal(['1', '07', '7']);
  });

  it('may be declared with white space around them, which is none of theirs', () => {
    const { labels } = labelledColumns(call('labelled', { labels: ['ham ', ' spam', 'ham'] }));
    expect(labels).to.deep.equal(['ham', 'spam']);
  });

  it('that look alike are told: in case, in white space, in how a letter is encoded', () => {
    expect(lookAlikes(['Spam', 'ham', 'spam', 'a  b', 'a b', '\u00e9', 'e\u0301'])).to.deep.equal([
      ['Spam', 'spam'],
      ['a  b', 'a b'],
      ['\u00e9', 'e\u0301'],
    ]);
    expect(lookAlikes(['__proto__', 'constructor', ''])).to.deep.equal([]);
  });

  it('are shown a dozen of them, and numbered apart where they have line ends', () => {
    expect(someLabels(['a', 'b'])).to.equal('`a`, `b`');
    expect(someLabels(Array.from({ length: 10_000 }, (_, at) => `l${at}`))).to.match(
      /^`l0`.*`l11` and 9988 more$/,
    );
    expect(sameLabels(['a\nb', 'c'], ['a', 'b\nc'])).to.equal(false);
    expect(sameLabels(['a', 'b'], ['a', 'b'])).to.equal(true);
  });

  it('are read at the last token that does not pad', () => {
    expect(classPosition(Int32Array.of(5, 2, 7, 2, 2), 2)).to.equal(2);
    expect(classPosition(Int32Array.of(2, 2), 2)).to.equal(0);
  });
});
