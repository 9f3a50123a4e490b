/** Look-ups by index and the sums that are their gradients. Indices are i32 and within bounds. */
import { number } from '../attributes.js';
import { f32, sameShape, sizeOf, withAxis } from '../shape.js';
import { argument, expect, type OpDefinition, upstream } from './definition.js';

/** Rows of the first axis: data `[n, …rest]`, indices `[…lead]` → `[…lead, …rest]`. */
export const gather: OpDefinition = {
  infer(inputs) {
    const [data, indices] = [argument(inputs, 0), argument(inputs, 1)];
    expect(indices.dtype === 'i32' && data.shape.length > 0, 'gather takes i32 indices into rows');
    return [{ dtype: data.dtype, shape: [...indices.shape, ...data.shape.slice(1)] }];
  },
  gradient(context) {
    const { builder: b } = context;
    const [data, indices] = [argument(context.inputs, 0), argument(context.inputs, 1)];
    const [rows, ...rest] = b.shapeOf(data);
    const count = sizeOf(b.shapeOf(indices));
    const updates = b.reshape(upstream(context), [count, ...rest]);
    return [b.scatterRows(b.reshape(indices, [count]), updates, rows ?? 0), undefined];
  },
  cost: () => 0,
};

/** Sums rows: indices `[m]`, updates `[m, …rest]` → `[rows, …rest]`; equal indices add up. */
export const scatterRows: OpDefinition = {
  infer(inputs, attributes) {
    const [indices, updates] = [argument(inputs, 0), argument(inputs, 1)];
    expect(indices.dtype === 'i32' && updates.dtype === 'f32', 'scatterRows takes i32 indices and f32 rows');
    expect(
      indices.shape.length === 1 && indices.shape[0] === updates.shape[0],
      'scatterRows takes one index per row',
    );
    return [f32([number(attributes, 'rows'), ...updates.shape.slice(1)])];
  },
  gradient: (context) => [
    undefined,
    context.needs[1] ? context.builder.gather(upstream(context), argument(context.inputs, 0)) : undefined,
  ],
  cost: (inputs) => sizeOf(argument(inputs, 1).shape),
  // the zeros that are added to
  memory: { workspace: (_, outputs) => 4 * sizeOf(argument(outputs, 0).shape) },
};

/** One element along an axis for each index; indices have the shape of data except for that axis. */
export const gatherElements: OpDefinition = {
  infer(inputs, attributes) {
    const [data, indices] = [argument(inputs, 0), argument(inputs, 1)];
    const axis = number(attributes, 'axis');
    expect(
      indices.dtype === 'i32' && sameShape(withAxis(data.shape, axis, 0), withAxis(indices.shape, axis, 0)),
      `gatherElements of [${data.shape.join()}] by [${indices.shape.join()}]`,
    );
    return [{ dtype: data.dtype, shape: indices.shape }];
  },
  gradient(context) {
    const { builder: b } = context;
    const zeros = b.fill(0, b.shapeOf(argument(context.inputs, 0)));
    const axis = number(context.attributes, 'axis');
    return [b.scatterElements(zeros, argument(context.inputs, 1), upstream(context), axis), undefined];
  },
  cost: () => 0,
};

/** Data with each update added at its index along an axis. */
export const scatterElements: OpDefinition = {
  infer(inputs, attributes) {
    const [data, indices, updates] = [argument(inputs, 0), argument(inputs, 1), argument(inputs, 2)];
    const axis = number(attributes, 'axis');
    expect(
      data.dtype === 'f32' &&
        indices.dtype === 'i32' &&
        sameShape(indices.shape, updates.shape) &&
        sameShape(withAxis(data.shape, axis, 0), withAxis(indices.shape, axis, 0)),
      `scatterElements of [${updates.shape.join()}] into [${data.shape.join()}]`,
    );
    return [data];
  },
  gradient(context) {
    const { builder: b, needs } = context;
    const axis = number(context.attributes, 'axis');
    const dy = upstream(context);
    return [
      needs[0] ? dy : undefined,
      undefined,
      needs[2] ? b.gatherElements(dy, argument(context.inputs, 1), axis) : undefined,
    ];
  },
  cost: (inputs) => sizeOf(argument(inputs, 2).shape),
  memory: { inPlace: [0] },
};
