import { expect } from 'chai';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { unitHash } from '../../../../src/pipeline/stages/data/hashes.js';
import {
  assignSplits,
  type Group,
  type Shares,
  type SplitName,
  splitNames,
} from '../../../../src/pipeline/stages/data/split.js';
import { call, cleanUp, jsonl, lines, pair, runData } from './stage.js';

const split = { train: 0.8, valid: 0.1, test: 0.1, seed: 17 };
const many = (count: number, more: (i: number) => object = () => ({})): readonly object[] =>
  Array.from({ length: count }, (_, i) => pair(`question ${i}`, `answer ${i}`, more(i)));

/** The split of each group, by the number of its rows. */
function splitOf(groups: ReadonlyMap<string, number>, seed: number): ReadonlyMap<string, SplitName> {
  const keys = [...groups.keys()];
  const order = keys.map((key) => unitHash(seed, key));
  const codes = codesOf(order, [...groups.values()], split);
  return new Map(keys.map((key, i) => [key, splitNames[codes[i] ?? 0] ?? 'train']));
}

/** The splits of groups by their hashes and sizes. */
function codesOf(order: readonly number[], sizes: readonly number[], shares: Shares): readonly number[] {
  const groups = order.map((at, i): Group => ({ order: at, rows: sizes[i] ?? 0, stratum: 0 }));
  const splitOf = assignSplits(
    groups.toSorted((a, b) => a.order - b.order),
    shares,
  );
  return groups.map(splitOf);
}

