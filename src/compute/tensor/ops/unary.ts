/** Functions of one element. */

import { text } from '../attributes.js';
import type { GraphBuilder } from '../builder.js';
import { sizeOf } from '../shape.js';
import type { DType, ValueId } from '../types.js';
import { argument, expect, type OpDefinition, upstream } from './definition.js';

function unary(
  /** Operations per element. */
  flops: number,
  gradient: (builder: GraphBuilder, gradient: ValueId, input: ValueId, output: ValueId) => ValueId,
  inPlace = true,
): OpDefinition {
  return {
    infer(inputs) {
      const input = argument(inputs, 0);
      expect(input.dtype === 'f32', 'functions are on f32');
      return [input];
    },
    gradient: (context) => [
      gradient(context.builder, upstream(context), argument(context.inputs, 0), argument(context.outputs, 0)),
    ],
    cost: (_, outputs) => flops * sizeOf(argument(outputs, 0).shape),
    memory: inPlace ? { inPlace: [0] } : {},
  };
}

export const neg = unary(1, (b, gradient) => b.neg(gradient));
export const exp = unary(8, (b, gradient, _, y) => b.mul(gradient, y));
export const log = unary(8, (b, gradient, x) => b.div(gradient, x));
export const sqrt = unary(2, (b, gradient, _, y) => b.div(b.mul(gradient, b.scalar(0.5)), y));
export const reciprocal = unary(2, (b, gradient, _, y) => b.neg(b.mul(gradient, b.mul(y, y))));
export const sigmoid = unary(10, (b, gradient, _, y) => b.mul(gradient, b.mul(y, b.sub(b.scalar(1), y))));
export const tanh = unary(12, (b, gradient, _, y) => b.mul(gradient, b.sub(b.scalar(1), b.mul(y, y))));

/** 2/√π·∫₀ˣ exp(−t²) dt, whose derivative is 2/√π·exp(−x²). */
export const erf = unary(12, (b, gradient, x) =>
  b.mul(gradient, b.mul(b.exp(b.neg(b.mul(x, x))), b.scalar(2 / Math.sqrt(Math.PI)))),
);

/**
 * x·sigmoid(x). Its derivative is s + (y − y·s) with s = sigmoid(x), y = x·s: as exact as s + y·(1 − s), since s is
 * rounded already, and each step overwrites the one before.
 */
export const silu = unary(
  11,
  (b, gradient, x, y) => {
    const s = b.sigmoid(x);
    return b.mul(gradient, b.add(b.sub(y, b.mul(y, s)), s));
  },
  false,
);

/** max(x, 0), whose derivative at 0 is 0, as PyTorch's. */
export const relu = unary(1, (b, gradient, _, y) => b.where(b.equal(y, b.scalar(0)), b.scalar(0), gradient));

const CAST_TARGETS: readonly string[] = ['f32', 'i32', 'i64', 'bool'];

export const cast: OpDefinition = {
  infer(inputs, attributes) {
    const to = text(attributes, 'to');
    expect(CAST_TARGETS.includes(to), `cast to ${to}`);
    return [{ dtype: to as DType, shape: argument(inputs, 0).shape }];
  },
  // only f32 carries a gradient, and a cast between f32 and f32 is not emitted
  gradient: () => [undefined],
  cost: (_, outputs) => sizeOf(argument(outputs, 0).shape),
};

/**
 * Rounds to the nearest bfloat16 (8 significant bits, ties to even); the values stay f32. Passes insert it where
 * gradients have been taken, so it has no gradient of its own.
 */
export const toBf16: OpDefinition = {
  infer(inputs) {
    const input = argument(inputs, 0);
    expect(input.dtype === 'f32', 'rounding is of f32');
    return [input];
  },
  cost: (_, outputs) => sizeOf(argument(outputs, 0).shape),
  memory: { workspace: (_, outputs) => 2 * sizeOf(argument(outputs, 0).shape) },
};
