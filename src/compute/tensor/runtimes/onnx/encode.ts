/** A graph as the bytes of an ONNX model. */
import { argument } from '../../ops/definition.js';
import { arrange } from '../../order.js';
import type { FixedTensors, Graph, NamedValue, Node, TensorType, ValueId } from '../../types.js';
import { join } from '../protobuf.js';
import { codedProducts, type ProductNodes } from './coded-products.js';
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
  TILES,
} from './model.js';
import { openAttributes, openShape } from './open-sizes.js';

/**
 * First output of every model, an empty sequence, which the binding can't hand to JavaScript. The binding of 1.30
 * copies every output into a new ArrayBuffer, also those that were written straight into memory it was given; at this
 * one it gives up with an error, after the run and before the first copy.
 */
export const STOP = '%stop';

export const intermediateName = (value: ValueId): string => `%${value}`;

/**
 * Nodes are listed so that the runtime runs them in the order the memory plan counts on; inputs and outputs keep their
 * names. Intermediate values in `exposed` become outputs too, named by {@link intermediateName}.
 */
export const encode = (graph: Graph, exposed: readonly ValueId[] = []): Uint8Array =>
  modelOf(graph, exposed) as Uint8Array;

/**
 * The same with inputs that are part of the model, and sizes that stand for any (see `Runtime.compileFixed`): `undefined` if
 * codes are not multiplied by alone.
 */
export const encodeFixed = (
  graph: Graph,
  fixed: FixedTensors,
  open: readonly number[],
): Uint8Array | undefined => modelOf(graph, [], { fixed, open });

function modelOf(
  graph: Graph,
  exposed: readonly ValueId[],
  held?: { readonly fixed: FixedTensors; readonly open: readonly number[] },
): Uint8Array | undefined {
  const { nameOf, copies } = namesOf(graph);
  const initializers = new Initializers();
  const products = held && codedProducts(graph, held.fixed, nameOf);
  if (held !== undefined && products === undefined) return undefined;
  const isFixed = ({ name }: NamedValue): boolean => held?.fixed.has(name) === true;
  for (const { name, value } of graph.inputs) {
    const tensor = held?.fixed.get(name);
    if (tensor !== undefined && 'data' in tensor)
      initializers.add(name, argument(graph.types, value), tensor.data as Float32Array);
  }
  for (const { value, data } of graph.constants)
    initializers.add(nameOf(value), argument(graph.types, value), data);
  const nodes: readonly OnnxNode[] = [
    { type: 'SequenceEmpty', inputs: [], outputs: [STOP], attributes: { dtype: { int: ELEMENT.f32 } } },
    ...loweredNodes(graph, nameOf, initializers, products?.nodes, held?.open),
    ...copies.map(({ name, value }) => ({ type: 'Identity', inputs: [nameOf(value)], outputs: [name] })),
  ];
  const described = (message: typeof inputMessage, name: string, value: ValueId): Uint8Array => {
    const { dtype, shape } = argument(graph.types, value);
    return message(name, ELEMENT[dtype], openShape(shape, held?.open));
  };
  return join(
    modelMessage(
      graph.name,
      [
        ...arrange<string, OnnxNode>(nodes).map((node, index) => nodeMessage(node, `${index}:${node.type}`)),
        ...initializers.messages,
        ...(products?.initializers ?? []),
        ...graph.inputs
          .filter((input) => !isFixed(input))
          .map(({ name, value }) => described(inputMessage, name, value)),
        sequenceOutputMessage(STOP, ELEMENT.f32),
        ...graph.outputs.map(({ name, value }) => described(outputMessage, name, value)),
        ...exposed.map((value) => described(outputMessage, intermediateName(value), value)),
      ],
      nodes.some(({ domain }) => domain === TILES),
    ),
  );
}

/** Names of all values; `copies`: outputs that are an input, a constant or another output already, and have its name. */
function namesOf(graph: Graph): {
  readonly nameOf: (value: ValueId) => string;
  readonly copies: readonly NamedValue[];
} {
  const names = new Map<ValueId, string>();
  for (const { name, value } of graph.inputs) names.set(value, name);
  for (const { value } of graph.constants) names.set(value, `%${value}`);
  const copies = graph.outputs.filter(({ name, value }) => {
    if (names.has(value)) return true;
    names.set(value, name);
    return false;
  });
  return { nameOf: (value) => names.get(value) ?? intermediateName(value), copies };
}

/** What each node of the graph is in ONNX; the constants that this takes become initializers. */
function loweredNodes(
  graph: Graph,
  nameOf: (value: ValueId) => string,
  initializers: Initializers,
  products?: ProductNodes,
  open?: readonly number[],
): readonly OnnxNode[] {
  const typeOf = (value: ValueId): TensorType => argument(graph.types, value);
  let temporaries = 0;
  return graph.nodes.flatMap((node: Node) => {
    const coded = products?.get(node);
    if (coded !== undefined) return coded;
    return LOWERINGS[node.op]({
      inputs: node.inputs.map(nameOf),
      outputs: node.outputs.map(nameOf),
      inputTypes: node.inputs.map(typeOf),
      outputTypes: node.outputs.map(typeOf),
      attributes: openAttributes(node, typeOf, open),
      ints: (values) =>
        initializers.literal(
          { dtype: 'i64', shape: [values.length] },
          BigInt64Array.from(values, (value) => BigInt(value)),
        ),
      scalar: (value) => initializers.literal({ dtype: 'f32', shape: [] }, Float32Array.of(value)),
      temporary: () => `%temporary${temporaries++}`,
    });
  });
}

/** Constants of a model; literals of the same type and values are one. */
class Initializers {
  readonly messages: Uint8Array[] = [];
  private readonly literals = new Map<string, string>();

  add(...initializer: Parameters<typeof initializerMessage>): void {
    this.messages.push(initializerMessage(...initializer));
  }

  /** Its name. */
  literal(type: TensorType, data: Float32Array | BigInt64Array): string {
    const key = `${type.dtype}[${type.shape.join()}]${data.join()}`;
    const known = this.literals.get(key);
    if (known !== undefined) return known;
    const name = `%literal${this.literals.size}`;
    this.literals.set(key, name);
    this.add(name, type, data);
    return name;
  }
}
