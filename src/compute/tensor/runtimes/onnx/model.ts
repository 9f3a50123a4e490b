/** Messages of onnx.proto3: a node, a tensor, a typed name, a model. Field numbers are the specification's. */
import type { DType, TensorType } from '../../types.js';
import { bytes, float, integer, message, spread, string } from '../protobuf.js';

/** Values of `TensorProto.DataType`. */
export const ELEMENT: Readonly<Record<DType, number>> = { f32: 1, i32: 6, i64: 7, bool: 9 };

/** The element type of codes. */
export const UINT8 = 2;

/** An element type that occurs only between two nodes. */
export const BFLOAT16 = 16;

/** The domain of ops over tiles, which ONNX Runtime has only on processors that it has kernels for. */
export const TILES = 'com.microsoft.nchwc';

const OPSET = 23;
const IR_VERSION = 10;
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 } as const;

export type OnnxAttribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] };

export interface OnnxNode {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** `com.microsoft`, or {@link TILES}, for ONNX Runtime's own ops. */
  readonly domain?: string;
}

function attribute(name: string, value: OnnxAttribute): Uint8Array {
  const named = string(1, name);
  if ('float' in value) return message(5, [named, float(2, value.float), integer(20, ATTRIBUTE.float)]);
  if ('int' in value) return message(5, [named, integer(3, value.int), integer(20, ATTRIBUTE.int)]);
  if ('text' in value) return message(5, [named, string(4, value.text), integer(20, ATTRIBUTE.string)]);
  return message(5, [named, ...value.ints.map((item) => integer(8, item)), integer(20, ATTRIBUTE.ints)]);
}

export const nodeMessage = (node: OnnxNode, name: string): Uint8Array =>
  message(1, [
    ...node.inputs.map((input) => string(1, input)),
    ...node.outputs.map((output) => string(2, output)),
    string(3, name),
    string(4, node.type),
    ...Object.entries(node.attributes ?? {}).map(([key, value]) => attribute(key, value)),
    ...(node.domain === undefined ? [] : [string(7, node.domain)]),
  ]);

export const initializerMessage = (
  name: string,
  type: TensorType,
  data: Float32Array | Int32Array | BigInt64Array,
): Uint8Array =>
  message(5, [
    ...type.shape.map((size) => integer(1, size)),
    integer(2, ELEMENT[type.dtype]),
    string(8, name),
    bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);

/** The same of numbers that are many and lie in several arrays, in parts. */
export const largeInitializerMessage = (
  name: string,
  element: number,
  shape: readonly number[],
  data: readonly (Uint8Array | Float32Array)[],
): readonly Uint8Array[] =>
  spread(5, [
    ...shape.map((size) => integer(1, size)),
    integer(2, element),
    string(8, name),
    ...spread(
      9,
      data.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
    ),
  ]);

/** A dimension that any size may be given for. */
const ANY = -1;

/** `ValueInfoProto`, under the field number of the graph's inputs or outputs. */
const valueMessage =
  (field: number) =>
  (name: string, element: number, shape: readonly number[]): Uint8Array =>
    message(field, [
      string(1, name),
      message(2, [
        message(1, [
          integer(1, element),
          message(
            2,
            shape.map((size) => message(1, [size === ANY ? string(2, 'any') : integer(1, size)])),
          ),
        ]),
      ]),
    ]);

export const inputMessage = valueMessage(11);
export const outputMessage = valueMessage(12);

/** An output that is a sequence of tensors of one element type. */
export const sequenceOutputMessage = (name: string, element: number): Uint8Array =>
  message(12, [string(1, name), message(2, [message(4, [message(1, [message(1, [integer(1, element)])])])])]);

/** A whole model from the parts of its graph. `tiles`: some of its ops are of the domain {@link TILES}. */
export const modelMessage = (
  name: string,
  parts: readonly Uint8Array[],
  tiles: boolean,
): readonly Uint8Array[] => [
  integer(1, IR_VERSION),
  string(2, 'ftpc'),
  ...spread(7, [...parts, string(2, name)]),
  message(8, [string(1, ''), integer(2, OPSET)]),
  ...['com.microsoft', ...(tiles ? [TILES] : [])].map((domain) =>
    message(8, [string(1, domain), integer(2, 1)]),
  ),
];