describe('data stage: splits', () => {
  afterEach(cleanUp);

  it('meets the shares to the row, the same way at every run', async () => {
    const run = (): ReturnType<typeof runData> => runData({ 'rows.jsonl': lines(...many(200)) }, { split });
    const [first, again] = [await run(), await run()];
    expect(splitNames.map((name) => first.rows(name).length)).to.deep.equal([160, 20, 20]);
    for (const name of splitNames) expect(first.read(`${name}.jsonl`)).to.equal(again.read(`${name}.jsonl`));
    const other = await runData({ 'rows.jsonl': lines(...many(200)) }, { split: { ...split, seed: 18 } });
    expect(other.read('test.jsonl')).not.to.equal(first.read('test.jsonl'));
  });

  it('never puts rows of one value on two sides', async () => {
    const rows = many(300, (i) => ({ group: i % 37 }));
    const { rows: of } = await runData(
      { 'rows.jsonl': lines(...rows) },
      { split: { ...split, by: 'group' } },
    );
    const sides = splitNames.map((name) => new Set(of(name).map(({ row }) => row['group'])));
    const [train, valid, test] = sides.map((side) => [...side]);
    expect(new Set([...(train ?? []), ...(valid ?? []), ...(test ?? [])]).size).to.equal(37);
    expect((train?.length ?? 0) + (valid?.length ?? 0) + (test?.length ?? 0)).to.equal(37);
    expect(of('train').length).to.be.within(234, 246);
  });

  it('is what the exported function says, before repetitions are dropped', async () => {
    const rows = [
      ...many(60, (i) => ({ group: `g${i % 20}` })),
      pair('question 1', 'answer 1', { group: 'g1' }),
    ];
    const sizes = new Map<string, number>();
    for (const row of rows) {
      const { group } = row as { group: string };
      sizes.set(group, (sizes.get(group) ?? 0) + 1);
    }
    const expected = splitOf(sizes, 17);
    const { rows: of } = await runData(
      { 'rows.jsonl': lines(...rows) },
      { split: { ...split, by: 'group' }, dedupe: [call('exact')] },
    );
    for (const name of splitNames)
      for (const { row } of of(name)) expect(expected.get(String(row['group']))).to.equal(name);
  });

  it('keeps a held-out group held out when rows are added to others', () => {
    const sizes = new Map(Array.from({ length: 100 }, (_, i) => [`g${i}`, 10]));
    const before = splitOf(sizes, 3);
    const lowest = [...sizes.keys()].sort((a, b) => unitHash(3, a) - unitHash(3, b))[0] ?? '';
    expect(before.get(lowest)).to.equal('test');
    const after = splitOf(new Map([...sizes, ['new', 25]]), 3);
    expect(after.get(lowest)).to.equal('test');
  });

  it('trains on groups that are too large to hold out, and gives each split a group', () => {
    const codes = codesOf([0.1, 0.2, 0.3, 0.4], [900, 40, 30, 30], split);
    expect(codes.map((code) => splitNames[code])).to.deep.equal(['train', 'test', 'test', 'valid']);
    const few = codesOf([0.1, 0.2, 0.3], [100, 100, 100], split);
    expect(new Set(few)).to.deep.equal(new Set([0, 1, 2]));
    expect(codesOf([0.5], [10], split)).to.deep.equal([0]);
    expect(codesOf([0.5, 0.6], [1, 1], { train: 0, valid: 0, test: 1 })).to.deep.equal([2, 2]);
  });

  it('drops held-out rows that training sees, exactly or nearly', async () => {
    const text = Array.from({ length: 80 }, (_, i) => `word${i}`).join(' ');
    const rows = [
      ...many(40, (i) => ({ group: `g${i}` })),
      pair('same', 'same answer', { group: 'a' }),
      pair('same', 'same answer', { group: 'b' }),
      pair('near', text, { group: 'c' }),
      pair('near', `${text} more`, { group: 'd' }),
    ];
    let found = 0;
    for (let seed = 0; seed < 6; seed++) {
      const { report, rows: of } = await runData(
        { 'rows.jsonl': lines(...rows) },
        { split: { train: 0.5, valid: 0.25, test: 0.25, by: 'group', seed } },
      );
      const trained = new Set(of('train').map(({ row }) => row['group']));
      for (const [one, other] of [
        ['a', 'b'],
        ['c', 'd'],
      ] as const) {
        const held = [...of('valid'), ...of('test')].map(({ row }) => row['group']);
        expect(trained.has(one) && held.includes(other)).to.equal(false);
        expect(trained.has(other) && held.includes(one)).to.equal(false);
      }
      for (const { reason, detail } of report.dropped) {
        expect(reason).to.equal('leak');
        expect(detail).to.match(/^training sees (it|\d+% of it) at rows\.jsonl:\d+$/);
        found++;
      }
    }
    expect(found).to.be.above(2);
  });

  it('takes as many rows as the limit says, from every split', async () => {
    const { rows, report, result } = await runData(
      { 'rows.jsonl': lines(...many(500)) },
      { split, limit: 50 },
    );
    expect(splitNames.map((name) => rows(name).length)).to.deep.equal([40, 5, 5]);
    expect(report.rows).to.equal(50);
    expect(result.metrics).to.deep.include({ rows: 50, dropped: 0 });
    const all = await runData({ 'rows.jsonl': lines(...many(20)) }, { split, limit: null });
    expect(all.report.kept).to.equal(20);
    const tiny = await runData({ 'rows.jsonl': lines(...many(500)) }, { split, limit: 1 });
    expect(tiny.rows('train')).to.have.length(1);
  });

  it('mixes general rows into training only, to the share', async () => {
    const general = lines(...Array.from({ length: 100 }, (_, i) => pair(`general ${i}`, `word ${i}`)));
    const mix = { general: jsonl('general.jsonl'), share: 0.2 };
    const { rows, report } = await runData(
      { 'rows.jsonl': lines(...many(200, (i) => ({ group: i }))), 'general.jsonl': general },
      { split: { ...split, by: 'group' }, mix },
    );
    const of = (name: 'train' | 'valid' | 'test'): number =>
      rows(name).filter(({ file }) => file === 'general.jsonl').length;
    expect([of('train'), of('valid'), of('test')]).to.deep.equal([40, 0, 0]);
    expect(rows('train')).to.have.length(200);
    expect(report.rows).to.equal(240);
    const limited = await runData(
      { 'rows.jsonl': lines(...many(200)), 'general.jsonl': general },
      { split, mix, limit: 100 },
    );
    expect(limited.report.kept).to.equal(100);
    const few = await runData(
      { 'rows.jsonl': lines(...many(200)), 'general.jsonl': lines(pair('g', 'h')) },
      { split, mix },
    );
    expect(few.notes).to.deep.equal(['the mix asks for 40 general rows; there are 1']);
  });

  it('refuses shares that do not add up, and rows without the column', async () => {
    const shares = await runData(
      { 'rows.jsonl': lines(...many(10)) },
      { split: { ...split, test: 0.3 } },
    ).catch((error: unknown) => error);
    expect(shares).to.be.instanceOf(UserError);
    expect((shares as UserError).message).to.include('120%');
    const { report } = await runData(
      { 'rows.jsonl': lines(...many(10, (i) => (i === 3 ? {} : { group: i }))) },
      { split: { ...split, by: 'group' } },
    );
    expect(report.dropped).to.deep.include({
      file: 'rows.jsonl',
      line: 4,
      reason: 'missing_column',
      detail: 'no column `group`, by which the rows are split',
    });
  });

  it('reads files once, in order, and counts what is in them', async () => {
    const { rows, read } = await runData(
      {
        'd/b.jsonl': lines(pair('b', '1')),
        'd/a.jsonl': lines(pair('a', '2')),
        'z.jsonl': lines(pair('z', '3')),
      },
      { source: [jsonl('z.jsonl'), jsonl('d/*.jsonl'), jsonl('d/a.jsonl')] },
    );
    expect(rows('train').map(({ file }) => file)).to.deep.equal(['z.jsonl', 'd/a.jsonl', 'd/b.jsonl']);
    const statistics = JSON.parse(read('statistics.json'));
    expect(statistics.splits.train).to.deep.equal({ rows: 3, general: 0 });
    expect(statistics.columns.output.top).to.deep.include({ value: '1', rows: 1 });
  });
});
