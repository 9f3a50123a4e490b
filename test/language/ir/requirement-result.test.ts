import { expect } from 'chai';
import { namesIn } from '../../../src/language/ir/expression.js';
import { expressionText } from '../../../src/language/ir/expression-text.js';
import type { BinaryExpression, Expression } from '../../../src/language/ir/program.js';
import { resultOf, unknownIn } from '../../../src/language/ir/requirement-result.js';
import { binary, metric, negate, not, value } from '../../helpers/expressions.js';

type Binary = BinaryExpression['op'];

const percent = (share: number): Expression => ({ ...value(share), type: 'ratio' });

const write = (condition: Expression): string => expressionText(condition, String);

const known: Readonly<Record<string, number>> = { rouge_l: 0.513, 'baseline.rouge_l': 0.5, loss: 2, zero: 0 };
const lookup = (path: readonly string[]) => known[path.join('.')];

function find(condition: Expression) {
  const requirement = { text: 'as written', condition, span: { file: 'a.ftp', start: 0, end: 1 } };
  const result = resultOf(requirement, lookup);
  if (result === undefined) throw new Error('something is not known');
  return result;
}

describe('requirements', () => {
  const gain = binary(metric('rouge_l'), '-', metric('baseline', 'rouge_l'));

  it('says what was found and what is needed', () => {
    const finding = find(binary(gain, '>=', value(0.02)));
    expect(finding.holds).to.equal(false);
    expect(finding.value).to.be.closeTo(0.013, 1e-12);
    expect(finding.limit).to.equal(0.02);
    expect(finding.operator).to.equal('>=');
    expect(finding.require).to.equal('as written');
    expect(finding.sentence).to.equal('rouge_l - baseline.rouge_l = 0.013, needs >= 0.02');
  });

  it('shows enough digits to tell value and limit apart', () => {
    const { sentence } = find(binary(value(0.0199999), '>=', value(0.02)));
    expect(sentence).to.equal('0.02 = 0.0199999, needs >= 0.02');
    const below = (found: number): string => find(binary(value(found), '<', value(1.0001))).sentence;
    expect(below(1.00012)).to.match(/ = 1\.00012, needs < 1\.0001$/);
  });

  it('shows a limit as it is written, and a computed one shortly', () => {
    const limit = (right: Expression): string => find(binary(metric('zero'), '>=', right)).sentence;
    expect(limit(value(1.00012345))).to.equal('zero = 0, needs >= 1.00012345');
    expect(limit(percent(0.123456))).to.equal('zero = 0%, needs >= 12.3456%');
    expect(limit(binary(value(1), '/', value(3)))).to.equal('zero = 0, needs >= 0.3333');
  });

  it('speaks in percent where the requirement does, and only there', () => {
    const sentence = (condition: Expression): string => find(condition).sentence;
    expect(sentence(binary(metric('zero'), '>=', percent(0.8)))).to.equal('zero = 0%, needs >= 80%');
    expect(sentence(binary(gain, '>=', percent(0.02)))).to.equal(
      'rouge_l - baseline.rouge_l = 1.3%, needs >= 2%',
    );
    expect(sentence(binary(metric('zero'), '>=', value(0.8)))).to.equal('zero = 0, needs >= 0.8');
    const share = binary(percent(0.5), '*', metric('loss'));
    expect(sentence(binary(metric('loss'), '<', share))).to.equal('loss = 2, needs < 1');
  });

  it('compares in all ways', () => {
    const cases: readonly [Binary, boolean, boolean, boolean][] = [
      ['<', true, false, false],
      ['<=', true, true, false],
      ['>', false, false, true],
      ['>=', false, true, true],
      ['==', false, true, false],
      ['!=', true, false, true],
    ];
    for (const [op, less, equal, more] of cases) {
      expect(find(binary(metric('loss'), op, value(3))).holds, `2 ${op} 3`).to.equal(less);
      expect(find(binary(metric('loss'), op, value(2))).holds, `2 ${op} 2`).to.equal(equal);
      expect(find(binary(metric('loss'), op, value(1))).holds, `2 ${op} 1`).to.equal(more);
    }
  });

  it('reckons', () => {
    expect(find(binary(binary(metric('loss'), '*', value(3)), '==', value(6))).holds).to.equal(true);
    expect(find(binary(binary(metric('loss'), '/', value(4)), '==', value(0.5))).holds).to.equal(true);
    expect(find(binary(binary(metric('loss'), '+', value(4)), '==', value(6))).holds).to.equal(true);
    expect(find(binary(negate(metric('loss')), '==', value(-2))).holds).to.equal(true);
  });

  it('names the part that decides', () => {
    const good = binary(metric('loss'), '<', value(3));
    const bad = binary(metric('loss'), '<', value(1));
    expect(find(binary(good, 'and', bad))).to.include({ holds: false, limit: 1 });
    expect(find(binary(bad, 'and', good))).to.include({ holds: false, limit: 1 });
    expect(find(binary(bad, 'or', good))).to.include({ holds: true, limit: 3 });
    expect(find(binary(bad, 'or', bad)).holds).to.equal(false);
    expect(find(not(good))).to.include({ holds: false, operator: '>=' });
    expect(find(not(binary(good, 'and', bad)))).to.include({ holds: true, operator: '>=', limit: 1 });
    expect(find(not(binary(bad, 'or', good)))).to.include({ holds: false, limit: 3 });
  });

  it('lets nothing pass that is no number', () => {
    const nothing = binary(metric('zero'), '/', metric('zero'));
    for (const op of ['<', '<=', '>', '>=', '==', '!='] as const) {
      expect(find(binary(nothing, op, value(1))).holds, op).to.equal(false);
      expect(find(not(binary(nothing, op, value(1)))).holds, `not ${op}`).to.equal(false);
    }
    expect(find(binary(value(null), '==', value(0))).holds).to.equal(false);
  });

  it('takes a bare truth value', () => {
    expect(find(value(true)).holds).to.equal(true);
    expect(find(value(false)).holds).to.equal(false);
    expect(find(not(value(false))).holds).to.equal(true);
  });

  it('refuses a name that nothing measured', () => {
    const condition = binary(
      binary(metric('loss'), '>', value(1)),
      'or',
      binary(metric('bleu'), '>', value(1)),
    );
    const requirement = { text: '', condition, span: { file: 'a.ftp', start: 0, end: 1 } };
    expect(resultOf(requirement, lookup)).to.equal(undefined);
    expect(unknownIn(requirement, lookup)).to.deep.equal(['bleu']);
  });

  it('writes expressions with the brackets that they need', () => {
    const sum = binary(value(1), '+', metric('loss'));
    expect(write(binary(sum, '*', value(2)))).to.equal('(1 + loss) * 2');
    expect(write(binary(value(1), '-', binary(value(2), '-', value(3))))).to.equal('1 - (2 - 3)');
    expect(write(not(binary(sum, '<', value(3))))).to.equal('not 1 + loss < 3');
    expect(namesIn(binary(gain, '>', not(metric('loss')))).map(({ path }) => path)).to.deep.equal([
      ['rouge_l'],
      ['baseline', 'rouge_l'],
      ['loss'],
    ]);
  });
});
