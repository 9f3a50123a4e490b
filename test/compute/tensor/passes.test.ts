import { expect } from 'chai';
import { gradients } from '../../../src/compute/tensor/autodiff.js';
import { GraphBuilder } from '../../../src/compute/tensor/builder.js';
import { flopsOf } from '../../../src/compute/tensor/cost.js';
import { transientBytes } from '../../../src/compute/tensor/liveness.js';
import { rematerialise } from '../../../src/compute/tensor/rematerialise.js';
import { evaluate } from '../../../src/compute/tensor/runtimes/reference/index.js';
import { GraphError } from '../../../src/compute/tensor/shape.js';
import { fuseProducts, simplify } from '../../../src/compute/tensor/simplify.js';
import type { Graph } from '../../../src/compute/tensor/types.js';
import { restrict } from '../../../src/compute/tensor/uses.js';
import { verify } from '../../../src/compute/tensor/verify.js';

/** y = silu(x·Wᵀ)·Vᵀ + x, and its gradients, that of W behind what was summed up before. */
function network() {
  const inner = 5;
  const b = new GraphBuilder('network');
  const [x, w, v, dy] = [
    b.input('x', [4, 3]),
    b.input('w', [inner, 3]),
    b.input('v', [3, inner]),
    b.input('dy', [4, 3]),
  ];
  const hidden = b.matmul(x, w, { transB: true });
  const y = b.add(x, b.matmul(b.silu(hidden), v, { transB: true }));
  b.output('y', y);
  const [dx, dw, dv] = gradients(b, [{ value: y, gradient: dy }], [x, w, v]);
  if (dw !== undefined) b.output('grad.w', b.add(b.input('total.w', b.shapeOf(dw)), dw));
  for (const [name, value] of [
    ['dx', dx],
    ['dv', dv],
  ] as const)
    if (value !== undefined) b.output(name, value);
  const inputs = { x: 12, w: 3 * inner, v: 3 * inner, dy: 12, 'total.w': 3 * inner };
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, size]) => [
      name,
      Array.from({ length: size }, (_, i) => Math.sin(i + size)),
    ]),
  );
  return { joint: b.build(), hidden: { name: 'hidden', value: hidden }, values };
}

const close = (a: Record<string, Float64Array>, b: Record<string, Float64Array>) => {
  for (const [name, expected] of Object.entries(b))
    expected.forEach((value, index) => {
      expect(a[name]?.[index]).to.be.closeTo(value, 1e-12);
    });
};

