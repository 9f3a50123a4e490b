/**
 * Proves at the start that the runtime runs nodes in the order that the shared memory counts on. A tangle of
 * elementwise nodes, all of whose values overwrite one another as early as they may, goes wrong under nearly any
 * other order.
 */
import { GraphBuilder } from '../../builder.js';
import type { CompiledGraph, Graph, HostTensor, ValueId } from '../../types.js';
import { evaluate } from '../reference/evaluate.js';

const NODES = 80;
const WIDTH = 16;
/** Values are sums and halved products of numbers below 1. */
const TOLERANCE = 1e-4;

/** Each node reads two earlier values, recent or old; every ninth is an output. */
export function tangle(): Graph {
  const b = new GraphBuilder('probe');
  const values: ValueId[] = [b.input('x', [WIDTH]), b.input('y', [WIDTH])];
  let state = 1;
  const pick = (): ValueId => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    const reach = state & 0x10000 ? 4 : values.length;
    return values[values.length - 1 - ((state >> 8) % Math.min(reach, values.length))] ?? 0;
  };
  for (let node = 0; node < NODES; node++) {
    const [left, right] = [pick(), pick()];
    values.push(
      b.sigmoid(
        node % 3 === 0 ? b.mul(left, right) : node % 3 === 1 ? b.sub(left, right) : b.add(left, right),
      ),
    );
    if (node % 9 === 8) b.output(`out${node}`, b.neg(values.at(-1) ?? 0));
  }
  return b.build();
}

export async function isSound(compile: (graph: Graph) => Promise<CompiledGraph>): Promise<boolean> {
  const graph = tangle();
  const data = Float32Array.from({ length: WIDTH }, (_, index) => Math.sin(index * 1.7));
  const tensor = (sign: number): HostTensor => ({
    type: { dtype: 'f32', shape: [WIDTH] },
    data: data.map((value) => sign * value),
  });
  const [x, y] = [tensor(1), tensor(-0.5)];
  const compiled = await compile(graph);
  const results = await compiled.run({ x, y });
  await compiled.release();
  const expected = evaluate(graph, { x: x.data as Float32Array, y: y.data as Float32Array });
  return Object.entries(expected).every(([name, values]) =>
    values.every((value, index) => Math.abs(value - Number(results[name]?.data[index])) < TOLERANCE),
  );
}
