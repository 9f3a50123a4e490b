/** Ops that move elements and compute nothing. */
import { list, number } from '../attributes.js';
import { broadcast, type Shape, sameShape, sizeOf, withAxis } from '../shape.js';
import { argument, expect, type OpDefinition, sumTo, upstream } from './definition.js';

const free = () => 0;

export const reshape: OpDefinition = {
  infer(inputs, attributes) {
    const { dtype, shape } = argument(inputs, 0);
    const to = list(attributes, 'shape');
    expect(sizeOf(shape) === sizeOf(to), `[${shape.join()}] reshaped to [${to.join()}]`);
    return [{ dtype, shape: to }];
  },
  gradient: (context) => [
    context.builder.reshape(upstream(context), context.builder.shapeOf(argument(context.inputs, 0))),
  ],
  cost: free,
  memory: { alias: 0 },
};

/** The value itself, through which no gradient flows. */
export const detach: OpDefinition = {
  infer: (inputs) => [argument(inputs, 0)],
  gradient: () => [undefined],
  cost: free,
  memory: { alias: 0 },
};

/** Gives nothing: its input is computed before what only nodes after it need. */
export const fence: OpDefinition = { infer: () => [], cost: free };

/** Repeats along axes of size 1 and new leading axes. */
export const expand: OpDefinition = {
  infer(inputs, attributes) {
    const { dtype, shape } = argument(inputs, 0);
    const to = list(attributes, 'shape');
    expect(
      dtype === 'f32' && sameShape(broadcast(shape, to), to),
      `[${shape.join()}] expanded to [${to.join()}]`,
    );
    return [{ dtype, shape: to }];
  },
  gradient: (context) => [
    sumTo(context.builder, upstream(context), context.builder.shapeOf(argument(context.inputs, 0))),
  ],
  cost: free,
};

export const transpose: OpDefinition = {
  infer(inputs, attributes) {
    const { dtype, shape } = argument(inputs, 0);
    const order = list(attributes, 'perm');
    const sorted = [...order].sort((a, b) => a - b);
    expect(sameShape(sorted, [...shape.keys()]), `[${order.join()}] permutes ${shape.length} axes`);
    return [{ dtype, shape: order.map((axis) => argument(shape, axis)) }];
  },
  gradient(context) {
    const order = list(context.attributes, 'perm');
    const inverse = order.map((_, axis) => order.indexOf(axis));
    return [context.builder.transpose(upstream(context), inverse)];
  },
  cost: free,
};

/** Elements `start` up to `end` of one axis. */
export const slice: OpDefinition = {
  infer(inputs, attributes) {
    const { dtype, shape } = argument(inputs, 0);
    const axis = number(attributes, 'axis');
    const [start, end] = [number(attributes, 'start'), number(attributes, 'end')];
    expect(
      start >= 0 && start < end && end <= argument(shape, axis),
      `slice ${start}:${end} of [${shape.join()}]`,
    );
    return [{ dtype, shape: withAxis(shape, axis, end - start) }];
  },
  gradient(context) {
    const axis = number(context.attributes, 'axis');
    const size = argument(context.builder.shapeOf(argument(context.inputs, 0)), axis);
    const [start, end] = [number(context.attributes, 'start'), number(context.attributes, 'end')];
    return [context.builder.pad(upstream(context), axis, start, size - end)];
  },
  cost: free,
};

/** Zeros before and after along one axis. */
export const pad: OpDefinition = {
  infer(inputs, attributes) {
    const { dtype, shape } = argument(inputs, 0);
    const axis = number(attributes, 'axis');
    const [before, after] = [number(attributes, 'before'), number(attributes, 'after')];
    expect(dtype === 'f32' && before >= 0 && after >= 0, 'pad adds zeros to f32');
    return [{ dtype, shape: withAxis(shape, axis, argument(shape, axis) + before + after) }];
  },
  gradient(context) {
    const axis = number(context.attributes, 'axis');
    const start = number(context.attributes, 'before');
    const size = argument(context.builder.shapeOf(argument(context.inputs, 0)), axis);
    return [context.builder.slice(upstream(context), axis, start, start + size)];
  },
  cost: free,
};

export const concat: OpDefinition = {
  infer(inputs, attributes) {
    const axis = number(attributes, 'axis');
    const first = argument(inputs, 0);
    const rest = (shape: Shape) => withAxis(shape, axis, 0);
    for (const input of inputs)
      expect(
        input.dtype === first.dtype && sameShape(rest(input.shape), rest(first.shape)),
        `concat of [${first.shape.join()}] and [${input.shape.join()}]`,
      );
    const size = inputs.reduce((total, input) => total + argument(input.shape, axis), 0);
    return [{ dtype: first.dtype, shape: withAxis(first.shape, axis, size) }];
  },
  gradient(context) {
    const axis = number(context.attributes, 'axis');
    let start = 0;
    return context.inputs.map((input, index) => {
      const from = start;
      start += argument(context.builder.shapeOf(input), axis);
      return context.needs[index] ? context.builder.slice(upstream(context), axis, from, start) : undefined;
    });
  },
  cost: free,
};
