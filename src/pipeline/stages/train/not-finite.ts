import type { WeightStore } from '../../../compute/models/types.js';
import { tensorNotFinite } from '../../../compute/models/weights/stored-tensor.js';
import { isNotFinite } from '../../../compute/training/index.js';
import { UserError } from '../../../language/diagnostics/types.js';

/** A training over frozen weights that stopped being a number says where that is the fault of one of them; other errors stay. */
export function withCulprit(error: unknown, base: string, weights: WeightStore): unknown {
  const tensor = isNotFinite(error) ? tensorNotFinite(weights) : undefined;
  if (!isNotFinite(error) || tensor === undefined) return error;
  return new UserError({
    ...error.diagnostic,
    notes: [`tensor "${tensor}" of \`${base}\` has values that are not finite`],
    help: 'download the base again, or use one whose weights are finite; weights that overflow in f16 need bf16 or f32',
  });
}
