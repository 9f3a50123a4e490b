import { expect } from 'chai';
import type { BinaryExpression, Expression } from '../../../src/language/ir/program.js';
import { PLAIN } from '../../../src/pipeline/planner/render/columns.js';
import { compare } from '../../../src/tools/review/compare.js';
import { requirementText } from '../../../src/tools/review/plan-outline.js';
import { headline } from '../../../src/tools/review/render/headline.js';
import { renderComparisonText } from '../../../src/tools/review/render/text.js';
import type {
  BudgetOutline,
  DiagnosticSummary,
  PlanOutline,
  StageOutline,
} from '../../../src/tools/review/types.js';
import { binary, measuring, metric, negate, not, value } from '../../helpers/expressions.js';

const stage = (name: string, key: string, parts: Partial<StageOutline> = {}): StageOutline => ({
  name,
  kind: 'train',
  settings: { rank: { text: key, from: 'author' }, a: { text: '1' }, b: { text: '2' } },
  requires: [],
  figures: {},
  identity: { key, parts: { 'settings.rank': key } },
  ...parts,
});
const side = (stages: readonly StageOutline[], parts: Partial<PlanOutline> = {}): PlanOutline => ({
  stages,
  budget: [],
  diagnostics: [],
  valid: true,
  ...parts,
});
const between = (before: PlanOutline, after: PlanOutline) =>
  compare({
    pipeline: 'p.ftp',
    base: { kind: 'ref', ref: 'main', file: 'p.ftp' },
    machine: { name: null, memoryBytes: null, devices: null },
    before,
    after,
  });

describe('two plans', () => {
  it('whose stages swap their outputs make nothing again', () => {
    const { stages, changed } = between(
      side([stage('a', '1'), stage('b', '2')]),
      side([stage('a', '2'), stage('b', '1')]),
    );
    expect(changed).to.equal(true);
    expect(stages.map(({ name, reruns, renamedFrom }) => [name, reruns, renamedFrom])).to.deep.equal([
      ['a', false, undefined],
      ['b', false, undefined],
    ]);
  });

  it('say what computes, where that changed', () => {
    const ranks = (devices: number, sharding = 'auto') => ({
      computing: { engine: 'accelerate', devices: `${devices}`, nodes: '1', sharding },
    });
    const stages = [stage('a', '1')];
    const taken = between(side(stages), side(stages, ranks(8)));
    expect(taken.computing).to.deep.equal([
      { setting: 'engine', before: 'embedded', after: 'accelerate' },
      { setting: 'devices', before: null, after: '8' },
      { setting: 'nodes', before: null, after: '1' },
      { setting: 'sharding', before: null, after: 'auto' },
    ]);
    expect(taken.changed).to.equal(true);
    expect(headline(taken)[0]).to.contain('engine embedded → accelerate');
    const more = between(side(stages, ranks(2)), side(stages, ranks(8, 'fsdp')));
    expect(headline(more)[0]).to.contain('devices 2 → 8, sharding auto → fsdp');
    const text = renderComparisonText(more, PLAIN, 80);
    expect(text).to.match(/Engine\n +setting +before +after\n +~ +devices +2 +8\n +~ +sharding +auto +fsdp/);
    expect(between(side(stages, ranks(2)), side(stages, ranks(2)))).not.to.have.property('computing');
  });

  it('pair a stage with the one that is most like it, and not with one that is not', () => {
    const like = (name: string, key: string, texts: readonly string[]): StageOutline =>
      stage(name, key, { settings: Object.fromEntries(texts.map((text, index) => [`s${index}`, { text }])) });
    const { stages } = between(
      side([like('old', '1', ['a', 'b', 'c', 'd']), like('other', '2', ['a', 'x', 'y', 'z'])]),
      side([like('far', '3', ['q', 'r', 's', 't']), like('new', '4', ['a', 'b', 'c', 'e'])]),
    );
    expect(stages.map(({ name, status, renamedFrom }) => [name, status, renamedFrom])).to.deep.equal([
      ['far', 'added', undefined],
      ['new', 'changed', 'old'],
      ['other', 'removed', undefined],
    ]);
  });

  it('know nothing of a rerun where a stage could not be planned', () => {
    const { stages } = between(side([stage('a', '1')]), side([stage('a', '')]));
    expect(stages[0]?.reruns).to.equal(null);
  });

  it('count what another function fills in itself for no change, and what an author wrote for one', () => {
    const optimizer = (
      head: string,
      args: Readonly<Record<string, readonly [string, 'author' | 'default']>>,
    ) =>
      stage('a', head, {
        settings: Object.fromEntries([
          ['optimizer', { text: head, from: 'author' as const }],
          ...Object.entries(args).map(
            ([name, [text, from]]) => [`optimizer.${name}`, { text, from }] as const,
          ),
        ]),
      });
    const { stages } = between(
      side([optimizer('adamw', { rate: ['1e-4', 'author'], beta2: ['0.999', 'default'] })]),
      side([
        optimizer('sgd', {
          rate: ['2e-4', 'author'],
          momentum: ['0.9', 'default'],
          nesterov: ['true', 'author'],
        }),
      ]),
    );
    expect(stages[0]?.settings.map(({ path }) => path)).to.deep.equal([
      'optimizer',
      'optimizer.nesterov',
      'optimizer.rate',
    ]);
  });

  const budget = (holds: boolean | null): readonly BudgetOutline[] => [
    { require: 'peak_memory <= 1GiB', holds },
  ];
  const warned: readonly DiagnosticSummary[] = [{ code: 'FTP1', severity: 'warning', message: 'm' }];
  const remark: readonly DiagnosticSummary[] = [{ code: 'FTP2', severity: 'info', message: 'm' }];
  const cases: readonly (readonly [Partial<PlanOutline>, Partial<PlanOutline>, string])[] = [
    [{}, {}, 'no change'],
    [{ budget: budget(true) }, { budget: budget(false) }, '1 budget is broken, nothing reruns'],
    [{ budget: budget(false) }, { budget: budget(true) }, '1 budget holds again, nothing reruns'],
    [{ budget: budget(true) }, { budget: budget(null) }, 'no change'],
    [{ diagnostics: warned }, {}, '1 warning gone, nothing reruns'],
    [{}, { diagnostics: warned, valid: false }, 'cannot run, 1 new warning, nothing reruns'],
    [{}, { diagnostics: remark }, 'nothing reruns'],
    [{}, { stages: [stage('a', '1', { figures: { rows: 5 } })] }, '1 size changed, nothing reruns'],
    [{ stages: [] }, { stages: [] }, 'no change'],
    [{ stages: [] }, { stages: [], diagnostics: remark }, 'only comments changed'],
  ];
  for (const [before, after, said] of cases)
    it(`come to: ${said} (${JSON.stringify([before, after]).length})`, () => {
      expect(headline(between(side([stage('a', '1')], before), side([stage('a', '1')], after)))[0]).to.equal(
        said,
      );
    });
});

