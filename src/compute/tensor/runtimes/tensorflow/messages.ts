/**
 * Messages of TensorFlow's protos: a node and a function. Field numbers are those of node_def.proto, attr_value.proto,
 * tensor.proto and function.proto.
 */
import type { DType, TensorType } from '../../types.js';
import { bytes, float, integer, join, message, string } from '../protobuf.js';

/** Types of graphs, and those that only this library has. */
export type TensorFlowType = DType | 'u8' | 'u16' | 'f16' | 'bf16';

/** Values of `DataType` in types.proto. */
export const DATA_TYPE: Readonly<Record<TensorFlowType, number>> = {
  f32: 1,
  i32: 3,
  u8: 4,
  i64: 9,
  bool: 10,
  bf16: 14,
  u16: 17,
  f16: 19,
};

export type TensorFlowAttribute =
  | { readonly type: TensorFlowType }
  | { readonly int: number }
  | { readonly float: number }
  | { readonly flag: boolean }
  | { readonly tensor: TensorType; readonly data: ArrayBufferView };

export interface TensorFlowNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly attributes?: Readonly<Record<string, TensorFlowAttribute>>;
}

const shapeFields = (shape: readonly number[]): readonly Uint8Array[] =>
  shape.map((size) => message(2, [integer(1, size)]));

function attributeValue(value: TensorFlowAttribute): Uint8Array {
  if ('type' in value) return integer(6, DATA_TYPE[value.type]);
  if ('int' in value) return integer(3, value.int);
  if ('float' in value) return float(4, value.float);
  if ('flag' in value) return integer(5, Number(value.flag));
  const { buffer, byteOffset, byteLength } = value.data;
  return message(8, [
    integer(1, DATA_TYPE[value.tensor.dtype]),
    message(2, shapeFields(value.tensor.shape)),
    bytes(4, new Uint8Array(buffer, byteOffset, byteLength)),
  ]);
}

const attributeEntry = (key: string, value: TensorFlowAttribute): readonly Uint8Array[] => [
  string(1, key),
  message(2, [attributeValue(value)]),
];

const nodeFields = ({ op, name, inputs, attributes = {} }: TensorFlowNode): readonly Uint8Array[] => [
  string(1, name),
  string(2, op),
  ...inputs.map((input) => string(3, input)),
  ...Object.entries(attributes).map(([key, value]) => message(5, attributeEntry(key, value))),
];

export interface NamedType {
  readonly name: string;
  readonly dtype: TensorFlowType;
}

interface FunctionParts {
  readonly name: string;
  readonly inputs: readonly NamedType[];
  /** `from` is the value that is handed out: an input, or `node:output:index`. */
  readonly outputs: readonly (NamedType & { readonly from: string })[];
  readonly nodes: readonly TensorFlowNode[];
  /** XLA compiles all of it. */
  readonly xla?: boolean;
}

const argument = (field: number, { name, dtype }: NamedType): Uint8Array =>
  message(field, [string(1, name), integer(3, DATA_TYPE[dtype])]);

/** A `FunctionDef`. */
export const functionMessage = ({ name, inputs, outputs, nodes, xla }: FunctionParts): Uint8Array =>
  join([
    message(1, [
      string(1, name),
      ...inputs.map((input) => argument(2, input)),
      ...outputs.map((output) => argument(3, output)),
    ]),
    ...nodes.map((node) => message(3, nodeFields(node))),
    ...outputs.map(({ name: output, from }) => message(4, [string(1, output), string(2, from)])),
    ...(xla ? [message(5, attributeEntry('_XlaMustCompile', { flag: true }))] : []),
  ]);
