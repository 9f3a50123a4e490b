/** The tensor graph: one description that is executed, measured by the planner, and checked against the reference. */

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

/** Nodes stand in an order in which every input is defined before it is used. */
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

/** A tensor in the memory of a runtime's device: graphs of that runtime take and give it, the host sees its type alone. */
export interface DeviceTensor {
  readonly type: TensorType;
  readonly data?: never;
}

/** What a runtime takes and gives. */
export type Tensor = HostTensor | DeviceTensor;

export type Tensors = Readonly<Record<string, Tensor>>;

/** One compiled graph of a runtime. */
export interface CompiledGraph {
  readonly graph: Graph;
  /**
   * Runs the graph. `outputs` may carry tensors by name, which are then written and, where they are the host's,
   * returned; an output without one comes to the host. An output may be written over an input that is read element by
   * element at its end, such as a sum that is added to. Inputs are not changed otherwise; those of the host are copied
   * to a device for this run alone.
   */
  run(inputs: Tensors, outputs?: Tensors): Promise<Readonly<Record<string, HostTensor>>>;
  release(): Promise<void>;
}

/** Something that executes graphs: ONNX Runtime, TensorFlow, the plain reference. */
/** What a driver tells of itself and of its device. */
export interface DriverFacts {
  readonly name: string;
  /** Of the device and its limits, one each, for people. */
  readonly facts: readonly string[];
  /** It computes on the CPU. */
  readonly isSoftware: boolean;
}

export interface Runtime {
  readonly name: string;
  readonly version: string;
  /** Where it computes, of a runtime that has several places. */
  readonly device?: 'CPU' | 'GPU';
  /** Of a runtime that asks a driver. */
  readonly driver?: DriverFacts;
  /** Where its tensors lie from run to run. */
  readonly memory: Memory;
  /** Bytes of the largest tensor that a graph may give, of a runtime that knows a limit. */
  readonly largestTensor?: number;
  compile(graph: Graph): Promise<CompiledGraph>;
}
