/** A graph as the bytes of a function of TensorFlow: a node or more for each op. */

import { argument } from '../../ops/definition.js';
import { arrange, executionOrder } from '../../order.js';
import type { Graph, HostTensor, Node, TensorType, ValueId } from '../../types.js';
import { LOWERINGS } from './lowerings.js';
import { functionMessage, type NamedType, type TensorFlowNode } from './messages.js';
import type { NodeAttributes, NodeContext } from './nodes.js';
import { PACKINGS, type PackingName, TABLES } from './packings.js';
import { inBf16, readExactly, ValueReferences } from './value-references.js';
import { PLAIN, type Variant } from './variants.js';

/** Names of a graph's values may hold what TensorFlow allows in none: inputs go by their number. */
const inputName = (index: number): string => `x${index}`;

/**
 * Inputs and outputs are in the order of the graph's; a packed input is as many arguments as its packing has handles,
 * and after all inputs are the tables of coded ones.
 */
export function encode(
  graph: Graph,
  name: string,
  packings: readonly (PackingName | undefined)[] = [],
  variant: Variant = PLAIN,
): Uint8Array {
  const list = nodeList();
  const values = new ValueReferences(list.node);
  const tables = packings.some((packing) => packing !== undefined && PACKINGS[packing].coded) ? TABLES : [];
  const { inputs, packed } = declareInputs(graph, packings, tables, list, values);
  for (const { value, data } of graph.constants) {
    const reference = list.constant(argument(graph.types, value), data);
    values.set(value, { f32: () => reference });
  }
  addNodes(graph, variant, list, values, packed);
  const outputs = graph.outputs.map(({ value }, index) => ({
    name: `y${index}`,
    ...argument(graph.types, value),
    from: values.get(value),
  }));
  return functionMessage({
    ...{ name, outputs, nodes: list.nodes, xla: variant.xla },
    inputs: [...inputs, ...tables.map((table) => ({ name: table, dtype: 'f32' as const }))],
  });
}

/** Packed inputs: how rows of one are looked up, where that is cheaper than dequantising them all. */
type PackedInputs = ReadonlyMap<ValueId, { readonly lookUp: ((indices: string) => string) | undefined }>;

/** Gives the function's arguments, and makes the graph's inputs known among the values. */
function declareInputs(
  graph: Graph,
  packings: readonly (PackingName | undefined)[],
  tables: readonly string[],
  list: NodeList,
  values: ValueReferences,
): { readonly inputs: readonly NamedType[]; readonly packed: PackedInputs } {
  const packed = new Map<ValueId, { readonly lookUp: ((indices: string) => string) | undefined }>();
  const inputs = graph.inputs.flatMap(({ value }, index): readonly NamedType[] => {
    const packing = packings[index];
    const input = inputName(index);
    const { dtype, shape } = argument(graph.types, value);
    if (packing === undefined) {
      values.set(value, { f32: () => input });
      return [{ name: input, dtype }];
    }
    const { handles, dequantise, lookUp } = PACKINGS[packing];
    const parts = handles.map((type, part) => ({ name: `${input}_${part}`, dtype: type }));
    const names = parts.map((part) => part.name);
    // dequantised when a node reads them, one at a time: rows that are looked up need not be dequantised all
    const dequantised = () => dequantise(list, names, shape, tables);
    values.set(value, packing === 'bf16' ? { bf16: () => argument(names, 0) } : { f32: dequantised });
    packed.set(value, { lookUp: lookUp && ((indices) => lookUp(list, names, indices)) });
    return parts;
  });
  return { inputs, packed };
}

/**
 * Adds what each node of the graph is in TensorFlow, in the order in which the memory plan has it (`tensor/liveness.ts`), and makes its
 * outputs known among the values.
 */
function addNodes(
  graph: Graph,
  variant: Variant,
  list: NodeList,
  values: ValueReferences,
  packed: PackedInputs,
): void {
  const exact = readExactly(graph);
  const typeOf = (value: ValueId): TensorType => argument(graph.types, value);
  for (const node of executionOrder<ValueId, Node>(arrange<ValueId, Node>(graph.nodes))) {
    const [data, indices] = node.inputs;
    const lookUp = node.op === 'gather' && data !== undefined ? packed.get(data)?.lookUp : undefined;
    if (lookUp !== undefined && indices !== undefined && node.outputs[0] !== undefined) {
      const rows = lookUp(values.get(indices));
      values.set(node.outputs[0], { f32: () => rows });
      continue;
    }
    const context = {
      ...list,
      inputTypes: node.inputs.map(typeOf),
      outputTypes: node.outputs.map(typeOf),
      attributes: node.attributes,
    };
    if (variant.bf16 && inBf16(node, context, values, exact)) continue;
    const lowered = LOWERINGS[node.op]({ ...context, inputs: node.inputs.map((value) => values.get(value)) });
    node.outputs.forEach((value, index) => {
      const reference = lowered[index];
      if (reference !== undefined) values.set(value, { f32: () => reference });
    });
  }
}

/** The nodes of a function in the making: what lowerings add to. */
interface NodeList extends NodeContext {
  readonly nodes: readonly TensorFlowNode[];
  readonly constant: (type: TensorType, data: HostTensor['data']) => string;
}

/**
 * Literals of the same type and values are one node. All others run one after another in the order in which they are added: left to
 * itself, TensorFlow takes an order that follows from addresses in its tables, another in each process, and has half as much again at
 * once.
 */
function nodeList(): NodeList {
  const nodes: TensorFlowNode[] = [];
  const literals = new Map<string, string>();
  let before = '';
  const named = (op: string, inputs: readonly string[], attributes: NodeAttributes): string => {
    const name = `n${nodes.length}`;
    nodes.push({ op, name, inputs, attributes });
    return name;
  };
  const node: NodeList['node'] = (op, output, inputs, attributes = {}) => {
    // an input that gives no value, after all that do
    const isRead = before === '' || inputs.some((input) => input.startsWith(`${before}:`));
    before = named(op, isRead ? inputs : [...inputs, `^${before}`], attributes);
    return `${before}:${output}:0`;
  };
  const constant: NodeList['constant'] = (type, data) =>
    `${named('Const', [], { dtype: { type: type.dtype }, value: { tensor: type, data } })}:output:0`;
  const literal = (type: TensorType, data: Float32Array | Int32Array): string => {
    const key = `${type.dtype}[${type.shape.join()}]${data.join()}`;
    const known = literals.get(key) ?? constant(type, data);
    literals.set(key, known);
    return known;
  };
  return {
    nodes,
    node,
    constant,
    ints: (values, shape = [values.length]) => literal({ dtype: 'i32', shape }, Int32Array.from(values)),
    int: (value) => literal({ dtype: 'i32', shape: [] }, Int32Array.of(value)),
    scalar: (value) => literal({ dtype: 'f32', shape: [] }, Float32Array.of(value)),
  };
}
