/** The gradient of cross entropy, p·u − u at the label: written over the logits where nobody reads them any more. */
import type { Core } from '../library.js';
import { CROSS_ENTROPY_GRADIENT } from './kernel-names.js';
import { elementwise, like, named, runShader, type Shader, type WebGpuBackend } from './shader.js';

/** `score` is where the logit of an element is read. */
const shader = (inputs: readonly string[], score: string): Shader =>
  elementwise(
    { inputs, uniforms: { width: 'i32' }, shape: like('x') },
    `let row = index / uniforms.width;
     let probability = exp(${score} - sums[2 * row] - sums[2 * row + 1]) * upstream[row];
     let isLabel = index % uniforms.width == indices[row];`,
    'probability - select(0.0, upstream[row], isLabel)',
  );

const BESIDE = shader(['x', 'sums', 'indices', 'upstream'], 'x[index]');
const OVER = shader(['sums', 'indices', 'upstream'], 'result[index]');

export function registerCrossEntropyKernel(core: Core): void {
  core.registerKernel<WebGpuBackend>({
    kernelName: CROSS_ENTROPY_GRADIENT,
    backendName: 'webgpu',
    kernelFunc({ inputs, attrs, backend }) {
      const { x } = named(CROSS_ENTROPY_GRADIENT, ['x'], inputs);
      // a view of another tensor shares its buffer
      if (x === undefined || attrs['overwrites'] !== true || backend.refCount(x.dataId) !== 1)
        return runShader(backend, CROSS_ENTROPY_GRADIENT, BESIDE, inputs, attrs);
      backend.incRef(x.dataId);
      return runShader(backend, `${CROSS_ENTROPY_GRADIENT} over`, OVER, inputs, attrs, x);
    },
  });
}
