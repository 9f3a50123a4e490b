/** Kernels in WGSL, as the WebGPU backend of TensorFlow.js runs them. */
import { GraphError, type Shape, sizeOf } from '../../../shape.js';
import type { Backend, KernelAttributes, TensorInfo, TfjsType } from '../library.js';
import { INTO } from './kernel-names.js';

interface Layout {
  readonly x: Shape;
  readonly y?: Shape;
  readonly z?: Shape;
}

/** A program of the backend; TensorFlow.js adds bindings, `uniforms`, and `getGlobalIndex`. */
interface Program {
  readonly shaderKey: string;
  readonly variableNames: readonly string[];
  readonly outputShape: Shape;
  /** i32 and f32 that follow the shapes in the uniforms. */
  readonly uniforms: string;
  readonly workgroupSize: readonly [number, number, number];
  readonly dispatchLayout: Layout;
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
    /** Where the output is written; default: a tensor of its own. */
    output?: TensorInfo,
  ): TensorInfo;
  /** How many tensors share these data. */
  refCount(id: object): number;
  incRef(id: object): void;
  disposeData(id: object): boolean;
}

export interface Shader {
  readonly inputs: readonly string[];
  /** Attributes that the code reads as `uniforms.NAME`. */
  readonly uniforms?: Readonly<Record<string, 'i32' | 'f32'>>;
  /** Of the only output. */
  readonly shape: (inputs: Readonly<Record<string, TensorInfo>>, attributes: KernelAttributes) => Shape;
  /** Workgroups; default: enough for one thread per element of the output. */
  readonly groups?: (inputs: Readonly<Record<string, TensorInfo>>, attributes: KernelAttributes) => number;
  /** Declarations before `main`. */
  readonly declarations?: string;
  /** Body of `main(index: i32)`, index being the number of the thread. */
  readonly code: string;
}

/** Threads of a workgroup. */
export const THREADS = 64;

/** One program and what it runs over. */
interface ShaderRun {
  /** Differs where the code does. */
  readonly name: string;
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  /** Of the output, which is f32. */
  readonly shape: Shape;
  readonly uniforms: readonly {
    readonly name: string;
    readonly type: 'i32' | 'f32';
    readonly value: number;
  }[];
  readonly workgroup: readonly [number, number, number];
  /** Of the dispatch: `main` has an index where all lies in x. */
  readonly layout: Layout;
  readonly groups: readonly [number, number, number];
  readonly code: string;
  /** The tensor that the output is written over, which is `result` to the code; default: a tensor of its own. */
  readonly over?: TensorInfo;
}

/**
 * Programs see inputs as arrays and count by themselves, so TensorFlow.js is told of no shapes: it would compile
 * a program for each combination of ranks.
 */
export function runProgram(backend: WebGpuBackend, run: ShaderRun): TensorInfo {
  const info = backend.runWebGPUProgram(
    {
      shaderKey: run.name,
      variableNames: Object.keys(run.inputs),
      outputShape: [sizeOf(run.shape)],
      uniforms: run.uniforms.map(({ name, type }) => `${name} : ${type},`).join(' '),
      workgroupSize: run.workgroup,
      dispatchLayout: run.layout,
      dispatch: run.groups,
      size: true,
      getUserCode: () => run.code,
    },
    Object.values(run.inputs).map((input) => ({ ...input, shape: [] })),
    'float32',
    run.uniforms.map(({ type, value }) => ({ type: type === 'i32' ? 'int32' : 'float32', data: [value] })),
    run.over && { ...run.over, shape: [sizeOf(run.shape)] },
  );
  return { ...info, shape: run.shape };
}

/** The inputs of these names. Throws a {@link GraphError} if one is missing. */
export const named = (
  name: string,
  wanted: readonly string[],
  inputs: Readonly<Record<string, TensorInfo>>,
): Readonly<Record<string, TensorInfo>> =>
  Object.fromEntries(
    wanted.map((input) => {
      const found = inputs[input];
      if (found === undefined) throw new GraphError(`${name} misses its input ${input}`);
      return [input, found];
    }),
  );

/** The tensor that a kernel is told to write into: it gets one holder more. */
export function intoOf(
  backend: WebGpuBackend,
  inputs: Readonly<Record<string, TensorInfo>>,
): TensorInfo | undefined {
  const into = inputs[INTO];
  if (into !== undefined) backend.incRef(into.dataId);
  return into;
}

/** The shape of an input. */
export const like =
  (name: string) =>
  (inputs: Readonly<Record<string, TensorInfo>>): Shape =>
    (named('a shader', [name], inputs)[name] as TensorInfo).shape;

/** One thread per element of the output, of which `value` is an expression. */
export const elementwise = (shader: Omit<Shader, 'code'>, prepare: string, value: string): Shader => ({
  ...shader,
  code: `if (index < uniforms.size) {\n${prepare}\nresult[index] = ${value};\n}`,
});

/** Runs a shader of one thread per element, or one workgroup per row. */
export function runShader(
  backend: WebGpuBackend,
  name: string,
  shader: Shader,
  inputs: Readonly<Record<string, TensorInfo>>,
  attributes: KernelAttributes,
  over?: TensorInfo,
): TensorInfo {
  const shape = shader.shape(inputs, attributes);
  const groups = shader.groups?.(inputs, attributes) ?? Math.ceil(sizeOf(shape) / THREADS);
  return runProgram(backend, {
    name,
    inputs: named(name, shader.inputs, inputs),
    shape,
    uniforms: Object.entries(shader.uniforms ?? {}).map(([uniform, type]) => ({
      name: uniform,
      type,
      value: attributes[uniform] as number,
    })),
    workgroup: [THREADS, 1, 1],
    layout: { x: [0] },
    groups: [groups, 1, 1],
    ...(over && { over }),
    code: `${shader.declarations ?? ''}\nfn main(index : i32) {\n${shader.code}\n}`,
  });
}
