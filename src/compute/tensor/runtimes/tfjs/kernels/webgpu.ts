/** Kernels for the GPU. Sums have one order each, so that the same inputs give the same bytes. */
import type { Shape } from '../../../shape.js';
import type { Core } from '../library.js';
import { registerCrossEntropyKernel } from './cross-entropy.js';
import { FORMS, formOf } from './forms.js';
import { FORM_KERNEL, type GpuKernelName, KERNEL } from './kernel-names.js';
import { registerProductKernel } from './product.js';
import { ROW_SHADERS } from './row-kernels.js';
import { registerScatterKernel } from './scatter.js';
import { elementwise, intoOf, like, runShader, type Shader, type WebGpuBackend } from './shader.js';

const ALONG = { rows: 'i32', count: 'i32', inner: 'i32' } as const;

const SHADERS: Readonly<Record<Exclude<GpuKernelName, typeof KERNEL.scatterRows>, Shader>> = {
  [KERNEL.toFloat]: elementwise({ inputs: ['x'], shape: like('x') }, '', 'f32(x[index])'),
  [KERNEL.toBf16]: elementwise(
    { inputs: ['x'], shape: like('x') },
    `let bits = bitcast<u32>(x[index]);
     // to the nearest, ties to even
     let near = (bits + 0x7fffu + ((bits >> 16u) & 1u)) & 0xffff0000u;`,
    'select(bitcast<f32>(near), x[index], isnan(x[index]))',
  ),
  [KERNEL.gatherElements]: elementwise(
    { inputs: ['x', 'indices'], uniforms: ALONG, shape: like('indices') },
    `let outer = index / (uniforms.count * uniforms.inner);
     let place = (outer * uniforms.rows + indices[index]) * uniforms.inner + index % uniforms.inner;`,
    'x[place]',
  ),
  [KERNEL.scatterElements]: elementwise(
    { inputs: ['x', 'indices', 'updates'], uniforms: ALONG, shape: like('x') },
    `let outer = index / (uniforms.rows * uniforms.inner);
     let row = (index / uniforms.inner) % uniforms.rows;
     var sum = x[index];
     for (var k = 0; k < uniforms.count; k++) {
       let at = (outer * uniforms.count + k) * uniforms.inner + index % uniforms.inner;
       if (indices[at] == row) { sum += updates[at]; }
     }`,
    'sum',
  ),
  ...ROW_SHADERS,
};

/** Weights of any form as f32: all of one, or the rows that indices name. The handles of the form come before the inputs. */
const READS: Readonly<Record<string, Shader>> = {
  [FORM_KERNEL.dequantise]: elementwise(
    { inputs: [], shape: (_, { shape }) => shape as Shape },
    '',
    'valueAt(index)',
  ),
  /** Those that are among some of its rows; the others stay what they are. */
  [FORM_KERNEL.gatherRows]: {
    inputs: ['indices'],
    uniforms: { inner: 'i32', first: 'i32', rows: 'i32' },
    shape: (inputs, { rest }) => [...like('indices')(inputs), ...(rest as Shape)],
    code: `
if (index < uniforms.size) {
  let row = indices[index / uniforms.inner] - uniforms.first;
  if (row >= 0 && row < uniforms.rows) {
    result[index] = valueAt(row * uniforms.inner + index % uniforms.inner);
  }
}`,
  },
};

export function registerWebGpuKernels(core: Core): void {
  for (const [kernelName, shader] of Object.entries(SHADERS))
    core.registerKernel<WebGpuBackend>({
      kernelName,
      backendName: 'webgpu',
      kernelFunc: ({ inputs, attrs, backend }) => runShader(backend, kernelName, shader, inputs, attrs),
    });
  for (const [kernelName, shader] of Object.entries(READS))
    core.registerKernel<WebGpuBackend>({
      kernelName,
      backendName: 'webgpu',
      kernelFunc({ inputs, attrs, backend }) {
        const form = formOf(attrs);
        const { inputs: parts, declarations } = FORMS[form];
        const whole = { ...shader, inputs: [...parts, ...shader.inputs], declarations };
        const into = intoOf(backend, inputs);
        return runShader(backend, `${kernelName} ${form}`, whole, inputs, attrs, into);
      },
    });
  registerProductKernel(core);
  registerCrossEntropyKernel(core);
  registerScatterKernel(core);
}
