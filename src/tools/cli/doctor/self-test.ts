import { gradients } from '../../../compute/tensor/autodiff.js';
import { GraphBuilder } from '../../../compute/tensor/builder.js';
import { referenceRuntime } from '../../../compute/tensor/runtimes/reference/index.js';
import type { HostTensor, Runtime } from '../../../compute/tensor/types.js';

const ROWS = 6;
const WIDTH = 16;

/** The largest difference between a runtime and the reference on a small graph, forward and backward. */
export async function worstDifference(runtime: Runtime): Promise<number> {
  const [expected, found] = [await results(referenceRuntime()), await results(runtime)];
  let worst = 0;
  for (const [name, { data }] of Object.entries(expected)) {
    const other = found[name]?.data;
    for (let at = 0; at < data.length; at++) {
      const difference = Math.abs(Number(data[at]) - Number(other?.[at] ?? Number.NaN));
      if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
      worst = Math.max(worst, difference);
    }
  }
  return worst;
}

async function results(runtime: Runtime): Promise<Readonly<Record<string, HostTensor>>> {
  const graph = new GraphBuilder('self-test');
  const x = graph.input('x', [ROWS, WIDTH]);
  const w = graph.input('w', [WIDTH, WIDTH]);
  const y = graph.softmax(graph.silu(graph.matmul(x, w)));
  const loss = graph.sum(graph.mul(y, y), [0, 1]);
  graph.output('y', y);
  graph.output('loss', loss);
  const found = gradients(graph, [{ value: loss, gradient: graph.scalar(1) }], [x, w]);
  found.forEach((gradient, at) => {
    if (gradient !== undefined) graph.output(`gradient${at}`, gradient);
  });
  const compiled = await runtime.compile(graph.build());
  try {
    return await compiled.run({ x: waves(ROWS, WIDTH, 0.7), w: waves(WIDTH, WIDTH, 0.3) });
  } finally {
    await compiled.release();
  }
}

/** Numbers of both signs without a pattern that could hide a transposed product. */
function waves(rows: number, columns: number, step: number): HostTensor {
  const data = Float32Array.from({ length: rows * columns }, (_, at) => Math.sin(1 + at * step));
  return { type: { dtype: 'f32', shape: [rows, columns] }, data };
}
