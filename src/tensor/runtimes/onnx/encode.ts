/** A graph as the bytes of an ONNX model. */
import { isOp } from '../../ops/index.js';
import { arrange } from '../../order.js';
import { GraphError } from '../../shape.js';
import type { Graph, TensorType, ValueId } from '../../types.js';
import { join } from '../protobuf.js';
import { LOWERINGS } from './lowerings.js';
import {
  ELEMENT,
  initializerMessage,
  inputMessage,
  modelMessage,
  nodeMessage,
  type OnnxNode,
  outputMessage,
  sequenceOutputMessage,
} from './model.js';

/**
 * First output of every model, an empty sequence, which the binding can't hand to JavaScript. The binding of 1.30 copies every output
 * into a new ArrayBuffer, also those that were written straight into memory it was given; at this one it gives up
 * with an error, after the run and before the first copy.
 */
export const STOP = '%stop';

export const intermediateName = (value: ValueId): string => `%${value}`;

/**
 * Nodes are listed so that the runtime runs them in the order the memory plan counts on; inputs and outputs keep their
 * names. Intermediate values in `exposed` become outputs too, named by {@link intermediateName}.
 */
export function encode(graph: Graph, exposed: readonly ValueId[] = []): Uint8Array {
  const initializers: Uint8Array[] = [];
  const nodes: OnnxNode[] = [];
  const names = new Map<ValueId, string>();
  const literals = new Map<string, string>();
  let temporaries = 0;

  const typeOf = (value: ValueId): TensorType => {
    const type = graph.types[value];
    if (type === undefined) throw new GraphError(`value ${value} has no type`);
    return type;
  };
  const nameOf = (value: ValueId): string => names.get(value) ?? intermediateName(value);
  const literal = (type: TensorType, data: Float32Array | BigInt64Array): string => {
    const key = `${type.dtype}[${type.shape.join()}]${data.join()}`;
    const known = literals.get(key);
    if (known !== undefined) return known;
    const name = `%literal${literals.size}`;
    literals.set(key, name);
    initializers.push(initializerMessage(name, type, data));
    return name;
  };

  for (const { name, value } of graph.inputs) names.set(value, name);
  for (const { value, data } of graph.constants) {
    names.set(value, `%${value}`);
    initializers.push(initializerMessage(nameOf(value), typeOf(value), data));
  }
  // an output that is an input, a constant or another output too comes by a copy
  const copies = graph.outputs.flatMap(({ name, value }) => {
    if (names.has(value)) return [{ name, value }];
    names.set(value, name);
    return [];
  });

  for (const node of graph.nodes) {
    if (!isOp(node.op)) throw new GraphError(`${node.op} is no known op`);
    const lowered = LOWERINGS[node.op]({
      inputs: node.inputs.map(nameOf),
      outputs: node.outputs.map(nameOf),
      inputTypes: node.inputs.map(typeOf),
      outputTypes: node.outputs.map(typeOf),
      attributes: node.attributes,
      ints: (values) =>
        literal(
          { dtype: 'i64', shape: [values.length] },
          BigInt64Array.from(values, (value) => BigInt(value)),
        ),
      scalar: (value) => literal({ dtype: 'f32', shape: [] }, Float32Array.of(value)),
      temporary: () => `%temporary${temporaries++}`,
    });
    nodes.push(...lowered);
  }
  for (const { name, value } of copies)
    nodes.push({ type: 'Identity', inputs: [nameOf(value)], outputs: [name] });

  nodes.unshift({
    type: 'SequenceEmpty',
    inputs: [],
    outputs: [STOP],
    attributes: { dtype: { int: ELEMENT.f32 } },
  });

  return join(
    modelMessage(graph.name, [
      ...arrange<string, OnnxNode>(nodes).map((node, index) => nodeMessage(node, `${index}:${node.type}`)),
      ...initializers,
      ...graph.inputs.map(({ name, value }) =>
        inputMessage(name, ELEMENT[typeOf(value).dtype], typeOf(value).shape),
      ),
      sequenceOutputMessage(STOP, ELEMENT.f32),
      ...graph.outputs.map(({ name, value }) =>
        outputMessage(name, ELEMENT[typeOf(value).dtype], typeOf(value).shape),
      ),
      ...exposed.map((value) =>
        outputMessage(intermediateName(value), ELEMENT[typeOf(value).dtype], typeOf(value).shape),
      ),
    ]),
  );
}
