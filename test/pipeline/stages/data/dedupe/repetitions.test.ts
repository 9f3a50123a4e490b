import { expect } from 'chai';
import { execa } from 'execa';
import { UserError } from '../../../../../src/language/diagnostics/types.js';
import { bandsFor } from '../../../../../src/pipeline/stages/data/dedupe/near-copies.js';
import { jaccard, tripleHashes } from '../../../../../src/pipeline/stages/data/dedupe/word-triples.js';
import { call, cleanUp, lines, pair, runData } from '../stage.js';

const words = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => `word${from + i}`).join(' ');

describe('data stage: repetitions and contradictions', () => {
  afterEach(cleanUp);

  it('drops rows that are equal but for white space, whatever their other columns say', async () => {
    const rows = [
      pair('What  is it?', 'A licence. ', { id: 1 }),
      pair('What is it?', 'A\nlicence.', { id: 2 }),
      pair('what is it?', 'A licence.', { id: 3 }),
      {
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Ho' },
        ],
      },
      {
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: ' Ho' },
        ],
      },
      { text: 'Plain.' },
      { text: 'Plain. ' },
    ];
    const { report, result } = await runData({ 'rows.jsonl': lines(...rows) }, { dedupe: [call('exact')] });
    expect(report.dropped).to.deep.equal([
      { file: 'rows.jsonl', line: 2, reason: 'duplicate', detail: 'repeats rows.jsonl:1' },
      { file: 'rows.jsonl', line: 5, reason: 'duplicate', detail: 'repeats rows.jsonl:4' },
      { file: 'rows.jsonl', line: 7, reason: 'duplicate', detail: 'repeats rows.jsonl:6' },
    ]);
    expect(result.metrics['duplicates']).to.equal(3);
    const kept = await runData({ 'rows.jsonl': lines(...rows) }, {});
    expect(kept.report.kept).to.equal(7);
  });

  it('finds near copies at the threshold and not below it', async () => {
    const text = words(0, 100);
    // 99 triples of question and answer; each replaced word at the end costs one triple there and adds one.
    const near = (changed: number): string => `${words(0, 100 - changed)} ${words(500, changed)}`;
    const rows = [pair('q', text), pair('q2', near(4)), pair('q3', near(12))];
    const overlap = (other: object): number =>
      jaccard(
        tripleHashes(Object.values(rows[0] ?? {}).join('\n')),
        tripleHashes(Object.values(other).join('\n')),
      );
    expect(overlap(rows[1] ?? {})).to.be.within(0.9, 0.95);
    expect(overlap(rows[2] ?? {})).to.be.within(0.7, 0.85);
    const { report } = await runData(
      { 'rows.jsonl': lines(...rows) },
      { dedupe: [call('near', { similarity: 0.9 })] },
    );
    expect(report.dropped.map(({ line, reason }) => [line, reason])).to.deep.equal([[2, 'near_duplicate']]);
    expect(report.dropped[0]?.detail).to.match(/^shares 9\d% of its word triples with rows\.jsonl:1$/);
    const looser = await runData(
      { 'rows.jsonl': lines(...rows) },
      { dedupe: [call('near', { similarity: 0.7 })] },
    );
    expect(looser.report.counts).to.deep.equal({ near_duplicate: 2 });
  });

  it('finds as many near copies as comparing all pairs does', async () => {
    let state = 7;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % below;
    };
    const texts: string[] = [];
    for (let i = 0; i < 150; i++) {
      const base = Array.from({ length: 40 }, () => `w${random(2000)}`);
      texts.push(base.join(' '));
      base[random(40)] = 'changed';
      texts.push(base.join(' '));
    }
    const sets = texts.map((text) => tripleHashes(text));
    for (const similarity of [0.5, 0.8, 0.9]) {
      const kept: number[] = [];
      sets.forEach((set, i) => {
        if (!kept.some((other) => jaccard(set, sets[other] ?? new Uint32Array(0)) >= similarity))
          kept.push(i);
      });
      const { rows } = await runData(
        { 'rows.jsonl': lines(...texts.map((text) => ({ text }))) },
        { dedupe: [call('near', { similarity })] },
      );
      expect(rows('train').map(({ line }) => line - 1)).to.deep.equal(kept);
    }
  });

  it('chooses bands that find a pair at the threshold', () => {
    for (const threshold of [0.5, 0.6, 0.7, 0.8, 0.9, 1]) {
      const { count, rows } = bandsFor(threshold);
      expect(count * rows).to.be.at.most(128);
      expect(1 - (1 - threshold ** rows) ** count).to.be.at.least(0.9999);
    }
  });

  it('measures overlap exactly', () => {
    expect(jaccard(tripleHashes('a b c d'), tripleHashes('b c d e'))).to.equal(1 / 3);
    expect(jaccard(tripleHashes('A, b! c'), tripleHashes('a b c'))).to.equal(1);
    expect(jaccard(tripleHashes('?!'), tripleHashes('?!'))).to.equal(0);
    expect(jaccard(tripleHashes('one'), tripleHashes('one'))).to.equal(1);
  });

  it('hashes words as they are, whatever their script', () => {
    const text = 'Ünï-CÖDÉ İstanbul 𝔘𝔫𝔦 𝟘𝟙𝟚 日本語、テスト don’t a·b ٣٤ ①② 👩‍👩‍👧 x\u0301y';
    const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    expect(tripleHashes(text)).to.deep.equal(tripleHashes(words.join(' ')));
    expect(tripleHashes(text).length).to.equal(words.length - 2);
  });

  it('takes little more memory for a row of many words than the row has', async () => {
    const code = `
      import { tripleHashes } from ${JSON.stringify(new URL('../../../../../src/pipeline/stages/data/dedupe/word-triples.js', import.meta.url).href)};
      import { identityOf } from ${JSON.stringify(new URL('../../../../../src/pipeline/stages/data/row-content.js', import.meta.url).href)};
      const answer = 'ab '.repeat(6_000_000);
      console.log(tripleHashes(answer).length, identityOf({ answer }).key.length);`;
    const { stdout } = await execa(process.execPath, [
      '--max-old-space-size=128',
      '--input-type=module',
      '-e',
      code,
    ]);
    expect(stdout).to.equal('1 18000002');
  });

  const contradictory = lines(
    pair('Approved?', 'yes'),
    pair('Other?', 'no'),
    pair(' Approved? ', 'no'),
    pair('Approved?', 'yes'),
  );

  it('warns of contradictions, drops the later row, or fails', async () => {
    const warned = await runData({ 'rows.jsonl': contradictory }, {});
    expect(warned.report.kept).to.equal(4);
    expect(warned.report.warnings).to.deep.equal([
      {
        file: 'rows.jsonl',
        line: 3,
        reason: 'contradiction',
        detail: 'has the same question as rows.jsonl:1 but another answer',
      },
    ]);
    const dropped = await runData({ 'rows.jsonl': contradictory }, { contradictions: 'drop' });
    expect(dropped.report.dropped.map(({ line, reason }) => [line, reason])).to.deep.equal([
      [3, 'contradiction'],
    ]);
    expect(dropped.result.metrics['contradictions']).to.equal(1);
    const failed = await runData({ 'rows.jsonl': contradictory }, { contradictions: 'fail' }).catch(
      (error: unknown) => error,
    );
    expect(failed).to.be.instanceOf(UserError);
    expect((failed as UserError).diagnostic.at).to.deep.equal({ file: 'rows.jsonl', line: 3, column: 0 });
    expect((failed as UserError).message).to.include('rows.jsonl:1');
  });
});
