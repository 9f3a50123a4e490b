/** A graph as the bytes of a function of TensorFlow: a node or more for each op. */
import { isOp } from '../../ops/index.js';
import { GraphError, type Shape } from '../../shape.js';
import type { Graph, TensorType, ValueId } from '../../types.js';
import { LOWERINGS } from './lowerings.js';
import { functionMessage, type NamedType, type TensorFlowNode } from './messages.js';
import { PACKINGS, type PackingName, TABLES } from './packings.js';

/** Names of a graph's values may hold what TensorFlow allows in none: inputs go by their number. */
const inputName = (index: number): string => `x${index}`;

/**
 * Inputs and outputs stand in the order of the graph's; a packed input is as many arguments as its packing has handles,
 * and behind all inputs stand the tables of coded ones.
 */
export function encode(
  graph: Graph,
  name: string,
  packings: readonly (PackingName | undefined)[] = [],
): Uint8Array {
  const nodes: TensorFlowNode[] = [];
  const references = new Map<ValueId, string>();
  const literals = new Map<string, string>();

  const typeOf = (value: ValueId): TensorType => {
    const type = graph.types[value];
    if (type === undefined) throw new GraphError(`value ${value} has no type`);
    return type;
  };
  /** Packed inputs that are decoded when a node reads them: rows that are looked up need not be decoded all. */
  const packed = new Map<ValueId, () => string>();
  const referenceOf = (value: ValueId): string => {
    const reference = references.get(value) ?? packed.get(value)?.();
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

  const ints = (values: readonly number[], shape: Shape = [values.length]) =>
    literal({ dtype: 'i32', shape }, Int32Array.from(values));
  const int = (value: number) => literal({ dtype: 'i32', shape: [] }, Int32Array.of(value));

  /** How rows of packed inputs are looked up, where that is cheaper than to decode them all. */
  const looked = new Map<ValueId, (indices: string) => string>();
  const tables = packings.some((packing) => packing !== undefined && PACKINGS[packing].coded) ? TABLES : [];
  const inputs = graph.inputs.flatMap(({ value }, index): readonly NamedType[] => {
    const packing = packings[index];
    const input = inputName(index);
    const { dtype, shape } = typeOf(value);
    if (packing === undefined) {
      references.set(value, input);
      return [{ name: input, dtype }];
    }
    const { handles, decode, lookUp } = PACKINGS[packing];
    const parts = handles.map((type, part) => ({ name: `${input}_${part}`, dtype: type }));
    const names = parts.map((part) => part.name);
    const c = { node: add, ints, int };
    packed.set(value, () => {
      const decoded = decode(c, names, shape, tables);
      references.set(value, decoded);
      return decoded;
    });
    if (lookUp !== undefined) looked.set(value, (indices) => lookUp(c, names, indices));
    return parts;
  });
  for (const { value, data } of graph.constants) references.set(value, constant(typeOf(value), data));
  for (const node of graph.nodes) {
    if (!isOp(node.op)) throw new GraphError(`${node.op} is no known op`);
    const [data, indices] = node.inputs;
    const lookUp = node.op === 'gather' && data !== undefined ? looked.get(data) : undefined;
    if (lookUp !== undefined && indices !== undefined && node.outputs[0] !== undefined) {
      references.set(node.outputs[0], lookUp(referenceOf(indices)));
      continue;
    }
    const lowered = LOWERINGS[node.op]({
      inputs: node.inputs.map(referenceOf),
      inputTypes: node.inputs.map(typeOf),
      outputTypes: node.outputs.map(typeOf),
      attributes: node.attributes,
      node: add,
      ints,
      int,
      scalar: (value) => literal({ dtype: 'f32', shape: [] }, Float32Array.of(value)),
    });
    node.outputs.forEach((value, index) => {
      const reference = lowered[index];
      if (reference !== undefined) references.set(value, reference);
    });
  }

  const outputs = graph.outputs.map(({ value }, index) => ({
    name: `y${index}`,
    ...typeOf(value),
    from: referenceOf(value),
  }));
  return functionMessage({
    ...{ name, outputs, nodes },
    inputs: [...inputs, ...tables.map((table) => ({ name: table, dtype: 'f32' as const }))],
  });
}
