/** A graph as the bytes of a function of TensorFlow: a node or more for each op. */

import { argument } from '../../ops/definition.js';
import { isOp } from '../../ops/index.js';
import { GraphError, type Shape } from '../../shape.js';
import type { Graph, TensorType, ValueId } from '../../types.js';
import { LOWERINGS } from './lowerings.js';
import { functionMessage, type NamedType, type TensorFlowNode } from './messages.js';
import { PACKINGS, type PackingName, TABLES } from './packings.js';
import { inBf16, readExactly, Values } from './values.js';
import { PLAIN, type Variant } from './variants.js';

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
  variant: Variant = PLAIN,
): Uint8Array {
  const exact = readExactly(graph);
  const nodes: TensorFlowNode[] = [];
  const literals = new Map<string, string>();

  const typeOf = (value: ValueId): TensorType => {
    const type = graph.types[value];
    if (type === undefined) throw new GraphError(`value ${value} has no type`);
    return type;
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

  const values = new Values(add);
  /** How rows of packed inputs are looked up, where that is cheaper than to decode them all. */
  const looked = new Map<ValueId, (indices: string) => string>();
  const tables = packings.some((packing) => packing !== undefined && PACKINGS[packing].coded) ? TABLES : [];
  const inputs = graph.inputs.flatMap(({ value }, index): readonly NamedType[] => {
    const packing = packings[index];
    const input = inputName(index);
    const { dtype, shape } = typeOf(value);
    if (packing === undefined) {
      values.set(value, { f32: () => input });
      return [{ name: input, dtype }];
    }
    const { handles, decode, lookUp } = PACKINGS[packing];
    const parts = handles.map((type, part) => ({ name: `${input}_${part}`, dtype: type }));
    const names = parts.map((part) => part.name);
    const c = { node: add, ints, int };
    // decoded when a node reads them: rows that are looked up need not be decoded all
    const decoded = () => decode(c, names, shape, tables);
    values.set(value, packing === 'bf16' ? { bf16: () => argument(names, 0) } : { f32: decoded });
    if (lookUp !== undefined) looked.set(value, (indices) => lookUp(c, names, indices));
    return parts;
  });
  for (const { value, data } of graph.constants) {
    const reference = constant(typeOf(value), data);
    values.set(value, { f32: () => reference });
  }
  for (const node of graph.nodes) {
    if (!isOp(node.op)) throw new GraphError(`${node.op} is no known op`);
    const [data, indices] = node.inputs;
    const lookUp = node.op === 'gather' && data !== undefined ? looked.get(data) : undefined;
    if (lookUp !== undefined && indices !== undefined && node.outputs[0] !== undefined) {
      const rows = lookUp(values.get(indices));
      values.set(node.outputs[0], { f32: () => rows });
      continue;
    }
    const context = {
      inputTypes: node.inputs.map(typeOf),
      outputTypes: node.outputs.map(typeOf),
      attributes: node.attributes,
      node: add,
      ints,
      int,
      scalar: (value: number) => literal({ dtype: 'f32', shape: [] }, Float32Array.of(value)),
    };
    if (variant.bf16 && inBf16(node, context, values, exact)) continue;
    const lowered = LOWERINGS[node.op]({ ...context, inputs: node.inputs.map((value) => values.get(value)) });
    node.outputs.forEach((value, index) => {
      const reference = lowered[index];
      if (reference !== undefined) values.set(value, { f32: () => reference });
    });
  }

  const outputs = graph.outputs.map(({ value }, index) => ({
    name: `y${index}`,
    ...typeOf(value),
    from: values.get(value),
  }));
  return functionMessage({
    ...{ name, outputs, nodes, xla: variant.xla },
    inputs: [...inputs, ...tables.map((table) => ({ name: table, dtype: 'f32' as const }))],
  });
}
