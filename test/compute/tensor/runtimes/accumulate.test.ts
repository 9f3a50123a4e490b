import { expect } from 'chai';
import { GraphBuilder } from '../../../../src/compute/tensor/builder.js';
import { planMemory } from '../../../../src/compute/tensor/liveness.js';
import { accumulateInPlace, LEAST_SUM } from '../../../../src/compute/tensor/runtimes/onnx/accumulate.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { evaluate } from '../../../../src/compute/tensor/runtimes/reference/index.js';
import { f32, sizeOf } from '../../../../src/compute/tensor/shape.js';
import type { Graph, HostTensor, ValueId } from '../../../../src/compute/tensor/types.js';

const [M, N, K, LOW] = [512, 512, 8, 4];

/** x·W + the graph's further part, under a node that makes it no output. */
function graphOf(more: (b: GraphBuilder, x: ValueId, base: ValueId) => ValueId, rows = M): Graph {
  const b = new GraphBuilder('sum');
  const x = b.input('x', [rows, K]);
  const base = b.matmul(x, b.input('w', [K, N]));
  b.output('y', b.neg(more(b, x, base)));
  return b.build();
}

const low = (b: GraphBuilder, rows = M) => b.input('low', [rows, LOW]);
const ops = (graph: Graph): readonly string[] =>
  accumulateInPlace(graph, LEAST_SUM).nodes.map(({ op }) => op);

describe('sums in place', () => {
  const placed: Readonly<Record<string, Graph>> = {
    'a product': graphOf((b, _, base) => b.add(base, b.matmul(low(b), b.input('a', [LOW, N])))),
    'a product that comes first @long': graphOf((b, _, base) =>
      b.add(b.matmul(low(b), b.input('a', [LOW, N])), b.sigmoid(base)),
    ),
    'a low rank that is transposed and scaled': graphOf((b, _, base) =>
      b.add(base, b.matmul(low(b), b.input('b', [N, LOW]), { transB: true, alpha: 0.25 })),
    ),
    'a chain of products @long': graphOf((b, x, base) =>
      [1, 2, 3].reduce(
        (sum, alpha) => b.add(sum, b.matmul(x, b.input(`w${alpha}`, [K, N]), { alpha })),
        base,
      ),
    ),
  };
  for (const [title, graph] of Object.entries(placed))
    it(`take ${title}, and give what the reference gives`, async () => {
      const rewritten = accumulateInPlace(graph, LEAST_SUM);
      expect(rewritten.nodes.map(({ op }) => op)).not.to.include('add');
      const sums = rewritten.nodes.filter(({ op }) => op === 'gemm');
      const { offsets } = planMemory(rewritten);
      const products = rewritten.nodes.filter(({ op }) => op === 'matmul').flatMap(({ outputs }) => outputs);
      // the first product's place is that of all sums
      expect(
        new Set([...products, ...sums.flatMap(({ outputs }) => outputs)].map((value) => offsets.get(value)))
          .size,
      ).to.equal(1);

      const runtime = await onnxRuntime({ threads: 2 });
      const compiled = await runtime.compile(graph);
      const inputs = graph.inputs.map(({ name, value }, number) => {
        const type = graph.types[value] ?? { dtype: 'f32' as const, shape: [] };
        const wave = (_: unknown, at: number) => Math.sin(at * (1.3 + number));
        return { name, type, data: Float32Array.from({ length: sizeOf(type.shape) }, wave) };
      });
      const expected = evaluate(graph, Object.fromEntries(inputs.map(({ name, data }) => [name, data])));
      // twice: the second run finds the sums of the first in their places
      for (let run = 0; run < 2; run++) {
        const { y } = await compiled.run(
          Object.fromEntries(inputs.map(({ name, type, data }) => [name, { type, data }])),
        );
        const worst = [...(expected['y'] ?? [])].reduce(
          (most, value, at) => Math.max(most, Math.abs(value - Number(y?.data[at]))),
          0,
        );
        expect(worst).to.be.lessThan(1e-4);
      }
      await compiled.release();
    });

  const left: Readonly<Record<string, Graph>> = {
    'are small': graphOf((b, _, base) => b.add(base, b.matmul(low(b, 8), b.input('a', [LOW, N]))), 8),
    'are read by others too': graphOf((b, _, base) =>
      b.mul(b.add(base, b.matmul(low(b), b.input('a', [LOW, N]))), base),
    ),
    'are given to the graph': graphOf((b, x) =>
      b.add(b.input('given', [M, N]), b.matmul(x, b.input('v', [K, N]))),
    ),
    'take a large matrix that would have to be transposed': graphOf((b, _, base) =>
      b.add(b.sigmoid(base), b.matmul(b.input('z', [M, 256]), b.input('v', [N, 256]), { transB: true })),
    ),
  };
  for (const [title, graph] of Object.entries(left))
    it(`are left as they are where they ${title}`, () => {
      expect(ops(graph)).to.deep.equal(graph.nodes.map(({ op }) => op));
    });

  it('lie in the memory of an output from the first product on', async () => {
    const b = new GraphBuilder('output');
    const x = b.input('x', [M, K]);
    const first = b.matmul(x, b.input('w', [K, N]));
    const sum = b.add(first, b.matmul(x, b.input('v', [K, N])));
    for (const name of ['y', 'again']) b.output(name, sum);
    b.output('after', b.sigmoid(sum));
    const graph = b.build();
    const rewritten = accumulateInPlace(graph, LEAST_SUM);
    const output = rewritten.outputs[0]?.value;
    expect([...planMemory(rewritten).inOutputs]).to.deep.equal([[first, output]]);
    const random = (rows: number, columns: number, seed: number) => ({
      type: f32([rows, columns]),
      data: Float32Array.from({ length: rows * columns }, (_, at) => Math.sin(at * seed)),
    });
    const inputs = { x: random(M, K, 1.3), w: random(K, N, 2.3), v: random(K, N, 3.3) };
    const expected = evaluate(graph, { x: inputs.x.data, w: inputs.w.data, v: inputs.v.data });
    const compiled = await (await onnxRuntime({ threads: 2 })).compile(graph);
    const y = { type: f32([M, N]), data: new Float32Array(M * N).fill(7) };
    for (const given of [{ y }, {}] as readonly Readonly<Record<string, HostTensor>>[]) {
      const results = await compiled.run(inputs, given);
      for (const [name, values] of Object.entries(expected)) {
        const found = results[name]?.data ?? [];
        expect(
          values.reduce((most, value, at) => Math.max(most, Math.abs(value - Number(found[at]))), 0),
          name,
        ).to.be.lessThan(1e-5);
      }
      if ('y' in given) expect(results['y']).to.equal(y);
    }
    await compiled.release();
  });
});
