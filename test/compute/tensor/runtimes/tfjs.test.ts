import { expect } from 'chai';
import { planDecoder } from '../../../../src/compute/models/decoder/plan.js';
import { GraphBuilder } from '../../../../src/compute/tensor/builder.js';
import { OutOfMemoryError } from '../../../../src/compute/tensor/out-of-memory.js';
import { referenceRuntime } from '../../../../src/compute/tensor/runtimes/reference/index.js';
import { tfjsRuntime } from '../../../../src/compute/tensor/runtimes/tfjs/index.js';
import {
  TFJS_NAMES,
  type TfjsName,
  tfjsFolder,
} from '../../../../src/compute/tensor/runtimes/tfjs/installed.js';
import { refusedBytes } from '../../../../src/compute/tensor/runtimes/tfjs/kernel-calls.js';
import { bytesOnGpu } from '../../../../src/compute/tensor/runtimes/tfjs/row-ranges.js';
import { sizeOf } from '../../../../src/compute/tensor/shape.js';
import type {
  CodedTensor,
  Graph,
  HostTensor,
  PackedTensor,
  Runtime,
  Tensor,
} from '../../../../src/compute/tensor/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { fixture } from '../../models/decoder/fixture.js';
import { conformance } from './conformance.js';
import { errorTable } from './error-table.js';
import { openHere, whereInstalled } from './here.js';

const floats = (shape: readonly number[], value: (index: number) => number): HostTensor => ({
  type: { dtype: 'f32', shape },
  data: Float32Array.from({ length: shape.reduce((p, q) => p * q, 1) }, (_, index) => value(index)),
});

/** Of a training of 2 rows of 24 tokens. */
function stepGraph(role: 'block_forward' | 'block_backward' | 'head'): Graph {
  const { recording, adapter } = fixture('tied');
  const { graphs } = planDecoder({
    ...{
      config: recording.config,
      adapter: adapter.config,
      trainable: 'adapter',
      weightBytes: 0,
      dequantised: {},
    },
    ...{ rows: 2, length: 24, checkpointedBlocks: 0, logitsChunk: 32 },
  });
  const found = graphs.findLast((one) => one.role === role);
  if (found === undefined) throw new Error(`no ${role}`);
  return found.graph;
}

for (const name of TFJS_NAMES)
  whereInstalled(name, () => {
    conformance(name, () => openHere(name), errorTable(name).note);

    describe(`runtime ${name}, besides`, () => {
      const open = () => tfjsRuntime({ name: name as TfjsName, folder: tfjsFolder(nodeHost(), name) });
      const graph = () => {
        const b = new GraphBuilder('steps');
        const x = b.input('x', [4, 6]);
        const shares = b.softmax(b.add(b.matmul(x, b.input('w', [5, 6]), { transB: true }), b.scalar(2)));
        b.output('y', b.mul(b.silu(shares), shares));
        return b.build();
      };
      const inputs = { x: floats([4, 6], Math.sin), w: floats([5, 6], Math.cos) };

      it('leaves no tensor in the library, also where a run failed', async () => {
        const runtime = await open();
        const before = runtime.tensors();
        const compiled = await runtime.compile(graph());
        await compiled.run(inputs);
        const held = runtime.tensors();
        for (let run = 0; run < 100; run++) await compiled.run(inputs);
        expect(runtime.tensors()).to.equal(held);
        const error: unknown = await compiled.run({ x: inputs.x }).catch((reason: unknown) => reason);
        expect(error).to.be.instanceOf(Error);
        expect(runtime.tensors()).to.equal(held);
        await compiled.release();
        expect(runtime.tensors()).to.equal(before);
      });

      it('gives the same bytes for the same inputs', async () => {
        const [first, second] = [
          await (await open()).compile(graph()),
          await (await open()).compile(graph()),
        ];
        const expected = (await first.run(inputs))['y']?.data;
        for (const compiled of [first, second, second])
          expect((await compiled.run(inputs))['y']?.data).to.deep.equal(expected);
        await first.release();
        await second.release();
      });
    });
  });

