import type { ValueId } from '../../../tensor/types.js';
import type { Norm } from '../blueprint.js';
import { biasName, weightName } from '../tensors.js';
import type { LayerContext } from './linear.js';

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
