import { expect } from 'chai';
import type { Expression, Stage, StageKind } from '../../src/ir/types.js';
import { failedRequirements } from '../../src/run/requirements.js';
import { span } from './worlds.js';

const metric = (...path: string[]): Expression => ({ op: 'metric', path });
const value = (number: number): Expression => ({ op: 'value', value: number });

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
      { op: '>=' as const, left: metric('rows'), right: value(400) },
      { op: '>' as const, left: metric('rouge_l'), right: metric('baseline', 'rouge_l') },
      { op: '==' as const, left: metric('other', 'rows'), right: value(7) },
    ])
      expect(failedRequirements(stage('data', '…', condition), results)).to.deep.equal([]);
  });

  it('name what was found where they do not', () => {
    const condition = { op: '>=' as const, left: metric('rows'), right: value(500) };
    const [data] = failedRequirements(stage('data', 'rows >= 500', condition), results);
    expect(data?.code).to.equal('FTP0821');
    expect(data?.message).to.contain('require rows >= 500').and.to.contain('rows = 400, needs >= 500');
    const [gate] = failedRequirements(stage('eval', 'rows >= 500', condition), results);
    expect(gate?.code).to.equal('FTP0822');
  });

  it('fail where nothing was measured under the name', () => {
    const condition = { op: '<' as const, left: metric('perplexity'), right: value(10) };
    const [found] = failedRequirements(stage('eval', 'perplexity < 10', condition), results);
    expect(found?.code).to.equal('FTP0824');
    expect(found?.message).to.contain('perplexity');
  });
});
