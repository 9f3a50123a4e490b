/** The hyperparameters of Adam with decoupled weight decay; the rate comes from the schedule. */
export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
}

type Tensors = ReadonlyMap<string, { readonly data: Float32Array }>;

export interface Optimizer {
  /** First and second moments by the names of the parameters. */
  readonly m: ReadonlyMap<string, Float32Array>;
  readonly v: ReadonlyMap<string, Float32Array>;
  /** Step `step` (from 1) in place. Each gradient counts as `gradientScale` times itself: how clipping is applied. */
  update(
    gradients: ReadonlyMap<string, Float32Array>,
    step: number,
    rate: number,
    gradientScale: number,
  ): void;
}

/**
 * `torch.optim.AdamW` (Loshchilov and Hutter, 2019): decay first, then moments, then the update with bias correction.
 * Each element is computed in float64 and rounded to float32 where it is stored (parameter and moments), so it is at
 * most a rounding or two from torch, which rounds after every operation. Biases and norms are not decayed.
 */
export function createAdamW(parameters: Tensors, options: AdamWOptions): Optimizer {
  const zeros = (): ReadonlyMap<string, Float32Array> =>
    new Map([...parameters].map(([name, { data }]) => [name, new Float32Array(data.length)]));
  const m = zeros();
  const v = zeros();
  return {
    m,
    v,
    update(gradients, step, rate, gradientScale) {
      const { beta1, beta2, epsilon, decay } = options;
      const stepSize = rate / (1 - beta1 ** step);
      const correction = Math.sqrt(1 - beta2 ** step);
      for (const [name, { data }] of parameters) {
        const gradient = gradients.get(name);
        const mean = m.get(name);
        const square = v.get(name);
        if (gradient === undefined || mean === undefined || square === undefined) {
          throw new Error(`no gradient for ${name}`);
        }
        const keep = decays(name) ? 1 - rate * decay : 1;
        updateTensor(data, gradient, mean, square, {
          gradientScale,
          keep,
          beta1,
          beta2,
          stepSize,
          correction,
          epsilon,
        });
      }
    },
  };
}

/** Parameters without weight decay in transformers' Trainer (`get_decay_parameter_names`). */
const NOT_DECAYED = /bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)/i;

export function decays(name: string): boolean {
  return !NOT_DECAYED.test(name);
}

interface StepConstants {
  readonly gradientScale: number;
  readonly keep: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly stepSize: number;
  readonly correction: number;
  readonly epsilon: number;
}

function updateTensor(
  data: Float32Array,
  gradient: Float32Array,
  m: Float32Array,
  v: Float32Array,
  constants: StepConstants,
): void {
  const { gradientScale, keep, beta1, beta2, stepSize, correction, epsilon } = constants;
  const take1 = 1 - beta1;
  const take2 = 1 - beta2;
  const { length } = data;
  for (let i = 0; i < length; i++) {
    const g = Math.fround((gradient[i] as number) * gradientScale);
    const mean = Math.fround((m[i] as number) * beta1 + g * take1);
    const square = Math.fround((v[i] as number) * beta2 + g * g * take2);
    m[i] = mean;
    v[i] = square;
    data[i] = (data[i] as number) * keep - (stepSize * mean) / (Math.sqrt(square) / correction + epsilon);
  }
}
