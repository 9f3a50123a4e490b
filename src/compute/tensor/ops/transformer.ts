/** Ops that decoders are made of and that runtimes have fused kernels for. */
import { number } from '../attributes.js';
import { f32, sameShape, sizeOf } from '../shape.js';
import { argument, expect, type OpDefinition, sumTo, upstream } from './definition.js';

/**
 * Root-mean-square norm (Zhang and Sennrich 2019, arXiv 1910.07467): x `[…, d]`, weight `[d]` →
 * y = x·inv·weight, and inv = 1/√(mean(x²) + ε) `[…, 1]`, which only the gradient uses.
 */
export const rmsNorm: OpDefinition = {
  infer(inputs) {
    const [x, weight] = [argument(inputs, 0), argument(inputs, 1)];
    expect(
      x.dtype === 'f32' && weight.shape.length === 1 && weight.shape[0] === x.shape.at(-1),
      `rmsNorm of [${x.shape.join()}] by [${weight.shape.join()}]`,
    );
    return [x, f32([...x.shape.slice(0, -1), 1])];
  },
  /** With n = x·inv and g = dy∘w: dx = inv·(g − n·mean(g∘n)), dw = Σ dy∘n. */
  gradient(context) {
    const { builder: b, needs } = context;
    const [x, weight] = [argument(context.inputs, 0), argument(context.inputs, 1)];
    const inv = argument(context.outputs, 1);
    const dy = upstream(context);
    expect(context.gradients[1] === undefined, 'the scale of rmsNorm carries no gradient');
    const normed = b.mul(x, inv);
    const last = b.shapeOf(x).length - 1;
    const dx = () => {
      const g = b.mul(dy, weight);
      return b.mul(b.sub(g, b.mul(normed, b.mean(b.mul(g, normed), [last], true))), inv);
    };
    return [
      needs[0] ? dx() : undefined,
      needs[1] ? sumTo(b, b.mul(dy, normed), b.shapeOf(weight)) : undefined,
    ];
  },
  cost: (inputs) => 5 * sizeOf(argument(inputs, 0).shape),
};

/**
 * Layer norm (Ba et al. 2016, arXiv 1607.06450): x `[…, d]`, weight and bias `[d]` →
 * y = (x − mean)·inv·weight + bias, and mean and inv = 1/√(variance + ε) `[…, 1]`, which only the gradient uses.
 */
export const layerNorm: OpDefinition = {
  infer(inputs) {
    const [x, weight, bias] = [argument(inputs, 0), argument(inputs, 1), argument(inputs, 2)];
    for (const { shape } of [weight, bias])
      expect(
        x.dtype === 'f32' && shape.length === 1 && shape[0] === x.shape.at(-1),
        `layerNorm of [${x.shape.join()}] by [${shape.join()}]`,
      );
    const scale = f32([...x.shape.slice(0, -1), 1]);
    return [x, scale, scale];
  },
  /** With n = (x − mean)·inv and g = dy∘w: dx = inv·(g − mean(g) − n·mean(g∘n)), dw = Σ dy∘n, db = Σ dy. */
  gradient(context) {
    const { builder: b, needs } = context;
    const [x, weight] = [argument(context.inputs, 0), argument(context.inputs, 1)];
    const [mean, inv] = [argument(context.outputs, 1), argument(context.outputs, 2)];
    const dy = upstream(context);
    expect(
      context.gradients[1] === undefined && context.gradients[2] === undefined,
      'mean and scale of layerNorm carry no gradient',
    );
    const normed = b.mul(b.sub(x, mean), inv);
    const last = b.shapeOf(x).length - 1;
    const dx = () => {
      const g = b.mul(dy, weight);
      const along = b.mul(normed, b.mean(b.mul(g, normed), [last], true));
      return b.mul(b.sub(b.sub(g, b.mean(g, [last], true)), along), inv);
    };
    return [
      needs[0] ? dx() : undefined,
      needs[1] ? sumTo(b, b.mul(dy, normed), b.shapeOf(weight)) : undefined,
      needs[2] ? sumTo(b, dy, b.shapeOf(weight)) : undefined,
    ];
  },
  cost: (inputs) => 7 * sizeOf(argument(inputs, 0).shape),
};

/**
 * Rotary position embedding (Su et al. 2021, arXiv 2104.09864) in Hugging Face's half-split layout:
 * x `[batch, seq, heads·dim]`, cos and sin `[batch, seq, dim/2]` → the shape of x. In each head the pair
 * (x[i], x[i + dim/2]) is turned by the angle of its position. It is a rotation: its gradient turns back.
 */
export const rotary: OpDefinition = {
  infer(inputs, attributes) {
    const [x, cos, sin] = [argument(inputs, 0), argument(inputs, 1), argument(inputs, 2)];
    const [batch, seq, width] = x.shape;
    const half = (width ?? 0) / number(attributes, 'heads') / 2;
    expect(x.shape.length === 3 && Number.isInteger(half), 'rotary turns [batch, seq, heads·dim]');
    for (const angle of [cos, sin])
      expect(
        sameShape(angle.shape, [batch ?? 0, seq ?? 0, half]),
        `angles of rotary are [${batch},${seq},${half}]`,
      );
    return [x];
  },
  gradient(context) {
    const { builder: b } = context;
    const [cos, sin] = [argument(context.inputs, 1), argument(context.inputs, 2)];
    const heads = number(context.attributes, 'heads');
    return [b.rotary(upstream(context), cos, b.neg(sin), heads), undefined, undefined];
  },
  cost: (inputs) => 3 * sizeOf(argument(inputs, 0).shape),
};
