import { expect } from 'chai';
import type { Value } from '../../../../src/language/ir/program.js';
import { expectedSplits } from '../../../../src/pipeline/stages/data/expected-splits.js';
import { interleaved, misfits, mixRows, scaled } from '../../../../src/pipeline/stages/data/mix-plan.js';
import { cleanUp, jsonl, lines, pair, runData } from './stage.js';

const many = (name: string, count: number): string =>
  lines(...Array.from({ length: count }, (_, i) => pair(`${name} ${i}`, `answer ${name} ${i}`)));

const files = { 'rows.jsonl': many('a', 100), 'b.jsonl': many('b', 20), 'c.jsonl': many('c', 60) };
const b = jsonl('b.jsonl');
const c = jsonl('c.jsonl');

interface Sources {
  readonly sources: readonly Record<'rows' | 'used' | 'repeated' | 'left', number>[];
}

describe('data stage: a mix of several sources', () => {
  afterEach(cleanUp);

  it('ends with the first source, or when all are used up, as interleave_datasets does', () => {
    const parts = [{ rows: 1000 }, { rows: 100, share: 0.3 }, { rows: 1000, share: 0.2 }];
    expect(mixRows(parts, 'first_exhausted')).to.deep.equal([166, 100, 66]);
    expect(mixRows(parts, 'all_exhausted')).to.deep.equal([2500, 1500, 1000]);
    // equal weights: the shortest times the number of sources, and the longest
    const equal = [{ rows: 4 }, { rows: 7, share: 0.5 }];
    expect(mixRows(equal, 'first_exhausted')).to.deep.equal([4, 4]);
    expect(mixRows(equal, 'all_exhausted')).to.deep.equal([7, 7]);
  });

  it('uses each row as often as epochs say, next to shares of the whole', () => {
    expect(mixRows([{ rows: 10 }, { rows: 6, epochs: 2.5 }], 'first_exhausted')).to.deep.equal([10, 15]);
    const parts = [{ rows: 40 }, { rows: 20, epochs: 2 }, { rows: 90, share: 0.2 }];
    expect(mixRows(parts, 'first_exhausted')).to.deep.equal([40, 40, 20]);
    expect(mixRows([{ rows: 10 }, { rows: 0, share: 0.5 }], 'first_exhausted')).to.deep.equal([10, 0]);
  });

  it('keeps every beginning of the split near the shares', () => {
    const counts = [50, 30, 20];
    const taken = [0, 0, 0];
    let place = 0;
    for (const part of interleaved(counts)) {
      place++;
      taken[part] = (taken[part] ?? 0) + 1;
      for (const [index, count] of counts.entries())
        expect(Math.abs((taken[index] ?? 0) - (count * place) / 100)).to.be.below(1.01);
    }
    expect(taken).to.deep.equal(counts);
    expect(scaled([50, 30, 20], 11)).to.deep.equal([6, 3, 2]);
  });

  it('interleaves sources, reports what it took of each, and splits before it repeats', async () => {
    const mix: readonly Value[] = [
      { source: b, share: 0.3 },
      { source: c, epochs: 2 },
    ];
    const settings = { mix, stopping_strategy: 'all_exhausted', split: { train: 0.8, valid: 0.2, test: 0 } };
    const run = await runData(files, settings);
    const { sources } = JSON.parse(run.read('report.json')) as Sources;
    const train = run.rows('train');
    const of = (name: string): number => train.filter(({ file }) => file === name).length;
    expect(of('b.jsonl') / train.length).to.be.closeTo(0.3, 0.005);
    for (const [index, name] of ['rows.jsonl', 'b.jsonl', 'c.jsonl'].entries()) {
      const { rows, used, repeated, left } = sources[index] ?? { rows: 0, used: 0, repeated: 0, left: 0 };
      expect(used + left, name).to.equal(rows);
      expect(used + repeated, name).to.equal(of(name));
      expect(left, name).to.equal(0);
    }
    expect(sources[2]?.repeated).to.equal(sources[2]?.used);
    // whole and once where training repeats
    expect(run.report.kept).to.equal(180);
    const held = new Set(run.rows('valid').map(({ file, line }) => `${file}:${line}`));
    expect(held.size).to.equal(36);
    for (const { file, line } of train)
      expect(held.has(`${file}:${line}`), `${file}:${line}`).to.equal(false);
    expect(train.slice(0, 4).map(({ file }) => file)).to.include('b.jsonl');
    const again = await runData(files, settings);
    expect(again.read('train.jsonl')).to.equal(run.read('train.jsonl'));
    expect(run.notes[1]).to.match(/^the mix takes 1\d of 1\d training rows of b\.jsonl, \d+ repeated$/);
  });

  it('leaves out rows where the first source ends, and says how many', async () => {
    const run = await runData(files, { mix: [{ source: b, share: 0.4 }], limit: 20 });
    const { sources } = JSON.parse(run.read('report.json')) as Sources;
    expect(run.rows('train')).to.have.length(20);
    expect(sources.map(({ used, left }) => [used, left])).to.deep.equal([
      [12, 88],
      [8, 12],
    ]);
    const whole = await runData(files, { mix: [{ source: b, share: 0.4 }] });
    expect(whole.notes).to.deep.equal([
      'the mix takes 30 of 100 training rows of rows.jsonl, 70 left',
      'the mix takes 20 of 20 training rows of b.jsonl',
    ]);
  });

  it('warns where epochs and shares do not fit each other, and of nothing that is rounded', async () => {
    const mix: readonly Value[] = [
      { source: b, share: 0.3 },
      { source: c, epochs: 10 },
    ];
    const run = await runData(files, { mix });
    expect(run.rows('train')).to.have.length(620);
    expect(run.warnings.map(({ code, notes }) => [code, notes])).to.deep.equal([
      [
        'FTP0658',
        [
          'none of the 100 training rows of rows.jsonl is used',
          'b.jsonl has 20 training rows: 3.226% of the split instead of 30%',
        ],
      ],
    ]);
    const fits = await runData(files, { mix, stopping_strategy: 'all_exhausted' });
    expect(fits.warnings).to.deep.equal([]);
    const nothing = await runData({ ...files, 'b.jsonl': '{"no":"row"}\n' }, { mix: mix.slice(0, 1) });
    expect(nothing.warnings.map(({ code, notes }) => [code, notes])).to.deep.equal([
      ['FTP0658', ['b.jsonl has no row for training']],
    ]);

    for (const strategy of ['first_exhausted', 'all_exhausted'] as const)
      for (const [own, one, two] of [
        [3, 1, 1],
        [97, 13, 7],
        [5, 1000, 3],
      ] as const)
        for (const share of [0.01, 0.3, 0.49])
          expect(
            misfits([{ rows: own }, { rows: one, share }, { rows: two, share }], strategy),
            `${strategy} ${own} ${one} ${two} ${share}`,
          ).to.deep.equal([]);
  });

  it('is planned as it comes out', async () => {
    const mix = [
      { source: b, share: 0.3, epochs: undefined },
      { source: c, share: undefined, epochs: 2 },
    ];
    const written: readonly Value[] = [
      { source: b, share: 0.3 },
      { source: c, epochs: 2 },
    ];
    for (const stopping_strategy of ['first_exhausted', 'all_exhausted'] as const) {
      const run = await runData(files, { mix: written, stopping_strategy });
      const expected = expectedSplits(
        { mix, stopping_strategy, split: undefined, limit: undefined },
        { own: [100, 20, 60], general: 0 },
      );
      expect(run.rows('train')).to.have.length(expected.train);
    }
  });
});
