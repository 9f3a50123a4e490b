import { projectionsOfModel, weightName } from '../architectures/index.js';
import { fillUniform } from '../random.js';
import type { Adapter, LoraConfig, ModelConfig, WeightStore } from '../types.js';
import { elementCount } from '../weights/sizes.js';
import {
  type AdaptedProjection,
  adaptedProjections,
  downName,
  isNamed,
  magnitudeName,
  upName,
} from './layout.js';

type Tensor = { readonly shape: readonly number[]; readonly data: Float32Array };

/**
 * A fresh adapter as PEFT makes it: A from Kaiming's uniform with a = √5, which is U(−1/√in, 1/√in); B zero, so that
 * the adapted model starts as its base; DoRA's magnitudes the norms of the rows of the base's `weights`. The values of
 * A depend on seed, tensor and rank alone. Throws a `RangeError` where a target names no linear layer.
 */
export function initLora(
  config: ModelConfig,
  lora: LoraConfig,
  seed: number,
  weights?: WeightStore,
): Adapter {
  const all = projectionsOfModel(config);
  const unknown = lora.targets.find((target) => all.every(({ path }) => !isNamed(path, target)));
  if (unknown !== undefined) throw new RangeError(`no projection is named ${unknown}`);
  const tensors = new Map<string, Tensor>();
  for (const projection of adaptedProjections(config, lora)) {
    const { path, outputs, inputs, branch } = projection;
    const a = new Float32Array(branch.rank * inputs);
    const bound = 1 / Math.sqrt(inputs);
    fillUniform(a, seed, `${path}.lora_A`, -bound, bound);
    tensors.set(downName(path), { shape: [branch.rank, inputs], data: a });
    const b = new Float32Array(outputs * branch.rank);
    tensors.set(upName(path), { shape: [outputs, branch.rank], data: b });
    if (!branch.dora) continue;
    if (weights === undefined) throw new RangeError('the magnitudes of DoRA need the base');
    tensors.set(magnitudeName(path), { shape: [outputs], data: rowNorms(weights, projection) });
  }
  return { config: lora, tensors };
}

/** The norm of what each output is computed with, summed in float64. */
function rowNorms(
  weights: WeightStore,
  { path, outputs, inputs, transposed }: AdaptedProjection,
): Float32Array {
  const stored = weights.get(weightName({ module: path }));
  const values = new Float32Array(elementCount(stored.shape));
  stored.decode(values);
  const [ofOutput, ofInput] = transposed ? [1, outputs] : [inputs, 1];
  return Float32Array.from({ length: outputs }, (_, output) => {
    let sum = 0;
    for (let input = 0; input < inputs; input++)
      sum += (values[output * ofOutput + input * ofInput] as number) ** 2;
    return Math.sqrt(sum);
  });
}
