/** Activations of one element, and soft capping. */
import type { GraphBuilder } from '../../../tensor/builder.js';
import type { ValueId } from '../../../tensor/types.js';
import type { Activation, BottleneckActivation, Norm } from '../blueprint.js';
import { biasName, weightName } from '../index.js';
import type { LayerContext } from './linear.js';

type Build = (builder: GraphBuilder, x: ValueId) => ValueId;

const FAMILIES: Readonly<Record<Activation, Build>> = {
  silu: (b, x) => b.silu(x),
  /** x·Φ(x) = x/2·(1 + erf(x/√2)) (Hendrycks and Gimpel 2016, arXiv 1606.08415) */
  gelu: (b, x) => b.mul(b.mul(x, b.scalar(0.5)), b.add(b.erf(b.mul(x, b.scalar(Math.SQRT1_2))), b.scalar(1))),
  /** The same paper's approximation, x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))): transformers' `gelu_new`. */
  gelu_tanh(b, x) {
    const cubed = b.mul(b.mul(x, x), x);
    const inner = b.mul(b.add(x, b.mul(cubed, b.scalar(0.044715))), b.scalar(Math.sqrt(2 / Math.PI)));
    return b.mul(b.mul(x, b.scalar(0.5)), b.add(b.tanh(inner), b.scalar(1)));
  },
  /** The same paper's other one: x·σ(1.702·x). */
  gelu_quick: (b, x) => b.mul(x, b.sigmoid(b.mul(x, b.scalar(1.702)))),
  relu: (b, x) => b.relu(x),
};

const ACTIVATIONS: Readonly<Record<Activation | BottleneckActivation, Build>> = {
  ...FAMILIES,
  gelu_new: FAMILIES.gelu_tanh,
  sigmoid: (b, x) => b.sigmoid(x),
  tanh: (b, x) => b.tanh(x),
};

export const activate = (
  b: GraphBuilder,
  activation: Activation | BottleneckActivation,
  x: ValueId,
): ValueId => ACTIVATIONS[activation](b, x);

/** cap·tanh(x/cap), so that no value is beyond ±cap (Gemma 2, arXiv 2408.00118). */
export const capped = (b: GraphBuilder, x: ValueId, cap: number | undefined): ValueId =>
  cap === undefined ? x : b.mul(b.tanh(b.mul(x, b.scalar(1 / cap))), b.scalar(cap));

/** The gradient of x by way of that of y, which is x {@link capped}: dy·(1 − (y/cap)²). */
export function cappedGradient(b: GraphBuilder, y: ValueId, cap: number | undefined, dy: ValueId): ValueId {
  if (cap === undefined) return dy;
  const share = b.mul(y, b.scalar(1 / cap));
  return b.sub(dy, b.mul(dy, b.mul(share, share)));
}

/** x `[…, d]` normalised over its last axis. */
export function normalise(
  { builder: b, weight }: Pick<LayerContext, 'builder' | 'weight'>,
  norm: Norm,
  x: ValueId,
): ValueId {
  const width = [b.shapeOf(x).at(-1) ?? 0];
  const stored = weight(weightName(norm), width);
  const scale = norm.offset === 0 ? stored : b.add(stored, b.scalar(norm.offset));
  return norm.kind === 'rms'
    ? b.rmsNorm(x, scale, norm.epsilon)
    : b.layerNorm(x, scale, weight(biasName(norm), width), norm.epsilon);
}
