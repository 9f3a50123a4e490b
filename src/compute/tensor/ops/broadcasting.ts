/** Binary arithmetic with NumPy's broadcasting. */
import { broadcast, f32, sameShape, sizeOf } from '../shape.js';
import type { ValueId } from '../types.js';
import { argument, expect, type GradientContext, type OpDefinition, sumTo, upstream } from './definition.js';

function binary(
  gradient: (context: GradientContext) => readonly [() => ValueId, () => ValueId],
): OpDefinition {
  return {
    infer(inputs) {
      const [a, b] = [argument(inputs, 0), argument(inputs, 1)];
      expect(a.dtype === 'f32' && b.dtype === 'f32', 'arithmetic is on f32');
      return [f32(broadcast(a.shape, b.shape))];
    },
    gradient(context) {
      return gradient(context).map((emit, index) => {
        if (!context.needs[index]) return undefined;
        return sumTo(context.builder, emit(), context.builder.shapeOf(argument(context.inputs, index)));
      });
    },
    cost: (_, outputs) => sizeOf(argument(outputs, 0).shape),
    memory: { inPlace: [0, 1] },
  };
}

const operands = ({ inputs }: GradientContext) => [argument(inputs, 0), argument(inputs, 1)] as const;

export const add = binary((context) => [() => upstream(context), () => upstream(context)]);

export const sub = binary((context) => [
  () => upstream(context),
  () => context.builder.neg(upstream(context)),
]);

export const mul = binary((context) => {
  const [a, b] = operands(context);
  return [() => context.builder.mul(upstream(context), b), () => context.builder.mul(upstream(context), a)];
});

export const div = binary((context) => {
  const { builder } = context;
  const [, b] = operands(context);
  return [
    () => builder.div(upstream(context), b),
    // d(a/b)/db = -(a/b)/b, with the quotient that exists already
    () => builder.neg(builder.div(builder.mul(upstream(context), argument(context.outputs, 0)), b)),
  ];
});

export const equal: OpDefinition = {
  infer(inputs) {
    const [a, b] = [argument(inputs, 0), argument(inputs, 1)];
    expect(a.dtype === b.dtype && a.dtype !== 'bool', 'equal compares numbers of one type');
    return [{ dtype: 'bool', shape: broadcast(a.shape, b.shape) }];
  },
  cost: (_, outputs) => sizeOf(argument(outputs, 0).shape),
};

export const where: OpDefinition = {
  infer(inputs) {
    const [condition, a, b] = [argument(inputs, 0), argument(inputs, 1), argument(inputs, 2)];
    expect(condition.dtype === 'bool', 'the condition of where is bool');
    expect(a.dtype === 'f32' && b.dtype === 'f32', 'where chooses between f32');
    return [f32(broadcast(condition.shape, broadcast(a.shape, b.shape)))];
  },
  gradient({ builder, inputs, gradients, needs, outputs }) {
    const [condition, a, b] = [argument(inputs, 0), argument(inputs, 1), argument(inputs, 2)];
    const gradient = argument(gradients as readonly ValueId[], 0);
    const zero = builder.scalar(0);
    const chosen = (value: ValueId, left: ValueId, right: ValueId) =>
      sumTo(builder, builder.where(condition, left, right), builder.shapeOf(value));
    expect(
      sameShape(builder.shapeOf(gradient), builder.shapeOf(argument(outputs, 0))),
      'gradient has the shape of its value',
    );
    return [
      undefined,
      needs[1] ? chosen(a, gradient, zero) : undefined,
      needs[2] ? chosen(b, zero, gradient) : undefined,
    ];
  },
  cost: (_, outputs) => sizeOf(argument(outputs, 0).shape),
  // the common implementation writes both halves before it merges them
  memory: { workspace: (_, outputs) => 8 * sizeOf(argument(outputs, 0).shape) },
};
