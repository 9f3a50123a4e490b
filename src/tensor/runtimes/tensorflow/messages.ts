/**
 * Messages of TensorFlow's protos: a node, a function, a graph, a SavedModel. Field numbers are those of
 * node_def.proto, attr_value.proto, tensor.proto, function.proto, graph.proto and saved_model.proto.
 */
import type { DType, TensorType } from '../../types.js';
import { bytes, float, integer, join, message, string } from '../protobuf.js';

/** Values of `DataType` in types.proto. */
export const DATA_TYPE: Readonly<Record<DType | 'string' | 'bf16', number>> = {
  f32: 1,
  i32: 3,
  string: 7,
  i64: 9,
  bool: 10,
  bf16: 14,
};

/** Version of the graph format; newer readers take it. */
const PRODUCER = 1882;

export type TensorFlowAttribute =
  | { readonly type: DType | 'bf16' }
  | { readonly types: readonly DType[] }
  | { readonly int: number }
  | { readonly float: number }
  | { readonly flag: boolean }
  | { readonly shape: readonly number[] }
  | { readonly function: string }
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
  if ('types' in value)
    return message(
      1,
      value.types.map((type) => integer(6, DATA_TYPE[type])),
    );
  if ('int' in value) return integer(3, value.int);
  if ('float' in value) return float(4, value.float);
  if ('flag' in value) return integer(5, Number(value.flag));
  if ('shape' in value) return message(7, shapeFields(value.shape));
  if ('function' in value) return message(10, [string(1, value.function)]);
  const { buffer, byteOffset, byteLength } = value.data;
  return message(8, [
    integer(1, DATA_TYPE[value.tensor.dtype]),
    message(2, shapeFields(value.tensor.shape)),
    bytes(4, new Uint8Array(buffer, byteOffset, byteLength)),
  ]);
}

const nodeFields = ({ op, name, inputs, attributes = {} }: TensorFlowNode): readonly Uint8Array[] => [
  string(1, name),
  string(2, op),
  ...inputs.map((input) => string(3, input)),
  ...Object.entries(attributes).map(([key, value]) =>
    message(5, [string(1, key), message(2, [attributeValue(value)])]),
  ),
];

export interface NamedType {
  readonly name: string;
  readonly dtype: DType;
}

export interface FunctionParts {
  readonly name: string;
  readonly inputs: readonly NamedType[];
  /** `from` is the value that is handed out: an input, or `node:output:index`. */
  readonly outputs: readonly (NamedType & { readonly from: string })[];
  readonly nodes: readonly TensorFlowNode[];
}

const argument = (field: number, { name, dtype }: NamedType): Uint8Array =>
  message(field, [string(1, name), integer(3, DATA_TYPE[dtype])]);

const functionFields = ({ name, inputs, outputs, nodes }: FunctionParts): readonly Uint8Array[] => [
  message(1, [
    string(1, name),
    ...inputs.map((input) => argument(2, input)),
    ...outputs.map((output) => argument(3, output)),
  ]),
  ...nodes.map((node) => message(3, nodeFields(node))),
  ...outputs.map(({ name: output, from }) => message(4, [string(1, output), string(2, from)])),
];

/** The file `saved_model.pb`: one graph under the tag `serve`. */
export const savedModel = (nodes: readonly TensorFlowNode[], body: FunctionParts): Uint8Array =>
  join([
    integer(1, 1),
    message(2, [
      message(1, [string(4, 'serve')]),
      message(2, [
        ...nodes.map((node) => message(1, nodeFields(node))),
        message(2, [message(1, functionFields(body))]),
        message(4, [integer(1, PRODUCER)]),
      ]),
    ]),
  ]);