describe('a requirement as words', () => {
  const rows = metric('rows');
  const dropped = measuring('ratio', 'dropped');
  const of = (op: BinaryExpression['op'], left: Expression, right: Expression): Expression =>
    binary(left, op, right);
  const cases: readonly (readonly [Expression, string])[] = [
    [of('>=', rows, value(500)), 'rows >= 500'],
    [of('<', dropped, value(0.2)), 'dropped < 20%'],
    [of('<', value(0.2), dropped), '20% < dropped'],
    [of('<', dropped, of('+', value(0.1), value(0.05))), 'dropped < 10% + 5%'],
    [of('<', dropped, of('*', value(2), value(3))), 'dropped < 2 * 3'],
    [of('<', of('-', rows, of('-', value(2), value(1))), value(3)), 'rows - (2 - 1) < 3'],
    [of('<', of('-', of('-', rows, value(2)), value(1)), value(3)), 'rows - 2 - 1 < 3'],
    [of('<', of('*', of('+', rows, value(1)), value(2)), value(3)), '(rows + 1) * 2 < 3'],
    [
      of('and', of('or', of('<', rows, value(1)), of('>=', rows, value(9))), of('<', dropped, value(0.5))),
      '(rows < 1 or rows >= 9) and dropped < 50%',
    ],
    [not(of('<', rows, value(1))), 'not rows < 1'],
    [of('<', negate(of('+', rows, value(1))), value(0)), '-(rows + 1) < 0'],
  ];
  for (const [condition, said] of cases) it(said, () => expect(requirementText(condition)).to.equal(said));
});
