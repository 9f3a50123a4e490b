/** The reference runtime, slow and obvious: what every other runtime is checked against. */
import { hostMemory, onHost } from '../../memory.js';
import type { OpName } from '../../ops/names.js';
import { GraphError, sizeOf } from '../../shape.js';
import type { DType, Graph, HostTensor, Runtime, ValueId } from '../../types.js';
import { verify } from '../../verify.js';
import * as elementwise from './elementwise.js';
import type { Kernel, ReferenceTensor } from './kernel.js';
import * as layout from './layout.js';
import * as linear from './linear.js';

const STORES: Readonly<Record<DType, (values: Float64Array) => HostTensor['data']>> = {
  f32: (values) => Float32Array.from(values),
  i32: (values) => Int32Array.from(values),
  i64: (values) => BigInt64Array.from(Array.from(values, BigInt)),
  bool: (values) => Uint8Array.from(values),
};

export const referenceRuntime = (): Runtime => ({
  name: 'reference',
  version: '1',
  memory: hostMemory(),
  async compile(graph: Graph) {
    verify(graph);
    return {
      graph,
      async run(inputs, outputs = {}) {
        const plain = Object.fromEntries(
          Object.entries(inputs).map(([name, tensor]) => [
            name,
            Float64Array.from(onHost(tensor).data as ArrayLike<number>, Number),
          ]),
        );
        const results = evaluate(graph, plain);
        return Object.fromEntries(
          graph.outputs.map(({ name, value }) => {
            const type = graph.types[value];
            const values = results[name];
            if (type === undefined || values === undefined) throw new GraphError(`output ${name} is missing`);
            const data = STORES[type.dtype](values);
            const given = outputs[name];
            if (given === undefined) return [name, { type, data }];
            (onHost(given).data as Float32Array).set(data as Float32Array);
            return [name, onHost(given)];
          }),
        );
      },
      async release() {},
    };
  },
});

const KERNELS: Readonly<Record<OpName, Kernel>> = { ...elementwise, ...linear, ...layout };

/**
 * Runs a graph in float64. Inputs and results by name. Throws a {@link GraphError} if an input is missing or has a
 * wrong length.
 */
export function evaluate(
  graph: Graph,
  inputs: Readonly<Record<string, ArrayLike<number>>>,
): Readonly<Record<string, Float64Array>> {
  const values = new Map<ValueId, ReferenceTensor>();
  const shapeOf = (value: ValueId) => graph.types[value]?.shape ?? [];
  const read = (value: ValueId): ReferenceTensor => {
    const known = values.get(value);
    if (known === undefined) throw new GraphError(`value ${value} was never computed`);
    return known;
  };

  for (const { name, value } of graph.inputs) {
    const data = inputs[name];
    if (data?.length !== sizeOf(shapeOf(value)))
      throw new GraphError(`input ${name} needs ${sizeOf(shapeOf(value))} values, not ${data?.length}`);
    values.set(value, { shape: shapeOf(value), data: Float64Array.from(data) });
  }
  for (const { value, data } of graph.constants)
    values.set(value, { shape: shapeOf(value), data: Float64Array.from(data, Number) });
  for (const node of graph.nodes) {
    const outputs = node.outputs.map((value) => ({
      shape: shapeOf(value),
      data: new Float64Array(sizeOf(shapeOf(value))),
    }));
    const types = node.inputs.map((value) => graph.types[value] ?? { dtype: 'f32' as const, shape: [] });
    KERNELS[node.op](node.inputs.map(read), outputs, node.attributes, types);
    node.outputs.forEach((value, index) => {
      const output = outputs[index];
      if (output !== undefined) values.set(value, output);
    });
  }
  return Object.fromEntries(graph.outputs.map(({ name, value }) => [name, read(value).data]));
}