whereInstalled('webgpu', () => {
  const WEBGPU = { name: 'webgpu', folder: tfjsFolder(nodeHost(), 'webgpu') } as const;
  const SHAPE = [48, 72] as const;
  const COUNT = SHAPE[0] * SHAPE[1];
  const bytes = (length: number, step: number): Uint8Array =>
    Uint8Array.from({ length }, (_, index) => (index * step + (index >> 3)) & 255);
  const table = Float32Array.from({ length: 16 }, (_, code) => Math.fround(Math.sin(code)));
  const coded = (constants: CodedTensor['constants']): CodedTensor => ({
    ...{ form: 'coded', shape: SHAPE, table, block: 64, codes: bytes(COUNT / 2, 37), constants },
  });
  const blocks = COUNT / 64;
  const nested = {
    ...{ codes: bytes(blocks, 11), block: 256, scales: Float32Array.of(0.37), offset: 0.25 },
    table: Float32Array.from({ length: 256 }, (_, code) => code / 128 - 1),
  };
  const constantsOf = ({ constants }: CodedTensor): Float32Array =>
    constants instanceof Float32Array
      ? constants
      : Float32Array.from(constants.codes, (code, at) => {
          const scale = constants.scales[Math.floor(at / constants.block)] ?? 0;
          return Math.fround((constants.table[code] ?? 0) * scale) + constants.offset;
        });
  const decodeCoded = (packed: CodedTensor): Float32Array => {
    const constants = constantsOf(packed);
    return Float32Array.from({ length: COUNT }, (_, at) => {
      const both = packed.codes[at >> 1] ?? 0;
      return (table[at % 2 === 0 ? both >> 4 : both & 15] ?? 0) * (constants[at >> 6] ?? 0);
    });
  };
  const bf16 = Float32Array.from({ length: COUNT }, (_, at) => Math.fround(Math.sin(at)));
  const upper = new Uint16Array(new Uint32Array(bf16.buffer).map((bits) => bits >>> 16));
  const rounded = new Float32Array(Uint32Array.from(upper, (bits) => bits << 16).buffer);
  // small whole numbers times a power of two, as half precision has them exactly
  const halves = Float32Array.from({ length: COUNT }, (_, at) => ((at % 31) - 15) / 8);
  const halfBits = (value: number): number => {
    if (value === 0) return 0;
    const exponent = Math.floor(Math.log2(Math.abs(value)));
    const fraction = Math.abs(value) / 2 ** exponent - 1;
    return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | (fraction * 1024);
  };
  const f16 = Uint16Array.from(halves, halfBits);
  const plainConstants = Float32Array.from({ length: blocks }, (_, at) => 0.5 + at / 10);

  const FORMS: readonly (readonly [string, PackedTensor, Float32Array])[] = [
    ['NF4', coded(plainConstants), decodeCoded(coded(plainConstants))],
    ['NF4 with constants that are codes', coded(nested), decodeCoded(coded(nested))],
    ['bfloat16', { form: 'bf16', shape: SHAPE, bits: new Uint8Array(upper.buffer) }, rounded],
    ['half precision', { form: 'f16', shape: SHAPE, bits: new Uint8Array(f16.buffer) }, halves],
  ];

  describe('a packed weight on webgpu', () => {
    const USES: Readonly<Record<string, (b: GraphBuilder, w: number) => number>> = {
      'a product, forward': (b, w) => b.matmul(b.input('x', [5, 72]), w, { transB: true, alpha: 0.7 }),
      'a product, transposed': (b, w) => b.matmul(b.input('x', [5, 48]), w),
      'a product of a single row': (b, w) => b.matmul(b.input('x', [1, 72]), w, { transB: true }),
      'a sum': (b, w) => b.add(w, b.input('x', [48, 72])),
      'rows of it': (b, w) => b.gather(w, b.input('i', [4], 'i32')),
      'a product that is added to it': (b, w) =>
        b.gemm(b.input('x', [48, 2]), b.input('z', [2, 72]), w, { alpha: 0.5 }),
    };
    const given = (graph: Graph, w: Tensor) =>
      Object.fromEntries(
        graph.inputs.map(({ name, value }) => {
          const { dtype, shape } = graph.types[value] ?? { dtype: 'f32' as const, shape: [] };
          if (name === 'w') return [name, w];
          if (dtype === 'i32') return [name, { type: { dtype, shape }, data: Int32Array.of(47, 0, 3, 3) }];
          return [name, floats(shape, Math.cos)];
        }),
      );
    const run = async (runtime: Runtime, graph: Graph, w: Tensor): Promise<ArrayLike<number>> => {
      const compiled = await runtime.compile(graph);
      const { y } = await compiled.run(given(graph, w));
      await compiled.release();
      return y?.data as Float32Array;
    };

    const expectClose = async (graph: Graph, found: ArrayLike<number>, values: Float32Array) => {
      const w: HostTensor = { type: { dtype: 'f32', shape: SHAPE }, data: values };
      const expected = await run(referenceRuntime(), graph, w);
      expect(found.length).to.equal(expected.length);
      const scale = Math.max(1, ...Array.from(expected, Math.abs));
      for (let at = 0; at < expected.length; at++)
        expect(Math.abs((found[at] ?? Number.NaN) - (expected[at] ?? 0)) / scale, `${at}`).to.be.below(2e-6);
    };
    const graphOf = (use: string): Graph => {
      const b = new GraphBuilder(use);
      b.output('y', USES[use]?.(b, b.input('w', SHAPE)) ?? -1);
      return b.build();
    };

    for (const [form, packed, values] of FORMS)
      for (const use of Object.keys(USES))
        it(`in ${form}: ${use}`, async () => {
          const runtime = await openHere('webgpu');
          const { bytes: before } = runtime.memory.account;
          const held = runtime.memory.holdPacked(packed);
          if (held === undefined) throw new Error('the form is taken');
          expect(runtime.memory.account.bytes - before).to.be.at.most(2 * COUNT);
          const found = await run(runtime, graphOf(use), held);
          runtime.memory.free(held);
          await expectClose(graphOf(use), found, values);
        });

    describe('that is larger than the device takes in one piece', () => {
      const [whole, addend] = ['a sum', 'a product that is added to it'];
      /** Bytes; of half precision that is 10 rows, of NF4 40, so that no constant is of two parts. */
      const small = () => tfjsRuntime({ ...WEBGPU, largest: 1500 });

      for (const [form, packed, values] of [...FORMS, ['float32', undefined, bf16] as const])
        for (const use of Object.keys(USES).filter((name) => name !== whole && name !== addend))
          it(`in ${form}: ${use}`, async () => {
            const { memory, ...runtime } = await small();
            const tensors = runtime.tensors();
            const plain: HostTensor = { type: { dtype: 'f32', shape: SHAPE }, data: values };
            const held = packed === undefined ? memory.hold(plain) : memory.holdPacked(packed);
            if (held === undefined) throw new Error('the form is taken');
            const found = await run({ ...runtime, memory }, graphOf(use), held);
            memory.free(held);
            expect(runtime.tensors()).to.be.within(tensors, tensors + 1);
            await expectClose(graphOf(use), found, values);
          });

      it('is refused where it is wanted as a whole', async () => {
        const { memory, ...runtime } = await small();
        for (const [form, packed] of FORMS) {
          const held = memory.holdPacked(packed);
          if (held === undefined) throw new Error('the form is taken');
          const tensors = runtime.tensors();
          for (const use of [whole, addend]) {
            const error: unknown = await run({ ...runtime, memory }, graphOf(use), held).catch(
              (reason: unknown) => reason,
            );
            expect(error, form).to.be.instanceOf(OutOfMemoryError);
            expect((error as OutOfMemoryError).refused.diagnostic?.code, form).to.equal('FTP0932');
          }
          expect(runtime.tensors()).to.equal(tensors);
          memory.free(held);
        }
      });
    });
  });

  describe('values that are larger than webgpu takes in one piece', () => {
    const [ROWS, WIDTH] = [61, 12] as const;
    const LARGEST = 2048;
    const table = (b: GraphBuilder) => b.input('x', [ROWS, WIDTH]);
    /** What a whole training does with a large table and its gradient. */
    const GRAPHS: Readonly<Record<string, (b: GraphBuilder) => number>> = {
      'a sum, a product and a root of each value': (b) => {
        const [x, scalar] = [table(b), b.input('scalar', [])];
        const squares = b.mul(x, x);
        return b.div(b.sub(b.add(squares, scalar), b.mul(x, scalar)), b.sqrt(b.add(squares, b.scalar(2))));
      },
      'a factor of each row, and one of each column': (b) =>
        b.mul(b.mul(table(b), b.input('row', [ROWS, 1])), b.input('column', [WIDTH])),
      'sums of rows': (b) => b.sum(b.mul(table(b), b.scalar(3)), [1], false),
      'a sum of all': (b) => b.sum(b.sum(table(b), [-1], false), [0], false),
      'the gradient of a table, added up': (b) =>
        b.gemm(b.input('a', [5, ROWS]), b.input('g', [5, WIDTH]), table(b), { transA: true }),
      'the gradient of a table': (b) =>
        b.matmul(b.input('a', [5, ROWS]), b.input('g', [5, WIDTH]), { transA: true, alpha: 0.5 }),
      'rows that are added to a table': (b) =>
        b.add(table(b), b.scatterRows(b.input('i', [6], 'i32'), b.input('u', [6, WIDTH]), ROWS)),
      'a table that a product reads after a change': (b) =>
        b.matmul(b.input('g', [5, WIDTH]), b.mul(table(b), b.scalar(0.5)), { transB: true }),
      'a table that is handed on': table,
    };
    const WHOLE: Readonly<Record<string, (b: GraphBuilder) => number>> = {
      'a transposition': (b) => b.transpose(table(b), [1, 0]),
      'a softmax': (b) => b.softmax(table(b)),
      'a sum over rows': (b) => b.sum(table(b), [0], false),
      'a first factor': (b) => b.matmul(table(b), b.input('g', [WIDTH, 3])),
      'a single row': (b) => b.mul(b.input('x', [1, 600]), b.scalar(2)),
    };
    const run = async (runtime: Runtime, build: (b: GraphBuilder) => number): Promise<Float32Array> => {
      const b = new GraphBuilder('large');
      b.output('y', build(b));
      const graph = b.build();
      const inputs = graph.inputs.map(({ name, value }): [string, HostTensor] => {
        const { dtype, shape } = graph.types[value] ?? { dtype: 'f32' as const, shape: [] };
        return dtype === 'i32'
          ? [name, { type: { dtype, shape }, data: Int32Array.of(60, 0, 42, 43, 60, 17) }]
          : [name, floats(shape, (at) => Math.sin(at + name.length))];
      });
      const compiled = await runtime.compile(graph);
      try {
        return (await compiled.run(Object.fromEntries(inputs)))['y']?.data as Float32Array;
      } finally {
        await compiled.release();
      }
    };

    for (const [title, build] of Object.entries(GRAPHS))
      it(title, async () => {
        const runtime = await tfjsRuntime({ ...WEBGPU, largest: LARGEST });
        const tensors = runtime.tensors();
        const found = await run(runtime, build);
        expect(runtime.tensors()).to.equal(tensors);
        const expected = await run(referenceRuntime(), build);
        expect(found.length).to.equal(expected.length);
        const scale = Math.max(1, ...expected.map(Math.abs));
        found.forEach((value, at) => {
          expect(Math.abs(value - (expected[at] ?? 0)) / scale, `${at}`).to.be.below(2e-6);
        });
      });

    it('lets the same graph run again after it was refused in the midst', async () => {
      const runtime = await tfjsRuntime({ ...WEBGPU, largest: LARGEST });
      const b = new GraphBuilder('again');
      const one = b.input('w', [WIDTH]);
      const normed = b.layerNorm(b.input('x', [20, WIDTH]), one, one, 1e-5);
      b.output('y', b.gather(normed, b.input('i', [50], 'i32')));
      const compiled = await runtime.compile(b.build());
      const tensors = runtime.tensors();
      const inputs = {
        w: floats([WIDTH], Math.cos),
        x: floats([20, WIDTH], Math.sin),
        i: { type: { dtype: 'i32', shape: [50] }, data: new Int32Array(50) } as const,
      };
      for (let run = 0; run < 3; run++) {
        const error: unknown = await compiled.run(inputs).catch((reason: unknown) => reason);
        expect(error).to.be.instanceOf(OutOfMemoryError);
        expect((error as OutOfMemoryError).refused.diagnostic?.code).to.equal('FTP0932');
      }
      // the constants of a graph that was compiled
      expect(runtime.tensors()).to.equal(tensors + 1);
      await compiled.release();
    });

    for (const role of ['block_forward', 'block_backward', 'head'] as const)
      it(`are predicted to be refused, or not, in ${role}`, async () => {
        const graph = stepGraph(role);
        const sizes = new Set(
          graph.types.map(({ shape }) => bytesOnGpu(shape)).filter((size) => size > 1000),
        );
        const inputs = Object.fromEntries(
          graph.inputs.map(({ name, value }): [string, HostTensor] => {
            const { dtype, shape } = graph.types[value] ?? { dtype: 'f32' as const, shape: [] };
            return [
              name,
              dtype === 'f32'
                ? floats(shape, (at) => 0.01 * Math.sin(at))
                : { type: { dtype, shape }, data: new Int32Array(sizeOf(shape)) },
            ];
          }),
        );
        let refusals = 0;
        for (const size of sizes) {
          const largest = size - 4;
          const compiled = await (await tfjsRuntime({ ...WEBGPU, largest })).compile(graph);
          const error: unknown = await compiled.run(inputs).then(
            () => undefined,
            (reason: unknown) => reason,
          );
          await compiled.release();
          const predicted = refusedBytes(graph, largest);
          expect(error !== undefined, `${predicted} of at most ${largest}: ${error}`).to.equal(
            predicted !== undefined,
          );
          if (error !== undefined)
            expect((error as OutOfMemoryError).refused.diagnostic?.code).to.equal('FTP0932');
          if (error !== undefined) refusals++;
        }
        expect(refusals).to.be.above(0);
      });

    for (const [title, build] of Object.entries(WHOLE))
      it(`are refused for ${title}, which wants them in one`, async () => {
        const runtime = await tfjsRuntime({ ...WEBGPU, largest: LARGEST });
        const tensors = runtime.tensors();
        const error: unknown = await run(runtime, build).catch((reason: unknown) => reason);
        expect(error).to.be.instanceOf(OutOfMemoryError);
        expect((error as OutOfMemoryError).refused.diagnostic?.code).to.equal('FTP0932');
        expect(runtime.tensors()).to.equal(tensors);
      });
  });
});
