import { expect } from 'chai';
import type { Expression, Program, Stage, StageKind } from '../../../src/language/ir/program.js';
import { budgetLines } from '../../../src/pipeline/planner/budget.js';
import { exceededBudgets, failedRequirements } from '../../../src/pipeline/run/requirements.js';
import { binary, metric, value } from '../../helpers/expressions.js';
import { span } from './worlds.js';

const stage = (kind: StageKind, text: string, condition: Expression): Stage => ({
  kind,
  name: 'own',
  settings: {},
  origins: {},
  requires: [{ text, condition, span }],
  inputs: [],
  span,
});

const results = {
  own: { outputs: {}, metrics: { rows: 400, rouge_l: 0.31 }, baseline: { rouge_l: 0.3 } },
  other: { outputs: {}, metrics: { rows: 7 } },
};

describe('requirements of a stage', () => {
  it('pass in silence where they hold, over own metrics, baseline and other stages', () => {
    for (const condition of [
      binary(metric('rows'), '>=', value(400)),
      binary(metric('rouge_l'), '>', metric('baseline', 'rouge_l')),
      binary(metric('other', 'rows'), '==', value(7)),
    ])
      expect(failedRequirements(stage('data', '…', condition), results)).to.deep.equal([]);
  });

  it('name what was found where they do not', () => {
    const condition = binary(metric('rows'), '>=', value(500));
    const [data] = failedRequirements(stage('data', 'rows >= 500', condition), results);
    expect(data?.code).to.equal('FTP0821');
    expect(data?.message).to.contain('require rows >= 500').and.to.contain('rows = 400, needs >= 500');
    const [gate] = failedRequirements(stage('eval', 'rows >= 500', condition), results);
    expect(gate?.code).to.equal('FTP0822');
  });

  it('fail where nothing was measured under the name', () => {
    const condition = binary(metric('perplexity'), '<', value(10));
    const [found] = failedRequirements(stage('eval', 'perplexity < 10', condition), results);
    expect(found?.code).to.equal('FTP0824');
    expect(found?.message).to.contain('perplexity');
  });
});

describe('budgets that refer to stages', () => {
  const budget = (left: Expression, right: number) => [
    {
      name: 'machine',
      settings: {},
      span,
      requires: [{ text: '…', condition: binary(left, '<=', value(right)), span }],
    },
  ];
  const took = { peak_memory: 9e9, wall_time: 90 };
  const stages = { 'adapter@rate=1e-4': { peak_memory: 4e9, wall_time: 60, loss: 2.5 } };
  const own = (name: string) => metric('adapter@rate=1e-4', name);

  it('are held against that stage alone, once it has run', () => {
    for (const [name, limit] of [
      ['peak_memory', 5e9],
      ['wall_time', 60],
      ['loss', 3],
    ] as const)
      expect(exceededBudgets(budget(own(name), limit), took, stages)).to.deep.equal([]);
    const [found] = exceededBudgets(budget(own('loss'), 2), took, stages);
    expect(found?.message).to.contain('it used 2.5');
    expect(exceededBudgets(budget(metric('blocked', 'loss'), 2), took, stages)).to.deep.equal([]);
  });

  it('are predicted where a plan knows the figure, and open where only a run does', () => {
    const program = (left: Expression, right: number) => ({ budgets: budget(left, right) });
    const lines = (left: Expression, right: number) =>
      budgetLines(program(left, right) as unknown as Program, took, {
        'adapter@rate=1e-4': { peak_memory: 4e9, wall_time: 60 },
      });
    expect(lines(own('peak_memory'), 5e9)[0]).to.include({ value: 4e9, limit: 5e9, holds: true });
    expect(lines(own('wall_time'), 59)[0]).to.include({ value: 60, holds: false });
    expect(lines(own('loss'), 2)[0]).to.include({ value: null, holds: null });
    expect(lines(metric('peak_memory'), 5e9)[0]).to.include({ value: 9e9, holds: false });
  });
});
