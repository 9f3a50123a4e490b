/** Whatever fits into memory, the same rows are kept, for the same reasons. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Value } from '../../../../src/language/ir/program.js';
import { mix } from '../../../../src/pipeline/stages/data/dedupe/word-triples.js';
import {
  Column,
  integers,
  type RowMemory,
  Scratch,
  TextColumn,
} from '../../../../src/pipeline/stages/data/scratch.js';
import { openPages } from '../../../../src/pipeline/store/output-folder.js';
import { call, cleanUp, jsonl, lines, pair, runData } from './stage.js';

const SMALL: RowMemory = { pages: 1, rows: 40, keys: 40 * 21, groups: 16, strataGroups: 16 };
const ROWS = 1200;

const random = (seed: number): number => mix(seed + 1) / 2 ** 32;

/** Answers of forty words: some repeat an earlier one, some but for a word, some answer the same question otherwise. */
function rowsOf(): readonly object[] {
  const rows: { instruction: string; output: string; topic: string; group: string }[] = [];
  for (let i = 0; i < ROWS; i++) {
    const words = Array.from({ length: 40 }, (_, at) => `w${Math.floor(random(i * 64 + at) * 900)}`);
    const made = {
      instruction: `question ${i}`,
      output: words.join(' '),
      topic: `topic ${Math.floor(random(i + 7e5) ** 2 * 5)}`,
      group: `g${Math.floor(random(i + 8e5) * 300)}`,
    };
    const earlier = rows[Math.floor(random(i + 9e5) * rows.length)];
    const kind = random(i + 1e6);
    if (earlier === undefined || kind > 0.2) rows.push(made);
    else if (kind > 0.15) rows.push({ ...earlier });
    else if (kind > 0.1) rows.push({ ...made, output: earlier.output.replace(/ \S+ /, ' other ') });
    else if (kind > 0.05) rows.push({ ...made, instruction: earlier.instruction });
    else rows.push({ ...made, instruction: '' });
  }
  return rows;
}

const split = { train: 0.7, valid: 0.1, test: 0.2, seed: 5 };
const near = call('near', { similarity: 0.85 });
const CASES: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  'repetitions, near copies and contradictions': { dedupe: [call('exact'), near], split },
  'contradictions that are dropped': { dedupe: [call('exact'), near], split, contradictions: 'drop' },
  'near copies alone': { dedupe: [near], split },
  'leaks between groups': { dedupe: [], split: { ...split, by: 'group' } },
  'leaks of what repeats': { dedupe: [near], split: { ...split, by: 'group' } },
  strata: { dedupe: [call('exact')], split: { ...split, stratify: 'topic' } },
  'a limit': { dedupe: [call('exact')], split, limit: 200 },
  'a limit that keeps a balance': {
    dedupe: [call('exact')],
    split,
    balance: { by: 'topic', at_most: 0.4 },
    limit: 300,
  },
  'several sources': {
    dedupe: [call('exact')],
    split,
    mix: [
      { source: jsonl('more.jsonl'), share: 0.3 },
      { source: jsonl('few.jsonl'), epochs: 2.5 },
    ],
  },
  'balance and lengths': {
    dedupe: [call('exact')],
    split,
    balance: { by: 'topic', at_most: 0.3 },
    outliers: { iqr: 1.5, action: 'drop' },
  },
};

describe('data stage: rows beyond memory', () => {
  afterEach(cleanUp);

  for (const [name, settings] of Object.entries(CASES))
    it(`keeps the same rows, and says the same of the others: ${name}`, async () => {
      const files = {
        'rows.jsonl': lines(...rowsOf()),
        'more.jsonl': lines(...Array.from({ length: 700 }, (_, i) => pair(`more ${i}`, `${i}`))),
        'few.jsonl': lines(...Array.from({ length: 60 }, (_, i) => pair(`few ${i}`, `${i}`))),
      };
      const [all, few] = [
        await runData(files, settings),
        await runData(files, settings, undefined, undefined, SMALL),
      ];
      for (const file of ['train.jsonl', 'valid.jsonl', 'test.jsonl', 'report.json', 'statistics.json'])
        expect(few.read(file) === all.read(file), file).to.equal(true);
      expect(few.result).to.deep.equal(all.result);
      expect(few.left).to.deep.equal([]);
      expect(all.report.rows - all.report.kept).to.be.above(40);
    });
});

describe('data stage: columns in pages', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-columns-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('reads what was set last, in whatever order, with one page in memory', () => {
    const path = join(folder, 'pages');
    const scratch = new Scratch(() => openPages(path));
    const column = new Column(scratch, 1, integers, 7);
    const texts = new TextColumn(scratch, 1);
    const [known, said] = [new Map<number, number>(), new Map<number, string>()];
    for (let i = 0; i < 20_000; i++) {
      const row = Math.floor(random(i) * 9000);
      column.set(row, i);
      known.set(row, i);
      if (i % 50 === 0) {
        texts.set(row, `${i} `.repeat(100));
        said.set(row, `${i} `.repeat(100));
      }
    }
    for (let row = 0; row < 10_000; row++) {
      expect(column.get(row)).to.equal(known.get(row) ?? 7);
      expect(texts.get(row)).to.equal(said.get(row));
    }
    scratch.close();
    expect(existsSync(path)).to.equal(false);
  });
});
