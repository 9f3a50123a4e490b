/** PiSSA (Meng et al. 2024, arXiv 2404.02948): training begins with the principal parts of the weights themselves. */
import { sizeOf } from '../../tensor/shape.js';
import { weightName } from '../architectures/index.js';
import type { Adapter, AdapterTensors, WeightStore } from '../types.js';
import {
  type AdaptedProjection,
  downName,
  firstDownName,
  firstUpName,
  isTrained,
  upName,
} from './branches.js';
import type { LoraConfig } from './config.js';
import { largestTriplets } from './svd.js';

/**
 * A = √(S ÷ scale)·Vᵀ and B = U·√(S ÷ scale) of the weights W = U·S·Vᵀ `[outputs, inputs]`, cut to the rank, so that
 * scale·B·A is the best approximation of W of that rank (peft, `pissa_init`): `down` is A `[rank, inputs]`, `up` B `[outputs, rank]`.
 */
export function principalFactors(
  weights: WeightStore,
  { path, outputs, inputs, transposed, branch: { rank, scale } }: AdaptedProjection,
): Readonly<Record<'down' | 'up', Float32Array>> {
  const data = matrixOf(weights, path);
  const [rows, columns] = transposed ? [inputs, outputs] : [outputs, inputs];
  const found = largestTriplets({ rows, columns, data }, rank);
  const [left, right] = transposed ? [found.right, found.left] : [found.left, found.right];
  const down = new Float32Array(rank * inputs);
  const up = new Float32Array(outputs * rank);
  found.values.forEach((value, k) => {
    const root = Math.sqrt(value / scale);
    right[k]?.forEach((part, input) => {
      down[k * inputs + input] = root * part;
    });
    left[k]?.forEach((part, output) => {
      up[output * rank + k] = root * part;
    });
  });
  return { down, up };
}

/** The weights of a linear layer, as they are stored. */
export const matrixOf = (weights: WeightStore, path: string): Float32Array =>
  matrixNamed(weights, weightName({ module: path }));

export function matrixNamed(weights: WeightStore, name: string): Float32Array {
  const stored = weights.get(name);
  const values = new Float32Array(sizeOf(stored.shape));
  stored.dequantise(values);
  return values;
}

/** An adapter that began so, as one over the weights as they are. */
export function plainAdapter({ config, tensors }: Adapter<'lora'>, first: AdapterTensors): Adapter<'lora'> {
  if (config.pissa !== true) return { config, tensors };
  const joined = [...tensors]
    .filter(([name]) => isTrained(name))
    .map(([name, { shape, data }]) => {
      const isDown = name.endsWith(DOWN);
      // an embedding or a head that is trained whole
      if (!isDown && !name.endsWith(UP)) return [name, { shape, data }] as const;
      const module = name.slice(0, name.length - (isDown ? DOWN : UP).length);
      const began =
        first.get(isDown ? firstDownName(module) : firstUpName(module))?.data ?? new Float32Array(0);
      const [rows = 0, columns = 0] = shape;
      return isDown
        ? ([name, { shape: [2 * rows, columns], data: below(data, began) }] as const)
        : ([name, { shape: [rows, 2 * columns], data: sideBySide(data, began, columns) }] as const);
    });
  return { config: plainConfig(config), tensors: new Map(joined) };
}

const DOWN = downName('');
const UP = upName('');

/** `[data; began]` */
function below(data: Float32Array, began: Float32Array): Float32Array {
  const out = new Float32Array(data.length + began.length);
  out.set(data);
  out.set(began, data.length);
  return out;
}

/** `[data | −began]`, both with rows of this width. */
function sideBySide(data: Float32Array, began: Float32Array, width: number): Float32Array {
  const out = new Float32Array(2 * data.length);
  for (let row = 0; row * width < data.length; row++) {
    out.set(data.subarray(row * width, (row + 1) * width), 2 * row * width);
    out.set(
      began.subarray(row * width, (row + 1) * width).map((value) => -value),
      (2 * row + 1) * width,
    );
  }
  return out;
}

/**
 * W − s·B₀·A₀ + s·B·A = W + s·[B | −B₀]·[A; A₀]: twice the rank, with an alpha that keeps the scale (peft,
 * `subtract_mutated_init`).
 */
export function plainConfig({ pissa, ...config }: LoraConfig): LoraConfig {
  if (pissa !== true) return config;
  const doubled = (values: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, 2 * value]));
  return {
    ...config,
    rank: 2 * config.rank,
    alpha: config.alpha * (config.rslora ? Math.SQRT2 : 2),
    ...(config.rankPattern === undefined ? {} : { rankPattern: doubled(config.rankPattern) }),
    ...(config.alphaPattern === undefined ? {} : { alphaPattern: doubled(config.alphaPattern) }),
  };
}
