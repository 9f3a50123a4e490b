/** Kernels for the GPU that take the place of several of TensorFlow.js: one thread per element, or a workgroup per row. */
import { type Shape, sizeOf } from '../../../shape.js';
import type { TensorInfo } from '../library.js';
import { ROW_KERNEL } from './kernel-names.js';
import { elementwise, like, type Shader, THREADS } from './shader.js';

type Inputs = Readonly<Record<string, TensorInfo>>;
type RowKernelName = (typeof ROW_KERNEL)[keyof typeof ROW_KERNEL];

const rowsOf = (inputs: Inputs): number => sizeOf(like('x')(inputs).slice(0, -1));
const oneARow = (inputs: Inputs): Shape => [...like('x')(inputs).slice(0, -1), 1];

/** Folds a variable of each thread into one value, in one order: `fold` joins `parts[lane]` and `other`. */
const folded = (variable: string, fold: string): string => `
parts[lane] = ${variable};
workgroupBarrier();
for (var half = ${THREADS / 2}; half > 0; half /= 2) {
  if (lane < half) {
    let other = parts[lane + half];
    parts[lane] = ${fold};
  }
  workgroupBarrier();
}
${variable} = parts[0];
workgroupBarrier();`;

const EACH = `for (var at = lane; at < width; at += ${THREADS})`;

/**
 * A workgroup per row, whose code has `row`, `first` (its first element), `lane` and `width`; nothing is done past the
 * last row.
 */
const byRow = (
  shader: Omit<Shader, 'code' | 'groups' | 'declarations'>,
  rows: string,
  code: string,
): Shader => ({
  ...shader,
  uniforms: { width: 'i32', ...shader.uniforms },
  groups: rowsOf,
  declarations: `var<workgroup> parts : array<f32, ${THREADS}>;`,
  code: `
let row = index / ${THREADS};
let lane = i32(localId.x);
let width = select(0, uniforms.width, row < ${rows});
let first = row * width;
${code}`,
});

/** `top` and `sum` (of e^(value − top)) of a row; `value` is an expression of one score at `first + at`. */
const sumsOf = (value: string): string => `
var top = -3.4e38;
${EACH} { top = max(top, ${value}); }
${folded('top', 'max(parts[lane], other)')}
var sum = 0.0;
${EACH} { sum += exp(${value} - top); }
${folded('sum', 'parts[lane] + other')}`;

const softmaxOf = (value: string, write: string): string => `
${sumsOf(value)}
${EACH} { result[first + at] = ${write}; }`;

const MASKED = 'x[first + at] + mask[(first + at) % uniforms.period]';

export const ROW_SHADERS: Readonly<Record<RowKernelName, Shader>> = {
  [ROW_KERNEL.silu]: elementwise(
    { inputs: ['x'], shape: like('x') },
    'let gate = x[index];',
    'gate / (1.0 + exp(-gate))',
  ),
  /** silu(x)·y (Shazeer 2020, arXiv 2002.05202). */
  [ROW_KERNEL.swiGlu]: elementwise(
    { inputs: ['x', 'y'], shape: like('x') },
    'let gate = x[index];',
    'gate / (1.0 + exp(-gate)) * y[index]',
  ),
  [ROW_KERNEL.inverseScale]: byRow(
    { inputs: ['x'], uniforms: { epsilon: 'f32' }, shape: oneARow },
    'uniforms.size',
    `var sum = 0.0;
     ${EACH} { sum += x[first + at] * x[first + at]; }
     ${folded('sum', 'parts[lane] + other')}
     if (lane == 0 && row < uniforms.size) {
       result[row] = 1.0 / sqrt(sum / f32(uniforms.width) + uniforms.epsilon);
     }`,
  ),
  [ROW_KERNEL.scaled]: elementwise(
    { inputs: ['x', 'scale', 'weight'], uniforms: { width: 'i32' }, shape: like('x') },
    '',
    'x[index] * scale[index / uniforms.width] * weight[index % uniforms.width]',
  ),
  [ROW_KERNEL.rotary]: elementwise(
    { inputs: ['x', 'cos', 'sin'], uniforms: { width: 'i32', half: 'i32' }, shape: like('x') },
    `let column = index % (2 * uniforms.half);
     let isLeft = column < uniforms.half;
     let angle = index / uniforms.width * uniforms.half + column % uniforms.half;
     let other = x[select(index - uniforms.half, index + uniforms.half, isLeft)];
     let across = select(other, -other, isLeft) * sin[angle];`,
    'x[index] * cos[angle] + across',
  ),
  [ROW_KERNEL.maskedSoftmax]: byRow(
    { inputs: ['x', 'mask'], uniforms: { period: 'i32' }, shape: like('x') },
    'uniforms.size / uniforms.width',
    softmaxOf(MASKED, `exp(${MASKED} - top) / sum`),
  ),
  [ROW_KERNEL.logSoftmax]: byRow(
    { inputs: ['x'], shape: like('x') },
    'uniforms.size / uniforms.width',
    softmaxOf('x[first + at]', 'x[first + at] - top - log(sum)'),
  ),
  /** Of each row the largest score and log Σ e^(score − largest): log p of a score is what both leave of it. */
  [ROW_KERNEL.softmaxSums]: byRow(
    { inputs: ['x'], shape: (inputs) => [...like('x')(inputs).slice(0, -1), 2] },
    'uniforms.size / 2',
    `${sumsOf('x[first + at]')}
     if (lane == 0 && row < uniforms.size / 2) {
       result[2 * row] = top;
       result[2 * row + 1] = log(sum);
     }`,
  ),
  [ROW_KERNEL.pickedLogarithm]: elementwise(
    { inputs: ['x', 'sums', 'indices'], uniforms: { width: 'i32' }, shape: like('indices') },
    'let score = x[index * uniforms.width + indices[index]];',
    'score - sums[2 * index] - sums[2 * index + 1]',
  ),
};
