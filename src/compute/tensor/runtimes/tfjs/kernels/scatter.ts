/**
 * Sums of rows by index, without atomics: rows of one index are a chain, in their order, which the first of them adds
 * up. What is done grows with the rows that are added, not with those that they are added to.
 */
import type { Shape } from '../../../shape.js';
import type { Core } from '../library.js';
import { KERNEL } from './kernel-names.js';
import { elementwise, like, runShader, type Shader, THREADS, type WebGpuBackend } from './shader.js';

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

/** Written into zeros, the rows from `first` on: one thread a value of the rows that are added. */
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

export function registerScatterKernel(core: Core): void {
  core.registerKernel<WebGpuBackend>({
    kernelName: KERNEL.scatterRows,
    backendName: 'webgpu',
    kernelFunc({ inputs, attrs, backend }) {
      const given = { first: 0, ...attrs, rest: like('updates')(inputs).slice(1) };
      const chains = runShader(backend, `${KERNEL.scatterRows} chains`, CHAINS, inputs, given);
      const zeros = runShader(backend, `${KERNEL.scatterRows} zeros`, ZEROS, {}, given);
      const sums = runShader(backend, KERNEL.scatterRows, SUMS, { ...inputs, chains }, given, zeros);
      backend.disposeData(chains.dataId);
      return sums;
    },
  });
}
