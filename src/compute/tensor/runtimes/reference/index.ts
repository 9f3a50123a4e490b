/** The reference runtime: what every other runtime is checked against. */

import { hostMemory, onHost } from '../../memory.js';
import { GraphError } from '../../shape.js';
import type { DType, Graph, HostTensor, Runtime } from '../../types.js';
import { verify } from '../../verify.js';
import { evaluate } from './evaluate.js';

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
