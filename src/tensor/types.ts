/** The tensor graph: one description that runtimes execute, the planner measures, and tests check against the reference. */
import type { Memory } from './memory.js';

export type DType = 'f32' | 'i32' | 'i64' | 'bool';

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A value in a graph: an input, a constant, or one output of a node. */
export type ValueId = number;

export type Attribute = number | boolean | string | readonly number[];
export type Attributes = Readonly<Record<string, Attribute>>;

export interface Node {
  readonly op: string;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  readonly attributes: Attributes;
}

export interface NamedValue {
  readonly name: string;
  readonly value: ValueId;
}

export interface Constant {
  readonly value: ValueId;
  readonly data: Float32Array | Int32Array | BigInt64Array;
}

/** Nodes are in topological order: every value is defined before it is used. */
export interface Graph {
  readonly name: string;
  readonly types: readonly TensorType[];
  readonly inputs: readonly NamedValue[];
  readonly constants: readonly Constant[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly NamedValue[];
}

/** A tensor in the memory of the host: a typed array in row-major order, and its shape. */
export interface HostTensor {
  readonly type: TensorType;
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

/** A tensor in the memory of a runtime's device. Graphs of that runtime accept and return it; the host sees only its type. */
export interface DeviceTensor {
  readonly type: TensorType;
  readonly data?: never;
}

/** What the graphs of a runtime accept and return. */
export type Tensor = HostTensor | DeviceTensor;

export type Tensors = Readonly<Record<string, Tensor>>;

/** One compiled graph of a runtime. */
export interface CompiledGraph {
  readonly graph: Graph;
  /**
   * Runs the graph. `outputs` may name tensors to write results into; those on the host are returned too. An output
   * without one is allocated on the host. An output may overwrite an input that its last node reads element by element,
   * such as an accumulated sum; inputs are not changed otherwise. Host inputs are copied to a device for this run only.
   */
  run(inputs: Tensors, outputs?: Tensors): Promise<Readonly<Record<string, HostTensor>>>;
  release(): Promise<void>;
}

/** What a driver reports about itself and its device. */
export interface DriverFacts {
  readonly name: string;
  /** Facts about the device and its limits, for people to read. */
  readonly facts: readonly string[];
  /** A software driver: it computes on the CPU. */
  readonly isSoftware: boolean;
}

/** Something that executes graphs: ONNX Runtime, TensorFlow, TensorFlow.js, the plain reference. */
export interface Runtime {
  readonly name: string;
  readonly version: string;
  /** Where it computes, if the runtime supports several devices. */
  readonly device?: 'CPU' | 'GPU';
  /** Only of runtimes that use a driver. */
  readonly driver?: DriverFacts;
  /** Owns the tensors that outlive a run. */
  readonly memory: Memory;
  /** Bytes of the largest tensor that a graph may output, if the runtime has a limit. */
  readonly largestTensor?: number;
  compile(graph: Graph): Promise<CompiledGraph>;
}
