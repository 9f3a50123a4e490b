/** A case and its gradients as one graph. */
import { gradients } from '../../../src/compute/tensor/autodiff.js';
import { GraphBuilder } from '../../../src/compute/tensor/builder.js';
import { OPS } from '../../../src/compute/tensor/ops/index.js';
import { sizeOf } from '../../../src/compute/tensor/shape.js';
import { CASES, type Case } from './cases.js';

/** Ops without a rule to compare: none flows through a detached value, comparing and rounding have no slope, and a fence gives nothing. */
export const WITHOUT = ['detach', 'equal', 'fence', 'toBf16'];
export const DIFFERENTIABLE = CASES.filter(
  ({ op }) => OPS[op].gradient !== undefined && !WITHOUT.includes(op),
);

/** loss = Σ weight ∘ result, and the gradient of each f32 input. */
export function differentiated(test: Case) {
  const b = new GraphBuilder(test.title);
  const [result] = test.build(b);
  if (result === undefined) throw new Error('a case gives a result');
  const weight = b.input('weight', b.shapeOf(result));
  const product = b.mul(result, weight);
  b.output('loss', b.sum(b.reshape(product, [sizeOf(b.shapeOf(product))]), [0]));
  const wanted = b
    .build()
    .inputs.filter(({ name, value }) => name !== 'weight' && b.typeOf(value).dtype === 'f32');
  const found = gradients(
    b,
    [{ value: result, gradient: weight }],
    wanted.map(({ value }) => value),
  );
  wanted.forEach(({ name }, index) => {
    const gradient = found[index];
    if (gradient !== undefined) b.output(`gradient.${name}`, gradient);
  });
  return { graph: b.build(), wanted: wanted.map(({ name }) => name) };
}
