/**
 * Proves at the start what is true of the releases of ONNX Runtime that were looked at. It runs nodes in the order that
 * the shared memory counts on: a tangle of elementwise nodes, all of whose values overwrite one another as early as they
 * may, goes wrong under nearly any other. Its convolution adds to what is in the memory of its result. And tiles are of
 * as many places as were told.
 */
import { GraphBuilder } from '../../builder.js';
import { argument } from '../../ops/definition.js';
import { sizeOf } from '../../shape.js';
import { tileInputs } from '../../tiles.js';
import type { CompiledGraph, Graph, ValueId } from '../../types.js';
import { evaluate } from '../reference/index.js';

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

/** Sums in the place of their first addend, of products in each form that is laid out as a convolution. */
export function sums(): Graph {
  const b = new GraphBuilder('sums');
  const [x, y, z] = [b.input('x', [4, 6]), b.input('y', [6, 5]), b.input('z', [5, 6])];
  const first = b.add(b.matmul(x, y), b.matmul(x, z, { transB: true, alpha: 0.5 }));
  b.output('out', b.neg(b.add(b.matmul(x, y, { alpha: 2 }), first)));
  return b.build();
}

/** Products with a matrix in tiles of a size and with its transpose, and a sum of two that stays in tiles. */
export function tiledProducts(size: number): Graph {
  const b = new GraphBuilder('tiles');
  const matrix = b.input('matrix', [size, 3 * size]);
  const y = b.matmul(b.input('x', [5, 3 * size]), matrix, { transB: true });
  b.output('y', y);
  b.output('back', b.add(b.matmul(y, matrix), b.matmul(b.input('z', [5, size]), matrix)));
  return tileInputs(b.build(), new Set(['matrix']), size);
}

/** Whether a graph gives what the reference gives. */
export async function isSound(
  compile: (graph: Graph) => Promise<CompiledGraph>,
  graph: Graph,
): Promise<boolean> {
  const inputs = Object.fromEntries(
    graph.inputs.map(({ name, value }, number) => {
      const type = argument(graph.types, value);
      const wave = (_: unknown, index: number) => (number % 2 === 0 ? 1 : -0.5) * Math.sin(index * 1.7);
      return [name, { type, data: Float32Array.from({ length: sizeOf(type.shape) }, wave) }];
    }),
  );
  const compiled = await compile(graph);
  const results = await compiled.run(inputs);
  await compiled.release();
  const expected = evaluate(
    graph,
    Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data])),
  );
  return Object.entries(expected).every(([name, values]) =>
    values.every((value, index) => Math.abs(value - Number(results[name]?.data[index])) < TOLERANCE),
  );
}
