/** The tensor graph: one description that runtimes execute, the planner measures, and tests check against the reference. */
import type { OpName } from './ops/names.js';

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
  readonly op: OpName;
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

/**
 * float32 values in a form that takes less memory. Graphs know nothing of it: a runtime whose memory takes the form
 * dequantises it where a graph reads the tensor, exactly; for others it is dequantised on the host.
 */
export type PackedTensor = HalfTensor | CodedTensor;

export interface HalfTensor {
  readonly form: 'f16' | 'bf16';
  readonly shape: readonly number[];
  /** Two bytes per value, little-endian. */
  readonly bits: Uint8Array;
}

/** Codes of four bits into a table, times a constant per block of values: NF4 as bitsandbytes lays it out. */
export interface CodedTensor {
  readonly form: 'coded';
  readonly shape: readonly number[];
  /** Two per byte, the first in the upper half. */
  readonly codes: Uint8Array;
  /** 16 values; one object for all tensors of a table. */
  readonly table: Float32Array;
  /** Values that share a constant. */
  readonly block: number;
  readonly constants: Float32Array | CodedConstants;
}

/** Constants that are codes themselves: `table[code] · scale + offset`, rounded after either. */
interface CodedConstants {
  readonly codes: Uint8Array;
  /** 256 values. */
  readonly table: Float32Array;
  /** Constants that share a scale. */
  readonly block: number;
  readonly scales: Float32Array;
  readonly offset: number;
}

/**
 * A matrix whose rows are cut into blocks of columns: each value is the sum of its digits, scale · (code − zero), plus the
 * offset of its block. Scales and offsets are one per block, row by row.
 */
export interface CodeMatrix {
  readonly form: 'digits';
  readonly shape: readonly number[];
  /** Columns of a block; divides them all. */
  readonly block: number;
  readonly digits: readonly {
    /** Of 4 bits, two per byte, the first in the lower half. */
    readonly codes: Uint8Array;
    readonly scales: Float32Array;
    /** From 0 to 15. */
    readonly zero: number;
  }[];
  /** Left out where all are 0. */
  readonly offsets?: Float32Array;
}

/** Inputs of a graph that never change, by their names. */
export type FixedTensors = ReadonlyMap<string, HostTensor | CodeMatrix>;

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

/** What a memory holds; bytes as its tensors occupy there. */
export interface Account {
  readonly tensors: number;
  readonly bytes: number;
  /** The most bytes held at the same time so far. */
  readonly peak: number;
}

/**
 * Reusable memory for one tensor at a time: the next tensor may overwrite it. Asking again for the same type returns the
 * same object.
 */
export interface TensorBuffer {
  /** Its content is undefined until it is written or is the output of a run. */
  tensor(type: TensorType): Tensor;
  release(): void;
}

/**
 * The memory for tensors that outlive a run of a graph. A runtime that computes in host memory uses arrays directly, at no
 * cost; one with a device keeps tensors there, and only `write` and `read` move data between host and device.
 */
export interface Memory {
  /** Whether this is host memory: tensors are then {@link HostTensor}s, and neither `hold` nor `read` copies. */
  readonly isHost: boolean;
  buffer(): TensorBuffer;
  /** A tensor with these values, which stay until {@link free}. */
  hold(tensor: HostTensor): Tensor;
  /** The same for values in a packed form, which stay packed; `undefined` if this memory does not support the form. */
  holdPacked(packed: PackedTensor): Tensor | undefined;
  free(tensor: Tensor): void;
  /** Replaces the content of tensors: `fill` gets arrays with undefined content and has to write every element. */
  write(tensors: readonly Tensor[], fill: (...data: readonly HostTensor['data'][]) => void): void;
  /** Makes all elements zero. */
  zero(tensor: Tensor): void;
  /** The content; valid until the tensor is written again. */
  read(tensor: Tensor): Promise<HostTensor>;
  readonly account: Account;
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
  /**
   * Places of the tiles in which inputs of graphs may lie (see `tiles.ts`) for products with them to be faster; `undefined`
   * on a processor for which it has no such kernels. Only of runtimes that can do it, for what is compiled after it was asked.
   */
  tileSize?(): Promise<number | undefined>;
  /**
   * Compiles a graph some of whose inputs never change: they are copied, and not given to a run. Products with a
   * {@link CodeMatrix} read its codes. `open`: where one of these, which are prime, is the size of a dimension of an input, any
   * size may be given; at most one of them is in what a reshape names. `undefined` where the graph does something with a {@link CodeMatrix} other than to multiply by it. Only of
   * runtimes that can do it.
   */
  compileFixed?(
    graph: Graph,
    fixed: FixedTensors,
    open: readonly number[],
  ): Promise<CompiledGraph | undefined>;
}
