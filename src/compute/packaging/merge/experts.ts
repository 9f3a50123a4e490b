/** What an adapter's factors over experts make of the tensors that hold these, as PEFT's `ParamWrapper` computes them. */
import { branchFor, downName, upName } from '../../models/adapters/branches.js';
import type { Branch } from '../../models/adapters/definition.js';
import { adaptedParameters, expertParameters, namesExperts } from '../../models/experts.js';
import type { Adapter, StoredTensor } from '../../models/types.js';
import { sizeOf } from '../../tensor/shape.js';
import { tensorOf, type WeightUpdate } from './update.js';

/** A tensor of a base's files that holds experts, or one of them. */
export interface MergedExperts {
  /** Where PEFT has the factors. */
  readonly factors: string;
  readonly branch: Branch;
  readonly experts: number;
  readonly inputs: number;
  readonly outputs: number;
  /** `[experts, inputs, outputs]`. */
  readonly transposed: boolean;
  /** The expert whose tensor it is, `[outputs, inputs]`; else it is of all. */
  readonly expert?: number;
  /** The first of the outputs that are its rows. */
  readonly first: number;
}

/** By the names in memory of a base's tensors; `modules`: those that have factors. */
export function mergedExperts(
  { config }: Adapter,
  modules: readonly string[],
  base: { readonly modelType: string; readonly tensors: readonly Pick<StoredTensor, 'name' | 'shape'>[] },
): ReadonlyMap<string, MergedExperts> {
  if (config.kind !== 'lora' || config.parameters === undefined) return new Map();
  const found = adaptedParameters(config.parameters, modules);
  const factorsOf = new Map([...found].map(([module, path]) => [path, module]));
  return new Map(
    expertParameters(base.tensors, base.modelType).flatMap(({ path, pieces, ...sizes }) => {
      const factors = factorsOf.get(path);
      if (factors === undefined || !namesExperts(path)) return [];
      const branch = branchFor(config, path);
      const { experts, inputs, outputs, transposed } = sizes;
      return pieces.map(({ name, expert, first }): [string, MergedExperts] => [
        name,
        {
          factors,
          branch,
          experts,
          inputs,
          outputs,
          transposed,
          first,
          ...(expert !== undefined && { expert }),
        },
      ]);
    }),
  );
}

/**
 * W' = W + scale·B·A of each expert. A is `[experts · rank, inputs]`, one expert after another; B `[outputs, rank · experts]`, all
 * experts of a rank after another. Summed in float64 and rounded once. Throws a `ModelError` if the adapter's shapes don't fit.
 */
export function expertUpdate(adapter: Adapter, merged: MergedExperts, stored: StoredTensor): WeightUpdate {
  const { factors, branch, experts, inputs, outputs, transposed, expert, first } = merged;
  const { rank, scale } = branch;
  const a = tensorOf(adapter, downName(factors), [experts * rank, inputs]);
  const b = tensorOf(adapter, upName(factors), [outputs, rank * experts]);
  const width = stored.shape.at(-1) ?? 0;
  const perExpert = sizeOf(stored.shape.slice(-2)) / width;
  const sum = new Float64Array(width);
  // one row of the stored matrix of an expert
  const product = (of: number, row: number): Float64Array => {
    sum.fill(0);
    for (let k = 0; k < rank; k++) {
      const [down, up] = [(of * rank + k) * inputs, k * experts + of];
      const factor =
        scale * ((transposed ? a[down + row] : b[(first + row) * rank * experts + up]) as number);
      for (let i = 0; i < width; i++)
        sum[i] =
          (sum[i] as number) + factor * ((transposed ? b[i * rank * experts + up] : a[down + i]) as number);
    }
    return sum;
  };
  const rowsPerStored = sizeOf(stored.shape.slice(1)) / width;
  return {
    apply(rows, start) {
      for (let row = 0; row * width < rows.length; row++) {
        const at = start * rowsPerStored + row;
        const added =
          expert === undefined ? product(Math.floor(at / perExpert), at % perExpert) : product(expert, at);
        for (let i = 0; i < width; i++)
          rows[row * width + i] = (rows[row * width + i] as number) + (added[i] as number);
      }
    },
  };
}
