import { expect } from 'chai';
import type { ParallelPlan } from '../../../src/pipeline/planner/plan-json.js';
import { columns, PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { renderPlanText } from '../../../src/pipeline/planner/render/text.js';
import { widthOf, wrapped } from '../../../src/pipeline/planner/render/wrapped.js';
import { emptyPlan } from '../run/worlds.js';

describe('the end of a plan', () => {
  const time = (expected: number) => ({ expected, low: 0, high: 2 * expected });
  const ending = (parallel: Partial<ParallelPlan>): string =>
    renderPlanText(
      emptyPlan({
        totals: { peakBytes: 100 * 2 ** 20, seconds: time(120), diskBytes: 0 },
        parallel: {
          stages: 2,
          by: 'auto',
          memoryBytes: 1e9,
          seconds: time(80),
          peakBytes: 150 * 2 ** 20,
          ...parallel,
        },
      }),
      PLAIN,
    )
      .split('\n')
      .at(-1) ?? '';

  it('says what several stages at once make of time and memory', () => {
    expect(ending({})).to.equal(
      'Up to 2 stages at once (the least planned time): time 1 min 20 s instead of 2 min 00 s one at a time, peak 150 MiB.',
    );
    expect(ending({ by: 'option', seconds: null })).to.equal(
      'Up to 2 stages at once (`--parallel`): peak 150 MiB.',
    );
  });

  it('says where none can, and nothing where stages run one after another', () => {
    const alone = { by: 'option', seconds: time(120), peakBytes: 100 * 2 ** 20 } as const;
    expect(ending(alone)).to.match(/no two of them can run at once\.$/);
    expect(ending({ ...alone, stages: 1 })).to.match(/^0 to run, 0 cached/);
  });
});

describe('columns', () => {
  it('are as wide as their widest cell, whatever its colours and characters', () => {
    expect(
      columns([
        ['\u001b[2maa\u001b[22m', 'x'],
        ['許可', 'y'],
      ]),
    ).to.deep.equal(['\u001b[2maa\u001b[22m    x', '許可  y']);
  });

  it('of numbers end under each other', () => {
    expect(
      columns(
        [
          ['a', '1', 'x'],
          ['b', '100', 'y'],
        ],
        { right: [1] },
      ),
    ).to.deep.equal(['a    1  x', 'b  100  y']);
    expect(
      columns(
        [
          ['a', '1'],
          ['b', '100'],
        ],
        { right: [1] },
      ),
    ).to.deep.equal(['a    1', 'b  100']);
  });

  it('break their last cell between words, beside its column or, where there is no room, below it', () => {
    const text = 'fits, but rounds the base to four bits';
    expect(columns([['  qlora', text]], { width: 36 })).to.deep.equal([
      '  qlora  fits, but rounds the base',
      '         to four bits',
    ]);
    expect(columns([['  a method with a long name', text]], { width: 40 })).to.deep.equal([
      '  a method with a long name',
      '      fits, but rounds the base to four',
      '      bits',
    ]);
    expect(columns([['  qlora', text]])).to.have.lengthOf(1);
    expect(
      columns(
        [
          ['method', 'peak', ''],
          ['full', '170 MiB', ''],
        ],
        { width: 15 },
      ),
    ).to.deep.equal(['method  peak', 'full    170 MiB']);
  });

  it('break the others between words where that is enough, and end numbers under each other', () => {
    const rows = [
      ['run', 'pipeline', 'started', 'time'],
      ['20261128-215119-77f2', 'pipelines/legal.ftp', '2026-11-28 21:51:19', '1 min 56 s'],
    ];
    expect(columns(rows, { right: [3], width: 60 })).to.deep.equal([
      'run                   pipeline    started           time',
      '20261128-215119-77f2  pipelines/  2026-11-28  1 min 56 s',
      '                      legal.ftp   21:51:19',
    ]);
  });

  it('are a text where they cannot be next to each other', () => {
    const row = ['  stage', ...Array.from({ length: 6 }, (_, index) => `column number ${index}`)];
    const lines = columns([row], { width: 30 });
    expect(lines.every((line) => line.length <= 30)).to.equal(true);
    expect(lines.join(' ').split(/ +/).join(' ')).to.equal(row.join(' ').replace(/ +/g, ' '));
  });

  it('fit whatever width there is', () => {
    const rows = [
      [
        '  \u001b[2mname\u001b[22m',
        'a long text, with 12.5 MiB and 3 min 20 s in it',
        '12,345',
        '許可された値の説明',
      ],
      ['  x', 'averyverylongnamewithoutanybreaks', '1', ''],
    ];
    for (let width = 24; width < 120; width++)
      for (const line of columns(rows, { right: [2], width }))
        expect(widthOf(line), `${width}: ${line}`).to.be.at.most(width);
  });

  it('take cells of any size', () => {
    const words = 'a '.repeat(130_000).trimEnd();
    const lines = columns([[words, 'x'.repeat(9000), 'last']], { width: 80 });
    expect(Math.max(...lines.slice(0, 1000).map(widthOf))).to.be.at.most(80);
  });
});

describe('wrapped lines', () => {
  it('of a word of millions of characters are cut off', () => {
    for (const sign of ['x', 'é', '漢', '👩‍👩‍👧', '/'] as const) {
      const lines = wrapped(`before ${sign.repeat(1_000_000)} after`, 40);
      expect(lines.length, sign).to.equal(51);
      expect(lines.at(-1)).to.match(/…$/);
      for (const line of lines) expect(widthOf(line)).to.be.at.most(41);
    }
  });

  it('break a word that is too long, after a slash if it has one', () => {
    expect(wrapped('in /a/long/path here', 8)).to.deep.equal(['in', '/a/long/', 'path', 'here']);
    expect(wrapped('a sequence', 4)).to.deep.equal(['a', 'sequ', 'ence']);
  });

  it('keep numbers with their units, and figures with their names', () => {
    expect(wrapped('needs 12.5 MiB more', 9)).to.deep.equal(['needs', '12.5 MiB', 'more']);
    expect(wrapped('takes 3 min 20 s', 12)).to.deep.equal(['takes', '3 min 20 s']);
    expect(wrapped('exact match 0.25 · loss 3.1', 20)).to.deep.equal(['exact match 0.25 ·', 'loss 3.1']);
  });

  it('go on in the same colour, and close it at the end of each line', () => {
    const [dim, end, reset] = ['\u001b[2m', '\u001b[22m', '\u001b[0m'];
    expect(wrapped(`${dim}one two${end} six`, 5)).to.deep.equal([
      `${dim}one${reset}`,
      `${dim}two${end}`,
      'six',
    ]);
  });
});
