import { blueprintOf, projectionsOfModel, weightName } from '../architectures/index.js';
import { DEVIATION } from '../initialise.js';
import { sameLabels } from '../labels.js';
import { fillNormal, fillUniform } from '../random.js';
import type { Adapter, LoraConfig, ModelConfig, WeightStore } from '../types.js';
import { elementCount } from '../weights/sizes.js';
import { adaptedConfig } from './classifier.js';
import {
  type AdaptedProjection,
  adaptedProjections,
  downName,
  firstDownName,
  firstUpName,
  isNamed,
  magnitudeName,
  upName,
} from './layout.js';
import { principalFactors } from './pissa.js';
import { savedTensors } from './saved.js';

type Tensor = { readonly shape: readonly number[]; readonly data: Float32Array };

export interface InitOptions {
  /** Left out: `kaiming`; `pissa` where the adapter's config says so. */
  readonly init?: 'kaiming' | 'gaussian';
  /** The base, which DoRA, PiSSA and modules that are trained whole need. */
  readonly weights?: WeightStore;
}

/**
 * A fresh adapter as PEFT makes it: A from Kaiming's uniform with a = √5, which is U(−1/√in, 1/√in), or normal with a
 * deviation of 1/rank; B zero, so that the adapted model starts as its base; DoRA's magnitudes the norms of the rows of
 * the base's `weights`; a head over labels normal with a deviation of 0.02. The values of A depend on seed, tensor and
 * rank alone. Under PiSSA, A and B are the principal parts of the weights. Throws a `RangeError` where a target names no linear layer.
 */
export function initLora(
  config: ModelConfig,
  lora: LoraConfig,
  seed: number,
  { init = 'kaiming', weights }: InitOptions = {},
): Adapter {
  const all = projectionsOfModel(config);
  const unknown = lora.targets.find((target) => all.every(({ path }) => !isNamed(path, target)));
  if (unknown !== undefined) throw new RangeError(`no projection is named ${unknown}`);
  const tensors = new Map<string, Tensor>();
  for (const projection of adaptedProjections(config, lora)) {
    const { path, outputs, inputs, branch } = projection;
    const [downShape, upShape] = [
      [branch.rank, inputs],
      [outputs, branch.rank],
    ];
    const { down, up } = branch.residual
      ? principalFactors(needed(weights, 'PiSSA'), projection)
      : { down: randomFactor(projection, seed, init), up: new Float32Array(outputs * branch.rank) };
    tensors.set(downName(path), { shape: downShape, data: down });
    tensors.set(upName(path), { shape: upShape, data: up });
    if (branch.residual) {
      tensors.set(firstDownName(path), { shape: downShape, data: down.slice() });
      tensors.set(firstUpName(path), { shape: upShape, data: up.slice() });
    }
    if (branch.dora)
      tensors.set(magnitudeName(path), {
        shape: [outputs],
        data: rowNorms(needed(weights, 'DoRA'), projection),
      });
  }
  const { embedding, head } = blueprintOf(adaptedConfig(config, lora));
  for (const { role, name, shape } of savedTensors(config, lora)) {
    const data = new Float32Array(elementCount(shape));
    const from = (role === 'head' ? head.output : embedding).name;
    // only a classifier of the same labels has a head to begin with
    if (role === 'head' && lora.labels !== undefined && !sameLabels(config.labels, lora.labels))
      fillNormal(data, seed, name, DEVIATION);
    else needed(weights, 'what is trained whole').get(from).decode(data);
    tensors.set(name, { shape, data });
  }
  return { config: lora, tensors };
}

function needed(weights: WeightStore | undefined, what: string): WeightStore {
  if (weights === undefined) throw new RangeError(`${what} needs the base`);
  return weights;
}

function randomFactor(
  { path, inputs, branch: { rank } }: AdaptedProjection,
  seed: number,
  init: 'kaiming' | 'gaussian',
): Float32Array {
  const values = new Float32Array(rank * inputs);
  const stream = `${path}.lora_A`;
  const bound = 1 / Math.sqrt(inputs);
  if (init === 'gaussian') fillNormal(values, seed, stream, 1 / rank);
  else fillUniform(values, seed, stream, -bound, bound);
  return values;
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
