/** One suite for every runtime: each op gives what the reference gives. */
import { expect } from 'chai';
import { GraphBuilder } from '../../../../src/compute/tensor/builder.js';
import { OPS } from '../../../../src/compute/tensor/ops/index.js';
import type { OpName } from '../../../../src/compute/tensor/ops/names.js';
import { referenceRuntime } from '../../../../src/compute/tensor/runtimes/reference/index.js';
import type { Graph, HostTensor, Runtime, Tensor } from '../../../../src/compute/tensor/types.js';
import { CASES, type Case, graphOf, inputsOf } from '../cases.js';
import { DIFFERENTIABLE, differentiated } from '../differentiated.js';

const TOLERANCE = 2e-6;

function difference(a: HostTensor, b: HostTensor): number {
  const [left, right] = [Array.from(a.data, Number), Array.from(b.data, Number)];
  expect(left.length).to.equal(right.length);
  const scale = Math.max(1, ...left.map(Math.abs));
  return Math.max(...left.map((value, index) => Math.abs(value - (right[index] ?? Number.NaN)))) / scale;
}

/** Told of each difference that was found. */
export type Worst = (op: OpName, what: 'result' | 'gradient', difference: number) => void;

/** `tolerance`: of a result's largest value, or of 1 where that is more. */
export function conformance(
  name: string,
  open: () => Promise<Runtime>,
  worst?: Worst,
  tolerance = TOLERANCE,
): void {
  describe(`runtime ${name}`, () => {
    let runtime: Runtime;
    before(async () => {
      runtime = await open();
    });

    it('is asked for every op', () => {
      expect([...new Set(CASES.map(({ op }) => op))].sort()).to.deep.equal(Object.keys(OPS).sort());
    });

    const compare = async (test: Case, graph: Graph) => {
      const inputs = inputsOf(test, graph);
      const expected = await (await referenceRuntime().compile(graph)).run(inputs);
      const compiled = await runtime.compile(graph);
      const actual = await compiled.run(inputs);
      for (const { name: output } of graph.outputs) {
        const [left, right] = [expected[output], actual[output]];
        if (left === undefined || right === undefined) throw new Error(`${output} is missing`);
        expect(right.type).to.deep.equal(left.type);
        const found = difference(left, right);
        expect(found, output).to.be.at.most(tolerance);
        if (output.startsWith('gradient.')) worst?.(test.op, 'gradient', found);
        else if (output !== 'loss') worst?.(test.op, 'result', found);
      }
      await compiled.release();
    };

    for (const test of CASES) it(`${test.op} ${test.title}`, () => compare(test, graphOf(test)));

    for (const test of DIFFERENTIABLE)
      it(`the gradients of ${test.op} ${test.title}`, () => compare(test, differentiated(test).graph));

    it('writes into outputs that it is given, also over an input', async () => {
      const b = new GraphBuilder('accumulate');
      const total = b.input('total', [2, 3]);
      b.output('sum', b.gemm(b.input('x', [4, 2]), b.input('y', [4, 3]), total, { transA: true }));
      const graph = b.build();
      const type = { dtype: 'f32', shape: [2, 3] } as const;
      const held = { type, data: Float32Array.of(1, 2, 3, 4, 5, 6) };
      const ones = (shape: readonly number[]) => ({
        type: { dtype: 'f32', shape } as const,
        data: new Float32Array(shape.reduce((p, q) => p * q, 1)).fill(1),
      });
      const compiled = await runtime.compile(graph);
      const result = await compiled.run({ total: held, x: ones([4, 2]), y: ones([4, 3]) }, { sum: held });
      expect(result['sum']).to.equal(held);
      expect(Array.from(held.data)).to.deep.equal([5, 6, 7, 8, 9, 10]);
      await compiled.release();
    });

    describe('its memory', () => {
      const type = { dtype: 'f32', shape: [2, 3] } as const;
      const doubling = () => {
        const b = new GraphBuilder('double');
        const x = b.input('x', type.shape);
        b.output('y', b.add(x, b.input('by', type.shape)));
        return b.build();
      };
      const floats = async (tensor: Tensor) => Array.from((await runtime.memory.read(tensor)).data, Number);
      const write = (tensor: Tensor, values: readonly number[]) =>
        runtime.memory.write([tensor], (data) => (data as Float32Array).set(values));

      it('takes what is written and gives it back', async () => {
        const buffer = runtime.memory.buffer();
        const tensor = buffer.tensor(type);
        write(tensor, [1, 2, 3, 4, 5, 6]);
        expect(await floats(tensor)).to.deep.equal([1, 2, 3, 4, 5, 6]);
        expect(buffer.tensor(type)).to.equal(tensor);
        write(tensor, [6, 5, 4, 3, 2, 1]);
        expect(await floats(tensor)).to.deep.equal([6, 5, 4, 3, 2, 1]);
        const { bytes, peak } = runtime.memory.account;
        runtime.memory.zero(tensor);
        expect(await floats(tensor)).to.deep.equal([0, 0, 0, 0, 0, 0]);
        expect(runtime.memory.account).to.include({ bytes, peak });
        const data = Float32Array.of(1, 1, 1, 1, 1, 1);
        const held = runtime.memory.hold({ type, data });
        expect(await floats(held)).to.deep.equal([1, 1, 1, 1, 1, 1]);
        runtime.memory.free(held);
        buffer.release();
      });

      it('carries what one run gives to the next, and a hundred steps leak nothing', async () => {
        const { memory } = runtime;
        const compiled = await runtime.compile(doubling());
        const before = { ...memory.account };
        const buffers = [memory.buffer(), memory.buffer()];
        const [even, odd] = buffers.map((buffer) => buffer.tensor(type)) as [Tensor, Tensor];
        const by = memory.hold({ type, data: new Float32Array(6).fill(0.5) });
        write(even, [0, 1, 2, 3, 4, 5]);
        const step = async () => {
          await compiled.run({ x: even, by }, { y: odd });
          await compiled.run({ x: odd, by }, { y: even });
        };
        await step();
        const { tensors, bytes, peak } = memory.account;
        for (let count = 1; count < 100; count++) await step();
        expect(memory.account).to.include({ tensors, bytes, peak });
        expect(await floats(even)).to.deep.equal([100, 101, 102, 103, 104, 105]);
        for (const buffer of buffers) buffer.release();
        memory.free(by);
        expect(memory.account).to.include({ tensors: before.tensors, bytes: before.bytes });
        await compiled.release();
      });

      it('lets a sum be written over itself', async () => {
        const compiled = await runtime.compile(doubling());
        const buffer = runtime.memory.buffer();
        const total = buffer.tensor(type);
        write(total, [1, 2, 3, 4, 5, 6]);
        const by = { type, data: new Float32Array(6).fill(1) };
        for (let count = 0; count < 3; count++) await compiled.run({ x: total, by }, { y: total });
        expect(await floats(total)).to.deep.equal([4, 5, 6, 7, 8, 9]);
        buffer.release();
        await compiled.release();
      });

      it('has buffer for tensors of several types, one at a time', async () => {
        const before = runtime.memory.account.bytes;
        const buffer = runtime.memory.buffer();
        write(buffer.tensor(type), [1, 2, 3, 4, 5, 6]);
        const longer = buffer.tensor({ dtype: 'f32', shape: [8] });
        write(longer, [1, 2, 3, 4, 5, 6, 7, 8]);
        expect(await floats(longer)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
        expect(runtime.memory.account.bytes - before).to.equal(32);
        buffer.release();
        expect(runtime.memory.account.bytes).to.equal(before);
      });
    });
  });
}
