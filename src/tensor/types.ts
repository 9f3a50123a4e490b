/** The tensor graph: one description that is executed, measured by the planner, and checked against the reference. */

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

/** A tensor that a runtime takes or gives: a typed array in row-major order, and its shape. */
export interface HostTensor {
  readonly type: TensorType;
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

/** One compiled graph of a runtime. */
export interface CompiledGraph {
  readonly graph: Graph;
  /**
   * Runs the graph. `outputs` may carry preallocated tensors by name, which are then written and returned.
   * Inputs are never changed and never copied.
   */
  run(
    inputs: Readonly<Record<string, HostTensor>>,
    outputs?: Readonly<Record<string, HostTensor>>,
  ): Promise<Readonly<Record<string, HostTensor>>>;
  release(): Promise<void>;
}

/** Something that executes graphs: ONNX Runtime, TensorFlow, the plain reference. */
export interface Runtime {
  readonly name: string;
  readonly version: string;
  /** Where it computes, of a runtime that has several places. */
  readonly device?: 'CPU' | 'GPU';
  compile(graph: Graph): Promise<CompiledGraph>;
}
