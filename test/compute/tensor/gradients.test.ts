/** Every gradient rule against central differences in float64. */
import { expect } from 'chai';
import { gradients } from '../../../src/compute/tensor/autodiff.js';
import { GraphBuilder } from '../../../src/compute/tensor/builder.js';
import { OPS } from '../../../src/compute/tensor/ops/index.js';
import { evaluate } from '../../../src/compute/tensor/runtimes/reference/index.js';
import { verify } from '../../../src/compute/tensor/verify.js';
import { CASES, graphOf, inputsOf, randomNumbers } from './cases.js';
import { DIFFERENTIABLE, differentiated, WITHOUT } from './differentiated.js';

const STEP = 1e-5;
const TOLERANCE = 1e-6;

describe('gradient rules agree with finite differences', () => {
  it('for every op, of which a case holds a node', () => {
    const proved = new Set<string>(DIFFERENTIABLE.map(({ op }) => op));
    expect(
      Object.keys(OPS)
        .filter((op) => !proved.has(op))
        .sort(),
    ).to.deep.equal(WITHOUT);
    for (const test of CASES)
      expect(
        graphOf(test).nodes.some(({ op }) => op === test.op),
        `${test.op} ${test.title}`,
      ).to.equal(true);
  });

  it('and a comparison has none', () => {
    const b = new GraphBuilder('compared');
    const x = b.input('x', [3]);
    const y = b.cast(b.equal(x, b.input('y', [3])), 'f32');
    const [found] = gradients(b, [{ value: y, gradient: b.input('dy', [3]) }], [x]);
    expect(found).to.equal(undefined);
  });

  it('detach, through which none flows', () => {
    const b = new GraphBuilder('detached');
    const x = b.input('x', [3]);
    const y = b.mul(b.detach(x), x);
    const [found] = gradients(b, [{ value: y, gradient: b.input('dy', [3]) }], [x]);
    b.output('gradient', found ?? y);
    expect(Array.from(evaluate(b.build(), { x: [2, 3, 4], dy: [1, 1, 1] })['gradient'] ?? [])).to.deep.equal([
      2, 3, 4,
    ]);
  });

  for (const test of DIFFERENTIABLE)
    it(`${test.op} ${test.title}`, () => {
      const { graph, wanted } = differentiated(test);
      verify(graph);
      const random = randomNumbers(5);
      const inputs: Record<string, number[]> = Object.fromEntries(
        Object.entries(inputsOf(test, graph)).map(([name, { data }]) => [name, Array.from(data, Number)]),
      );
      inputs['weight'] = (inputs['weight'] ?? []).map(() => random() + 0.5);
      const lossAt = () => evaluate(graph, inputs)['loss']?.[0] ?? Number.NaN;
      const found = evaluate(graph, inputs);
      for (const name of wanted.filter((input) => input !== 'mask')) {
        const values = inputs[name] ?? [];
        const gradient = found[`gradient.${name}`];
        // the angles of a rotation are constants
        if (test.op === 'rotary' && name !== 'x') continue;
        expect(gradient, name).to.have.length(values.length);
        values.forEach((value, index) => {
          values[index] = value + STEP;
          const above = lossAt();
          values[index] = value - STEP;
          const below = lossAt();
          values[index] = value;
          expect(gradient?.[index]).to.be.closeTo((above - below) / (2 * STEP), TOLERANCE);
        });
      }
    });
});
