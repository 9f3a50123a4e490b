import { type Adapter, ModelError } from '../../models/types.js';

/** The update of one weight, added to some of its rows at a time. */
export interface WeightUpdate {
  /** Adds rows `first …` of (alpha ÷ rank)·B·A to `rows`, `[count, in]`, in place. */
  add(rows: Float32Array, first: number): void;
}

/**
 * The low-rank update of a weight `[out, in]`; `undefined` where the adapter leaves it alone. Products are summed in
 * float64 and rounded once, when they are added: closer to the exact sum than a float32 product.
 * Hu et al. 2021, LoRA: W' = W + (alpha ÷ r)·B·A. Throws a {@link ModelError} where the shapes don't fit.
 */
export function weightUpdate(
  adapter: Adapter,
  weight: string,
  shape: readonly number[],
): WeightUpdate | undefined {
  const path = weight.replace(/\.weight$/, '');
  const a = adapter.tensors.get(`${path}.lora_A.weight`);
  const b = adapter.tensors.get(`${path}.lora_B.weight`);
  if (a === undefined || b === undefined) return undefined;
  const [out = 0, width = 0] = shape;
  const { rank, alpha } = adapter.config;
  if (a.shape.join() !== `${rank},${width}` || b.shape.join() !== `${out},${rank}`) {
    throw new ModelError(
      'adapter_mismatch',
      weight,
      `The adapter's matrices of shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}] don't fit the weight's [${shape.join(', ')}].`,
      'Use the base that the adapter was trained on.',
    );
  }
  const scale = alpha / rank;
  const sum = new Float64Array(width);
  return {
    add(rows, first) {
      for (let row = 0; row * width < rows.length; row++) {
        sum.fill(0);
        for (let k = 0; k < rank; k++) {
          const factor = scale * (b.data[(first + row) * rank + k] as number);
          for (let i = 0; i < width; i++)
            sum[i] = (sum[i] as number) + factor * (a.data[k * width + i] as number);
        }
        const start = row * width;
        for (let i = 0; i < width; i++) rows[start + i] = (rows[start + i] as number) + (sum[i] as number);
      }
    },
  };
}
