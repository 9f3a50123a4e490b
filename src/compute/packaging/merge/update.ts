import { type AdaptedProjection, downName, magnitudeName, upName } from '../../models/adapters/branches.js';
import { type Adapter, ModelError, type StoredTensor } from '../../models/types.js';

/** A linear layer of a base as an adapter's factors are for it. */
export interface MergedProjection
  extends Pick<AdaptedProjection, 'path' | 'branch' | 'inputs' | 'outputs' | 'transposed'> {
  /** Names of A and B, where they are not those of a linear layer's. */
  readonly factors?: { readonly down: string; readonly up: string };
}

/** What an adapter makes of one weight, a few rows at a time. */
export interface WeightUpdate {
  /** Changes rows `first …` of the weight as it is stored, in place. */
  apply(rows: Float32Array, first: number): void;
}

/** The product of the factors, one row of the stored weight at a time. */
type RowOf = (row: number) => Float64Array;

/**
 * The update of a linear layer's weight. LoRA (Hu et al. 2021): W' = W + scale·B·A. DoRA (arXiv 2402.09353): the weights
 * of each output are then scaled to its magnitude. Products are summed in float64 and rounded once, which is closer to
 * the exact sum than a float32 product. Throws a {@link ModelError} if the adapter's shapes don't fit.
 */
export function weightUpdate(
  adapter: Adapter,
  projection: MergedProjection,
  stored: StoredTensor,
): WeightUpdate {
  const { path, branch, transposed } = projection;
  const product = productOf(adapter, projection);
  const width = stored.shape[1] ?? 0;
  const add = (rows: Float32Array, first: number, gain: (row: number, column: number) => number): void => {
    for (let row = 0; row * width < rows.length; row++) {
      const sum = product(first + row);
      for (let i = 0; i < width; i++) {
        const at = row * width + i;
        rows[at] = gain(first + row, i) * ((rows[at] as number) + (sum[i] as number));
      }
    }
  };
  if (!branch.dora) return { apply: (rows, first) => add(rows, first, () => 1) };
  const magnitudes = tensorOf(adapter, magnitudeName(path), [projection.outputs]);
  let gains: Float64Array | undefined;
  return {
    apply(rows, first) {
      gains ??= gainsOf(stored, projection, product, magnitudes);
      const known = gains;
      add(rows, first, (row, column) => known[transposed ? column : row] as number);
    },
  };
}

/** scale·B·A in the layout of the stored weight. The same memory is used for every row. */
function productOf(
  adapter: Adapter,
  { path, branch, inputs, outputs, transposed, factors }: MergedProjection,
): RowOf {
  const { rank, scale } = branch;
  const a = tensorOf(adapter, factors?.down ?? downName(path), [rank, inputs]);
  const b = tensorOf(adapter, factors?.up ?? upName(path), [outputs, rank]);
  const sum = new Float64Array(transposed ? outputs : inputs);
  return (row) => {
    sum.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = scale * ((transposed ? a[k * inputs + row] : b[row * rank + k]) as number);
      for (let i = 0; i < sum.length; i++)
        sum[i] = (sum[i] as number) + factor * ((transposed ? b[i * rank + k] : a[k * inputs + i]) as number);
    }
    return sum;
  };
}

/** Magnitude ÷ norm of each output's updated weights. */
function gainsOf(
  stored: StoredTensor,
  { outputs, transposed }: MergedProjection,
  product: RowOf,
  magnitudes: Float32Array,
): Float64Array {
  const [count = 0, width = 0] = stored.shape;
  const squares = new Float64Array(outputs);
  const row = new Float32Array(width);
  for (let index = 0; index < count; index++) {
    stored.dequantiseRows(index, 1, row);
    const sum = product(index);
    for (let i = 0; i < width; i++) {
      const output = transposed ? i : index;
      squares[output] = (squares[output] as number) + ((row[i] as number) + (sum[i] as number)) ** 2;
    }
  }
  return squares.map((square, output) => (magnitudes[output] as number) / Math.sqrt(square));
}

/**
 * A tensor of an adapter, row-major. Throws a {@link ModelError} `adapter_mismatch` if it is missing or has another
 * shape.
 */
export function tensorOf(adapter: Adapter, name: string, shape: readonly number[]): Float32Array {
  const tensor = adapter.tensors.get(name);
  if (tensor?.shape.join() === shape.join()) return tensor.data;
  const found = tensor === undefined ? 'is missing' : `has shape [${tensor.shape.join(', ')}]`;
  throw new ModelError(
    'adapter_mismatch',
    name,
    `The adapter's tensor ${found}; the weight needs [${shape.join(', ')}].`,
    'Use the base that the adapter was trained on.',
  );
}
