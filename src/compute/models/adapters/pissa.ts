/** PiSSA (Meng et al. 2024, arXiv 2404.02948): training begins with the principal parts of the weights themselves. */
import { discarded, discardedYoung } from '../../tensor/garbage.js';
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

/** Bytes of vectors that a decomposition makes for each triplet and each row and column, about. */
const VECTORS = 4 * Float64Array.BYTES_PER_ELEMENT;

/**
 * A = √(S ÷ scale)·Vᵀ and B = U·√(S ÷ scale) of the weights W = U·S·Vᵀ `[outputs, inputs]`, cut to the rank, so that
 * scale·B·A is the best approximation of W of that rank (peft, `pissa_init`): `down` is A `[rank, inputs]`, `up` B
 * `[outputs, rank]`.
 */
export function principalFactors(
  data: Float32Array,
  { outputs, inputs, transposed, branch: { rank, scale } }: AdaptedProjection,
): Readonly<Record<'down' | 'up', Float32Array>> {
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
  discarded(VECTORS * rank * (rows + columns));
  return { down, up };
}

/** The weights of one linear layer after the other. */
export class Matrices {
  private decoded = new Float32Array(0);

  constructor(private readonly weights: WeightStore) {}

  of(path: string): Float32Array {
    return this.named(weightName({ module: path }));
  }

  /** As they are stored. What is decoded lies where that of the layer before lay. */
  named(name: string): Float32Array {
    const stored = this.weights.get(name);
    const held = stored.view();
    if (held !== undefined) return held;
    const size = sizeOf(stored.shape);
    if (this.decoded.length < size) {
      discarded(this.decoded.byteLength);
      this.decoded = new Float32Array(size);
    }
    const values = this.decoded.subarray(0, size);
    stored.dequantise(values);
    return values;
  }
}

/**
 * An adapter that began so, as one over the weights as they are. Its factors are made whenever they are read: together they take twice
 * what is trained, and they are written while that is still there.
 */
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
      const joined = isDown
        ? made([2 * rows, columns], () => below(data, began))
        : made([rows, 2 * columns], () => sideBySide(data, began, columns));
      return [name, joined] as const;
    });
  return { config: plainConfig(config), tensors: new Map(joined) };
}

/** Values that are made each time they are read, and are gone after that. */
const made = (shape: readonly number[], make: () => Float32Array) => ({
  shape,
  get data() {
    discardedYoung(Float32Array.BYTES_PER_ELEMENT * sizeOf(shape));
    return make();
  },
});

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