describe('passes over graphs keep the results', () => {
  const { joint, hidden, values } = network();
  const expected = evaluate(joint, values);
  const fusedIn = (graph: Graph) => graph.nodes.filter(({ op }) => op === 'gemm').length;

  it('when a product is fused with what was summed up before', () => {
    const graph = simplify(joint);
    verify(graph);
    expect(fusedIn(graph)).to.equal(1);
    close(evaluate(graph, values), expected);
  });

  it('when every product that something is added to is fused with it', () => {
    const graph = restrict(fuseProducts(joint));
    verify(graph);
    expect(fusedIn(graph)).to.equal(3);
    expect(graph.nodes.length).to.equal(joint.nodes.length - 3);
    close(evaluate(graph, values), expected);
  });

  /** The gradient of x `[2, 7]`, of which slices are multiplied, the first one last: as it is, and simplified. */
  function gradientOfSlices(slices: readonly (readonly [number, number])[]) {
    const b = new GraphBuilder('slices');
    const x = b.input('x', [2, 7]);
    const seeds = slices.map(([start, end], index) => {
      const value = b.mul(b.slice(x, 1, start, end), b.input(`w${index}`, [2, end - start]));
      return { value, gradient: b.input(`dy${index}`, b.shapeOf(value)) };
    });
    const [dx] = gradients(b, seeds, [x]);
    b.output('dx', dx ?? x);
    const plain = b.build();
    const joined = simplify(plain);
    verify(joined);
    const random = Object.fromEntries(
      plain.inputs.map(({ name, value }) => {
        const { shape = [] } = plain.types[value] ?? {};
        return [
          name,
          Array.from({ length: shape.reduce((p, q) => p * q, 1) }, (_, at) => Math.sin(at + value)),
        ];
      }),
    );
    close(evaluate(joined, random), evaluate(plain, random));
    /** Columns that each node of an op writes. */
    return (op: string) =>
      joined.nodes
        .filter((node) => node.op === op)
        .map(({ outputs: [output = 0] }) => joined.types[output]?.shape[1] ?? 0);
  }

  const SIDE_BY_SIDE = [
    [0, 3],
    [3, 5],
    [5, 7],
  ] as const;

  it('when slices lie side by side: their gradients are put together', () => {
    const whole = gradientOfSlices(SIDE_BY_SIDE);
    expect([whole('concat'), whole('pad'), whole('add')]).to.deep.equal([[7], [], []]);
    const part = gradientOfSlices(SIDE_BY_SIDE.slice(1));
    expect([part('concat'), part('pad'), part('add')]).to.deep.equal([[4], [7], []]);
  });

  it('when slices lie within each other: their gradients are added from the shortest one upwards', () => {
    const beginnings = [7, 6, 4, 1].map((end) => [0, end] as const);
    const nested = gradientOfSlices(beginnings);
    expect([nested('pad'), nested('add')]).to.deep.equal([
      [4, 6, 7],
      [4, 6, 7],
    ]);
    const inside = gradientOfSlices([
      [1, 6],
      [2, 4],
      [2, 4],
    ]);
    expect([inside('add'), inside('pad')]).to.deep.equal([
      [2, 5],
      [5, 7],
    ]);
  });

  it('when slices overlap: nothing is joined', () => {
    const overlapping = gradientOfSlices([
      [0, 4],
      [3, 7],
    ]);
    expect([overlapping('pad'), overlapping('add')]).to.deep.equal([[7, 7], [7]]);
  });

  for (const [title, kept] of [
    ['kept', [hidden]],
    ['recomputed', []],
  ] as const)
    it(`when the hidden layer is ${title}`, () => {
      const { forward, backward } = rematerialise(joint, ['y'], kept);
      for (const half of [forward, backward]) verify(half);
      const first = evaluate(forward, values);
      const second = evaluate(backward, { ...values, ...first });
      close({ ...first, ...second }, expected);
      expect(backward.inputs.some(({ name }) => name === 'hidden')).to.equal(kept.length > 0);
      const ops = backward.nodes.filter(({ op }) => op === 'matmul').length;
      expect(ops).to.equal(kept.length > 0 ? 4 : 5);
    });

  it('when only some outputs are asked for', () => {
    const graph = restrict(
      joint,
      joint.outputs.filter(({ name }) => name === 'dv'),
    );
    close(evaluate(graph, values), { dv: expected['dv'] ?? new Float64Array() });
    expect(graph.inputs.map(({ name }) => name)).to.deep.equal(['x', 'w', 'dy']);
  });

  it('and nodes that are differentiated together follow their own rule', () => {
    const b = new GraphBuilder('together');
    const [x, other, dy] = [b.input('x', [3]), b.input('other', [3]), b.input('dy', [3])];
    const before = b.mul(x, other);
    const square = b.composite(
      [before],
      () => b.exp(b.mul(b.log(before), b.scalar(2))),
      (upstream) => [b.mul(upstream, b.mul(before, b.scalar(2)))],
    );
    const [dx, dother] = gradients(b, [{ value: b.add(square, x), gradient: dy }], [x, other]);
    b.output('dx', dx ?? x);
    b.output('dother', dother ?? x);
    const graph = restrict(b.build());
    expect(graph.nodes.filter(({ op }) => ['exp', 'log', 'div'].includes(op))).to.have.length(0);
    close(evaluate(graph, { x: [2, 3, 5], other: [1, 2, 3], dy: [1, 1, 2] }), {
      dx: Float64Array.of(2 * 2 + 1, 2 * 6 * 2 + 1, 2 * (2 * 15 * 3 + 1)),
      dother: Float64Array.of(2 * 2 * 2, 2 * 6 * 3, 2 * 2 * 15 * 5),
    });
  });

  it('and a frozen weight costs no product', () => {
    const b = new GraphBuilder('frozen');
    const [x, w, dy] = [b.input('x', [4, 3]), b.input('w', [5, 3]), b.input('dy', [4, 5])];
    const y = b.matmul(x, w, { transB: true });
    gradients(b, [{ value: y, gradient: dy }], [x]);
    expect(b.nodes.filter(({ op }) => op === 'matmul')).to.have.length(2);
  });
});

