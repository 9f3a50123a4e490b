import { expect } from 'chai';
import { GraphBuilder } from '../../../src/compute/tensor/builder.js';
import { transientBytes } from '../../../src/compute/tensor/liveness.js';
import { onnxRuntime } from '../../../src/compute/tensor/runtimes/onnx/index.js';
import { evaluate } from '../../../src/compute/tensor/runtimes/reference/index.js';
import { sizeOf } from '../../../src/compute/tensor/shape.js';
import { multiplyTiles, tiledInputs, tiledShape, tileInputs } from '../../../src/compute/tensor/tiles.js';
import type { Graph, HostTensor, Runtime, ValueId } from '../../../src/compute/tensor/types.js';
import { verify } from '../../../src/compute/tensor/verify.js';
import { randomNumbers } from './cases.js';

const NAMES = new Set(['w', 'v']);
const [ROWS, COLUMNS] = [48, 32];

/** Of x `[rows, 32]`, z `[rows, 48]` and two matrices `[48, 32]`. */
function graphOf(
  rows: number,
  build: (b: GraphBuilder, x: ValueId, z: ValueId, w: ValueId, v: ValueId) => ValueId,
): Graph {
  const b = new GraphBuilder('tiles');
  const [x, z] = [b.input('x', [rows, COLUMNS]), b.input('z', [rows, ROWS])];
  const [w, v] = [b.input('w', [ROWS, COLUMNS]), b.input('v', [ROWS, COLUMNS])];
  b.output('y', build(b, x, z, w, v));
  return b.build();
}

/** A matrix with `size` of its rows next to each other. */
function inTiles(values: Float32Array, columns: number, size: number): Float32Array {
  const tiled = new Float32Array(values.length);
  values.forEach((value, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    tiled[(Math.floor(row / size) * columns + column) * size + (row % size)] = value;
  });
  return tiled;
}

const BUILDS: Readonly<Record<string, Parameters<typeof graphOf>[1]>> = {
  'its transpose': (b, x, _, w) => b.matmul(x, w, { transB: true }),
  'the matrix': (b, _, z, w) => b.matmul(z, w),
  'both, one after the other': (b, x, _, w) => b.matmul(b.silu(b.matmul(x, w, { transB: true })), w),
  'two matrices, whose products are added': (b, _, z, w, v) => b.add(b.matmul(z, w), b.matmul(z, v)),
  'two transposes of which each is read again': (b, x, _, w, v) => {
    const [left, right] = [b.matmul(x, w, { transB: true }), b.matmul(x, v, { transB: true })];
    return b.mul(b.add(left, right), b.add(left, b.sigmoid(right)));
  },
  'a sum of products of either kind': (b, x, z, w, v) =>
    b.add(b.matmul(z, w), b.matmul(b.matmul(x, v, { transB: true }), w)),
};

describe('matrices in tiles', () => {
  let runtime: Runtime;
  let size = 0;
  before(async () => {
    // even the smallest intermediates in shared memory, so that a wrong lifetime shows
    runtime = await onnxRuntime({ threads: 1, scratch: 0 });
    size = (await runtime.tileSize?.()) ?? 0;
  });

  const valuesOf = (graph: Graph): Record<string, Float32Array> => {
    const random = randomNumbers(7);
    return Object.fromEntries(
      graph.inputs.map(({ name, value }) => [
        name,
        Float32Array.from({ length: sizeOf(graph.types[value]?.shape ?? []) }, () => random() - 0.5),
      ]),
    );
  };

  for (const [title, build] of Object.entries(BUILDS))
    for (const rows of [32, 5])
      it(`are multiplied by as ${title}, with ${rows} rows`, async () => {
        const plain = graphOf(rows, build);
        const values = valuesOf(plain);
        const expected = evaluate(plain, values)['y'] ?? [];
        for (const tiles of [16, 8]) {
          const graph = tileInputs(plain, NAMES, tiles);
          verify(graph);
          const laid = Object.fromEntries(
            graph.inputs.map(({ name, value }) => {
              const data = values[name] ?? new Float32Array();
              const isTiled = NAMES.has(name);
              return [
                name,
                {
                  type: { dtype: 'f32' as const, shape: graph.types[value]?.shape ?? [] },
                  data: isTiled ? inTiles(data, COLUMNS, tiles) : data,
                },
              ];
            }),
          ) satisfies Record<string, HostTensor>;
          // what the graph says, and what the runtime makes of it where these are its tiles
          const said = evaluate(
            graph,
            Object.fromEntries(Object.entries(laid).map(([name, { data }]) => [name, data])),
          )['y'];
          expect(Array.from(said ?? [])).to.deep.equal(Array.from(expected));
          const compiled = await runtime.compile(graph);
          const { y } = await compiled.run(laid);
          await compiled.release();
          const found = Array.from(y?.data ?? [], Number);
          expect(found).to.have.length(expected.length);
          for (const [at, value] of found.entries())
            expect(value).to.be.closeTo(expected[at] ?? Number.NaN, 2e-6);
          if (tiles === size) {
            const ops = multiplyTiles(graph, tiles).nodes.map(({ op }) => op);
            expect(ops).to.include('gemm').and.not.to.include('matmul');
          }
        }
      });

  it(`have a size on ${process.arch}: every x64 processor has kernels for them, others may have none`, () =>
    expect(process.arch === 'x64' ? [8, 16] : [8, 16, 0]).to.include(size));

  it('are left as they are where they are read otherwise, or do not divide', () => {
    const read = graphOf(4, (b, x, _, w) => b.add(b.matmul(x, w, { transB: true }), b.sum(b.mul(w, w), [1])));
    expect(tileInputs(read, NAMES, 16).inputs).to.deep.equal(read.inputs);
    const scaled = graphOf(4, (b, x, _, w) => b.matmul(x, w, { transB: true, alpha: 2 }));
    expect(tiledInputs(tileInputs(scaled, NAMES, 16), NAMES).size).to.equal(0);
    expect(tiledShape([48, 24], 16)).to.equal(undefined);
    expect(tiledShape([48, 32], 16)).to.deep.equal([3, 32, 16]);
    const plain = graphOf(4, (b, x, _, w) => b.matmul(x, w, { transB: true }));
    expect(multiplyTiles(plain, 16)).to.equal(plain);
    const tiled = tileInputs(plain, NAMES, 16);
    expect([...tiledInputs(tiled, NAMES)]).to.deep.equal([['w', 16]]);
    // tiles of another size are turned back
    expect(multiplyTiles(tiled, 8)).to.equal(tiled);
  });

  it('take the memory of what is laid out for them, and not of the matrix', () => {
    const graph = tileInputs(
      graphOf(16, (b, x, _, w) => b.matmul(x, w, { transB: true })),
      NAMES,
      16,
    );
    // once from the product, once as rows
    const result = 16 * ROWS;
    expect(transientBytes(multiplyTiles(graph, 16))).to.equal(4 * 2 * result);
    expect(transientBytes(graph)).to.equal(4 * ROWS * COLUMNS);
  });
});
