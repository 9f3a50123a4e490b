/** A graph as the bytes of a function of TensorFlow: a node or more for each op. */
import { isOp } from '../../ops/index.js';
import { GraphError, type Shape } from '../../shape.js';
import type { Graph, TensorType, ValueId } from '../../types.js';
import { LOWERINGS } from './lowerings.js';
import { functionMessage, type TensorFlowNode } from './messages.js';

/** Names of a graph's values may hold what TensorFlow allows in none: inputs go by their number. */
const inputName = (index: number): string => `x${index}`;

/** Inputs and outputs stand in the order of the graph's. */
export function encode(graph: Graph, name: string): Uint8Array {
  const nodes: TensorFlowNode[] = [];
  const references = new Map<ValueId, string>();
  const literals = new Map<string, string>();

  const typeOf = (value: ValueId): TensorType => {
    const type = graph.types[value];
    if (type === undefined) throw new GraphError(`value ${value} has no type`);
    return type;
  };
  const referenceOf = (value: ValueId): string => {
    const reference = references.get(value);
    if (reference === undefined) throw new GraphError(`value ${value} is read before it is computed`);
    return reference;
  };
  const add = (op: string, output: string, inputs: readonly string[], attributes = {}): string => {
    const name = `n${nodes.length}`;
    nodes.push({ op, name, inputs, attributes });
    return `${name}:${output}:0`;
  };
  const constant = (type: TensorType, data: Float32Array | Int32Array | BigInt64Array): string =>
    add('Const', 'output', [], { dtype: { type: type.dtype }, value: { tensor: type, data } });
  const literal = (type: TensorType, data: Float32Array | Int32Array): string => {
    const key = `${type.dtype}[${type.shape.join()}]${data.join()}`;
    const known = literals.get(key) ?? constant(type, data);
    literals.set(key, known);
    return known;
  };

  graph.inputs.forEach(({ value }, index) => {
    references.set(value, inputName(index));
  });
  for (const { value, data } of graph.constants) references.set(value, constant(typeOf(value), data));
  for (const node of graph.nodes) {
    if (!isOp(node.op)) throw new GraphError(`${node.op} is no known op`);
    const lowered = LOWERINGS[node.op]({
      inputs: node.inputs.map(referenceOf),
      inputTypes: node.inputs.map(typeOf),
      outputTypes: node.outputs.map(typeOf),
      attributes: node.attributes,
      node: add,
      ints: (values, shape: Shape = [values.length]) =>
        literal({ dtype: 'i32', shape }, Int32Array.from(values)),
      int: (value) => literal({ dtype: 'i32', shape: [] }, Int32Array.of(value)),
      scalar: (value) => literal({ dtype: 'f32', shape: [] }, Float32Array.of(value)),
    });
    node.outputs.forEach((value, index) => {
      const reference = lowered[index];
      if (reference !== undefined) references.set(value, reference);
    });
  }

  const inputs = graph.inputs.map(({ value }, index) => ({ name: inputName(index), ...typeOf(value) }));
  const outputs = graph.outputs.map(({ value }, index) => ({
    name: `y${index}`,
    ...typeOf(value),
    from: referenceOf(value),
  }));
  return functionMessage({ name, inputs, outputs, nodes });
}