describe('cost and memory', () => {
  it('count multiply-adds twice', () => {
    const b = new GraphBuilder('product');
    b.output('y', b.matmul(b.input('a', [4, 3]), b.input('b', [3, 5])));
    expect(flopsOf(b.build())).to.equal(2 * 4 * 3 * 5);
  });

  it('a chain of elementwise ops lives in one place', () => {
    const b = new GraphBuilder('chain');
    b.output('y', b.sigmoid(b.exp(b.neg(b.exp(b.input('x', [1024]))))));
    expect(transientBytes(b.build())).to.equal(4096);
  });

  it('a value that is read twice keeps its place', () => {
    const b = new GraphBuilder('fork');
    const shared = b.exp(b.input('x', [1024]));
    b.output('y', b.matmul(b.reshape(b.neg(shared), [32, 32]), b.reshape(shared, [32, 32])));
    expect(transientBytes(b.build())).to.equal(8192);
  });
});

describe('verify', () => {
  const { joint } = network();
  const broken: Readonly<Record<string, Graph>> = {
    'a use before the definition': { ...joint, nodes: [...joint.nodes].reverse() },
    'a second definition': { ...joint, nodes: [...joint.nodes, ...joint.nodes.slice(0, 1)] },
    'a wrong shape': {
      ...joint,
      types: joint.types.map((type, i) => (i === 4 ? { ...type, shape: [9, 9] } : type)),
    },
    'a wrong attribute': {
      ...joint,
      nodes: joint.nodes.map((node, i) =>
        i === 0 ? { ...node, attributes: { ...node.attributes, transB: 1 } } : node,
      ),
    },
    'an output from nowhere': { ...joint, outputs: [{ name: 'z', value: 10_000 }] },
    'two inputs of one name': { ...joint, inputs: joint.inputs.map(({ value }) => ({ name: 'x', value })) },
    'a constant of another length': { ...joint, constants: [{ value: 0, data: new Float32Array(7) }] },
  };
  it('accepts what the builder made', () => {
    verify(joint);
  });
  for (const [what, graph] of Object.entries(broken))
    it(`refuses ${what}`, () => {
      expect(() => verify(graph)).to.throw(GraphError);
    });
});

describe('the builder', () => {
  const b = () => new GraphBuilder('wrong');
  const wrong: Readonly<Record<string, () => unknown>> = {
    'shapes that do not broadcast': () => {
      const g = b();
      return g.add(g.input('x', [2]), g.input('y', [3]));
    },
    'a product of unequal inner sizes': () => {
      const g = b();
      return g.matmul(g.input('x', [2, 3]), g.input('y', [2, 3]));
    },
    'a reshape to another size': () => {
      const g = b();
      return g.reshape(g.input('x', [2, 3]), [7]);
    },
    'an axis that is not there': () => {
      const g = b();
      return g.sum(g.input('x', [2, 3]), [2]);
    },
    'a name twice': () => {
      const g = b();
      g.input('x', [1]);
      return g.input('x', [1]);
    },
    'a size of zero': () => b().input('x', [0]),
  };
  for (const [what, build] of Object.entries(wrong))
    it(`refuses ${what}`, () => {
      expect(build).to.throw(GraphError);
    });
});
