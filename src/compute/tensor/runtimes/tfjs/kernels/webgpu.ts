/** Kernels for the GPU. Sums have one order each, so that the same inputs give the same bytes. */
import type { Shape } from '../../../shape.js';
import type { Core, KernelFunction } from '../library.js';
import { FORMS, formOf } from './forms.js';
import { CROSS_ENTROPY_GRADIENT, FORM_KERNEL, type GpuKernelName, KERNEL } from './kernel-names.js';
import { product } from './product.js';
import { ROW_SHADERS } from './row-kernels.js';
import {
  elementwise,
  intoOf,
  like,
  named,
  runShader,
  type Shader,
  THREADS,
  type WebGpuBackend,
} from './shader.js';

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

/** The gradient of cross entropy, p·u − u at the label. `score` is where the logit of an element is read. */
const crossEntropyShader = (inputs: readonly string[], score: string): Shader =>
  elementwise(
    { inputs, uniforms: { width: 'i32' }, shape: like('x') },
    `let row = index / uniforms.width;
     let probability = exp(${score} - sums[2 * row] - sums[2 * row + 1]) * upstream[row];
     let isLabel = index % uniforms.width == indices[row];`,
    'probability - select(0.0, upstream[row], isLabel)',
  );

const FRESH = crossEntropyShader(['x', 'sums', 'indices', 'upstream'], 'x[index]');
const OVER = crossEntropyShader(['sums', 'indices', 'upstream'], 'result[index]');

/** Written over the logits where nothing reads them any more; a view of another tensor shares its buffer. */
const crossEntropyGradient: KernelFunction<WebGpuBackend> = ({ inputs, attrs, backend }) => {
  const { x } = named(CROSS_ENTROPY_GRADIENT, ['x'], inputs);
  if (x === undefined || attrs['overwrites'] !== true || backend.refCount(x.dataId) !== 1)
    return runShader(backend, CROSS_ENTROPY_GRADIENT, FRESH, inputs, attrs);
  backend.incRef(x.dataId);
  return runShader(backend, `${CROSS_ENTROPY_GRADIENT} over`, OVER, inputs, attrs, x);
};

/** Of each index, whether it is the first of its kind, and the next one, or −1: as f32, which has 2²⁴ of them exactly. */
const CHAINS: Shader = {
  inputs: ['indices'],
  uniforms: { count: 'i32' },
  shape: (inputs) => [...like('indices')(inputs), 2],
  groups: (_, { count }) => Math.ceil((count as number) / THREADS),
  code: `
if (index < uniforms.count) {
  let own = indices[index];
  var isFirst = 1.0;
  for (var at = 0; at < index; at++) {
    if (indices[at] == own) { isFirst = 0.0; break; }
  }
  var next = -1;
  for (var at = index + 1; at < uniforms.count; at++) {
    if (indices[at] == own) { next = at; break; }
  }
  result[2 * index] = isFirst;
  result[2 * index + 1] = f32(next);
}`,
};

const summed = (_: unknown, { rows, rest }: Readonly<Record<string, unknown>>): Shape => [
  rows as number,
  ...(rest as Shape),
];

const ZEROS = elementwise({ inputs: [], shape: summed }, '', '0.0');

/** Written into zeros, the rows from `first` on: one thread per value of the rows that are added. */
const SUMS: Shader = {
  inputs: ['indices', 'updates', 'chains'],
  uniforms: { count: 'i32', inner: 'i32', first: 'i32', rows: 'i32' },
  shape: summed,
  groups: (_, { count, inner }) => Math.ceil(((count as number) * (inner as number)) / THREADS),
  code: `
let head = index / uniforms.inner;
let column = index % uniforms.inner;
if (head < uniforms.count && chains[2 * head] == 1.0) {
  let row = indices[head] - uniforms.first;
  if (row >= 0 && row < uniforms.rows) {
    var sum = 0.0;
    for (var at = head; at >= 0; at = i32(chains[2 * at + 1])) {
      sum += updates[at * uniforms.inner + column];
    }
    result[row * uniforms.inner + column] = sum;
  }
}`,
};

/**
 * Sums of rows by index, without atomics: rows of one index are a chain, in their order, which the first of them adds
 * up. What is done grows with the rows that are added, not with those that they are added to.
 */
const scatterRows: KernelFunction<WebGpuBackend> = ({ inputs, attrs, backend }) => {
  const given = { first: 0, ...attrs, rest: like('updates')(inputs).slice(1) };
  const chains = runShader(backend, `${KERNEL.scatterRows} chains`, CHAINS, inputs, given);
  const zeros = runShader(backend, `${KERNEL.scatterRows} zeros`, ZEROS, {}, given);
  const sums = runShader(backend, KERNEL.scatterRows, SUMS, { ...inputs, chains }, given, zeros);
  backend.disposeData(chains.dataId);
  return sums;
};

/** A weight of any form, which has a program of its own. */
const reading =
  (kernelName: string, shader: Shader): KernelFunction<WebGpuBackend> =>
  ({ inputs, attrs, backend }) => {
    const form = formOf(attrs);
    const { inputs: parts, declarations } = FORMS[form];
    const whole = { ...shader, inputs: [...parts, ...shader.inputs], declarations };
    return runShader(backend, `${kernelName} ${form}`, whole, inputs, attrs, intoOf(backend, inputs));
  };

export function registerWebGpuKernels(core: Core): void {
  const register = (kernelName: string, kernelFunc: KernelFunction<WebGpuBackend>) =>
    core.registerKernel({ kernelName, backendName: 'webgpu', kernelFunc });
  for (const [name, shader] of Object.entries(SHADERS))
    register(name, ({ inputs, attrs, backend }) => runShader(backend, name, shader, inputs, attrs));
  for (const [name, shader] of Object.entries(READS)) register(name, reading(name, shader));
  register(FORM_KERNEL.product, product);
  register(CROSS_ENTROPY_GRADIENT, crossEntropyGradient);
  register(KERNEL.scatterRows, scatterRows);
}
