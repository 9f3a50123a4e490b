/** Runs a graph the slow and obvious way, in float64. */

import { isOp } from '../../ops/index.js';
import type { OpName } from '../../ops/names.js';
import { GraphError, sizeOf } from '../../shape.js';
import type { Graph, ValueId } from '../../types.js';
import * as elementwise from './elementwise.js';
import type { Kernel, ReferenceTensor } from './kernel.js';
import * as layout from './layout.js';
import * as linear from './linear.js';
import * as reduce from './reduce.js';

const KERNELS: Readonly<Record<OpName, Kernel>> = { ...elementwise, ...linear, ...reduce, ...layout };

/** Inputs and results by name. Throws a {@link GraphError} if an input is missing or has a wrong length. */
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
    if (!isOp(node.op)) throw new GraphError(`${node.op} is not a known op`);
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
