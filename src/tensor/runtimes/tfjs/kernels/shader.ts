/** Kernels in WGSL, as the WebGPU backend of TensorFlow.js runs them. */
import { GraphError, type Shape, sizeOf } from '../../../shape.js';
import type { Backend, KernelAttributes, TensorInfo, TfjsType } from '../library.js';

/** A program of the backend; TensorFlow.js adds bindings, `uniforms`, and `getGlobalIndex`. */
interface Program {
  readonly shaderKey: string;
  readonly variableNames: readonly string[];
  readonly outputShape: Shape;
  /** i32 and f32 that follow the shapes in the uniforms. */
  readonly uniforms: string;
  readonly workgroupSize: readonly [number, number, number];
  readonly dispatchLayout: { readonly x: Shape };
  dispatch: readonly [number, number, number];
  /** Adds `uniforms.size`, the number of elements. */
  readonly size: boolean;
  getUserCode(): string;
}

export interface WebGpuBackend extends Backend {
  runWebGPUProgram(
    program: Program,
    inputs: readonly TensorInfo[],
    dtype: TfjsType,
    uniforms: readonly { readonly type: 'int32' | 'float32'; readonly data: readonly number[] }[],
  ): TensorInfo;
}

export interface Shader {
  readonly inputs: readonly string[];
  /** Attributes that the code reads as `uniforms.NAME`. */
  readonly uniforms?: Readonly<Record<string, 'i32' | 'f32'>>;
  /** Of the only output. */
  readonly shape: (inputs: Readonly<Record<string, TensorInfo>>, attributes: KernelAttributes) => Shape;
  /** Threads of a workgroup, 64 where left out. */
  readonly threads?: number;
  /** Workgroups: one for each element of a shape where given; else enough for one thread an element of the output. */
  readonly groups?: (inputs: Readonly<Record<string, TensorInfo>>, attributes: KernelAttributes) => number;
  /** Declarations before `main`. */
  readonly declarations?: string;
  /** Body of `main(index: i32)`, index being the number of the thread. */
  readonly code: string;
}

const THREADS = 64;

/** Runs a shader; the output is f32. */
export function runShader(
  backend: WebGpuBackend,
  name: string,
  shader: Shader,
  inputs: Readonly<Record<string, TensorInfo>>,
  attributes: KernelAttributes,
): TensorInfo {
  const tensors = shader.inputs.map((input) => {
    const found = inputs[input];
    if (found === undefined) throw new GraphError(`${name} misses its input ${input}`);
    return found;
  });
  const uniforms = Object.entries(shader.uniforms ?? {});
  const outputShape = shader.shape(inputs, attributes);
  const threads = shader.threads ?? THREADS;
  const groups = shader.groups?.(inputs, attributes) ?? Math.ceil(sizeOf(outputShape) / threads);
  return backend.runWebGPUProgram(
    {
      shaderKey: name,
      variableNames: shader.inputs,
      outputShape,
      uniforms: uniforms.map(([uniform, type]) => `${uniform} : ${type},`).join(' '),
      workgroupSize: [threads, 1, 1],
      dispatchLayout: { x: outputShape.map((_, axis) => axis) },
      dispatch: [groups, 1, 1],
      size: true,
      getUserCode: () => `${shader.declarations ?? ''}\nfn main(index : i32) {\n${shader.code}\n}`,
    },
    tensors,
    'float32',
    uniforms.map(([uniform, type]) => ({
      type: type === 'i32' ? 'int32' : 'float32',
      data: [attributes[uniform] as number],
    })),
  );
}
