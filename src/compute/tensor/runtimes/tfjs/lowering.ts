import { argument } from '../../ops/definition.js';
import type { Shape } from '../../shape.js';
import type { Attributes, TensorType } from '../../types.js';
import type { KernelAttributes, KernelInputs, Tensor } from './library.js';
import type { Weight } from './packings.js';

export interface LoweringContext {
  readonly inputs: readonly Tensor[];
  readonly inputTypes: readonly TensorType[];
  readonly outputTypes: readonly TensorType[];
  readonly attributes: Attributes;
  /** An input in the form and the parts that it lies in; asked for only where the lowering says that it reads such. */
  readonly weight: (index: number) => Weight;
  /** Whether a kernel may write over an input: it was computed in this run, and nothing reads it after this. */
  readonly mayOverwrite: (index: number) => boolean;
  /** Runs a kernel; what it gives is disposed of unless it becomes an output. */
  readonly kernel: (name: string, inputs: KernelInputs, attributes?: KernelAttributes) => Tensor;
  /** A constant f32 that the compiled graph keeps. */
  readonly scalar: (value: number) => Tensor;
}

export type Lowering = (context: LoweringContext) => readonly Tensor[];

export const shapeOf = (c: LoweringContext, index = 0): Shape => argument(c.inputTypes, index).shape;

export const reshaped = (c: LoweringContext, x: Tensor, shape: Shape): Tensor =>
  c.kernel('Reshape', { x }, { shape });
