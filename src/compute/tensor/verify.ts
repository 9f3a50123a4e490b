/** The executable specification of a well-formed graph. */
import { OPS } from './ops/index.js';
import { GraphError, sameShape, sizeOf } from './shape.js';
import type { Graph, TensorType, ValueId } from './types.js';

/** Throws a {@link GraphError} that names the first rule a graph breaks. */
export function verify(graph: Graph): void {
  const fail = (what: string): never => {
    throw new GraphError(`${graph.name}: ${what}`);
  };
  const typeOf = (value: ValueId): TensorType => graph.types[value] ?? fail(`value ${value} has no type`);
  const defined = new Set<ValueId>();
  const define = (value: ValueId, what: string) => {
    typeOf(value);
    if (defined.has(value)) fail(`${what} defines value ${value} a second time`);
    defined.add(value);
  };

  for (const side of [graph.inputs, graph.outputs]) {
    const names = side.map(({ name }) => name);
    if (new Set(names).size !== names.length) fail(`names are not unique: ${names.join()}`);
    if (names.includes('')) fail('an input or output has no name');
  }
  for (const { name, value } of graph.inputs) define(value, `input ${name}`);
  for (const { value, data } of graph.constants) {
    define(value, 'a constant');
    const { dtype, shape } = typeOf(value);
    if (data.length !== sizeOf(shape))
      fail(`constant ${value} has ${data.length} values for [${shape.join()}]`);
    const holds = data instanceof Float32Array ? 'f32' : data instanceof Int32Array ? 'i32' : 'i64';
    if (holds !== dtype) fail(`constant ${value} holds ${holds}, its type says ${dtype}`);
  }
  for (const [index, node] of graph.nodes.entries()) {
    const what = `node ${index} (${node.op})`;
    for (const input of node.inputs)
      if (!defined.has(input)) fail(`${what} reads value ${input} before it is defined`);
    const types = OPS[node.op].infer(node.inputs.map(typeOf), node.attributes);
    if (types.length !== node.outputs.length)
      fail(`${what} has ${node.outputs.length} outputs, not ${types.length}`);
    node.outputs.forEach((output, position) => {
      define(output, what);
      const [said, inferred] = [typeOf(output), types[position]];
      if (inferred === undefined || said.dtype !== inferred.dtype || !sameShape(said.shape, inferred.shape))
        fail(
          `${what} gives ${inferred?.dtype}[${inferred?.shape}], its type says ${said.dtype}[${said.shape}]`,
        );
    });
  }
  for (const { name, value } of graph.outputs)
    if (!defined.has(value)) fail(`output ${name} is never defined`);
}
