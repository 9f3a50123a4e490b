import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { GraphBuilder } from '../../../../src/compute/tensor/builder.js';
import { productsInBf16 } from '../../../../src/compute/tensor/low-precision.js';
import { OutOfMemoryError } from '../../../../src/compute/tensor/out-of-memory.js';
import { referenceRuntime } from '../../../../src/compute/tensor/runtimes/reference/index.js';
import { tensorflowRuntime } from '../../../../src/compute/tensor/runtimes/tensorflow/index.js';
import {
  bindingPath,
  readTensorFlow,
  sourceDigest,
  tensorflowFolder,
} from '../../../../src/compute/tensor/runtimes/tensorflow/installed.js';
import { isWorthCompiling, VARIANTS } from '../../../../src/compute/tensor/runtimes/tensorflow/variants.js';
import { GraphError } from '../../../../src/compute/tensor/shape.js';
import type { HostTensor, Tensor, ValueId } from '../../../../src/compute/tensor/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { runtimeVariables } from '../../../../src/pipeline/run/stage-environment.js';
import { leaveOut } from '../../../helpers/leave-out.js';
import { conformance } from './conformance.js';
import { errorTable } from './error-table.js';
import { openHere, whereInstalled, whyBf16RoundsTwice } from './here.js';

const floats = (shape: readonly number[], value: (index: number) => number): HostTensor => ({
  type: { dtype: 'f32', shape },
  data: Float32Array.from({ length: shape.reduce((p, q) => p * q, 1) }, (_, index) => value(index)),
});

whereInstalled('tensorflow', () => {
  const { note } = errorTable('tensorflow');
  conformance('tensorflow', () => openHere('tensorflow'), note);
  // XLA adds up one after the other, and not in a tree
  conformance(
    'tensorflow compiled by XLA',
    () => openHere('tensorflow', VARIANTS['bf16+xla']),
    undefined,
    5e-6,
  );

  describe('runtime tensorflow, besides', () => {
    const open = () => tensorflowRuntime({ binding: bindingPath(tensorflowFolder(nodeHost())), threads: 1 });
    const product = () => {
      const b = new GraphBuilder('product');
      b.output('y', b.matmul(b.input('x', [64, 64]), b.input('w', [64, 64])));
      return b.build();
    };
    const inputs = { x: floats([64, 64], Math.sin), w: floats([64, 64], Math.cos) };

    for (const name of ['bf16', 'bf16+xla'] as const)
      it(`rounds products as their emulation does, ${name}`, async function () {
        const roundsTwice = name === 'bf16' ? whyBf16RoundsTwice() : undefined;
        if (roundsTwice !== undefined) leaveOut(this, roundsTwice);
        const b = new GraphBuilder('products');
        const [x, w, v] = [b.input('x', [5, 70]), b.input('w', [70, 6]), b.input('v', [6, 70])];
        const down = b.matmul(x, w);
        // the second product reads the first as it was rounded
        b.output('chain', b.matmul(down, v));
        b.output('scaled', b.matmul(x, v, { transB: true, alpha: 0.125 }));
        b.output('turned', b.matmul(x, down, { transA: true }));
        const stack = b.reshape(x, [5, 7, 10]);
        b.output('stacks', b.matmul(stack, b.reshape(x, [5, 7, 10]), { transB: true, alpha: 0.3 }));
        b.output('exact', b.add(down, b.input('bias', [5, 6])));
        const graph = productsInBf16(b.build());
        const given = {
          x: floats([5, 70], Math.sin),
          w: floats([70, 6], Math.cos),
          v: floats([6, 70], (at) => Math.sin(3 * at)),
          bias: floats([5, 6], () => 0),
        };
        const expected = await (await referenceRuntime().compile(graph)).run(given);
        const compiled = await (await openHere('tensorflow', VARIANTS[name])).compile(graph);
        const actual = await compiled.run(given);
        for (const { name: output } of graph.outputs) {
          const [right = [], left = []] = [expected, actual].map((all) =>
            Array.from(all[output]?.data ?? [], Number),
          );
          const largest = Math.max(...right.map(Math.abs));
          // a sum in another order may round the other way: two steps of eight bits, where it is scaled as well
          right.forEach((value, at) => {
            expect(Math.abs(value - (left[at] ?? Number.NaN)), output).to.be.at.most(2 ** -7 * largest);
          });
          // and mostly it does not; what is scaled by no power of two is rounded twice
          const same = right.filter((value, at) => value === left[at]).length;
          if (output !== 'stacks') expect(same / right.length, output).to.be.above(0.9);
        }
        await compiled.release();
      });

    it('maps no new memory for what products are packed into', function () {
      const host = nodeHost();
      if (readTensorFlow(host)?.source !== sourceDigest(host))
        leaveOut(this, 'the binding is an older one: `ftpc runtime install tensorflow` builds it again');
      const script = fileURLToPath(new URL('packed-products.js', import.meta.url));
      const { stdout, stderr } = spawnSync(process.execPath, [script], {
        encoding: 'utf8',
        env: { ...process.env, ...runtimeVariables(2, 'tensorflow') },
      });
      // mapped again, the 3.4 MiB of a packed factor would be 17,000 pages
      expect(stdout, stderr).to.match(/^\{"faults":\d{1,3}\}$/);
    });

    it('compiles what multiplies much, and what makes many passes over memory', () => {
      const updating = (numbers: number) => {
        const b = new GraphBuilder('update');
        const x = b.input('x', [numbers]);
        b.output(
          'y',
          Array.from({ length: 20 }).reduce<ValueId>((sum) => b.mul(b.add(sum, x), x), x),
        );
        return b.build();
      };
      expect(isWorthCompiling(updating(2 ** 15))).to.equal(true);
      expect(isWorthCompiling(updating(2 ** 10))).to.equal(false);
      const multiplying = (rows: number) => {
        const b = new GraphBuilder('product');
        b.output('y', b.matmul(b.input('x', [rows, 1024]), b.input('w', [1024, 1024])));
        return b.build();
      };
      expect(isWorthCompiling(multiplying(512))).to.equal(true);
      expect(isWorthCompiling(multiplying(16))).to.equal(false);
    });

    it('holds no tensor between two runs, also where one failed', async () => {
      const runtime = await open();
      const compiled = await runtime.compile(product());
      // the tables of packed weights stay
      const before = runtime.handles();
      for (let run = 0; run < 100; run++) await compiled.run(inputs);
      expect(runtime.handles()).to.equal(before);
      const wrong = { ...inputs, w: floats([64, 63], Math.cos) };
      const error: unknown = await compiled.run(wrong).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(Error);
      expect(await compiled.run({ x: inputs.x }).catch((reason: unknown) => reason)).to.be.instanceOf(
        GraphError,
      );
      expect(runtime.handles()).to.equal(before);
      await compiled.release();
    });

    it('says that its device is full, and goes on', async () => {
      const runtime = await open();
      const before = { ...runtime.memory.account, handles: runtime.handles() };
      const b = new GraphBuilder('large');
      b.output('y', b.sum(b.exp(b.expand(b.input('x', [1, 1]), [2 ** 20, 2 ** 21])), [0, 1]));
      const large = await runtime.compile(b.build());
      const x = floats([1, 1], () => 1);
      const error: unknown = await large.run({ x }).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(OutOfMemoryError).with.nested.property('refused.runtime', 'tensorflow');
      expect({ ...runtime.memory.account, handles: runtime.handles() }).to.deep.equal(before);
      const compiled = await runtime.compile(product());
      expect((await compiled.run(inputs))['y']?.data).to.have.length(64 * 64);
      await compiled.release();
    });

    it('says which input has another shape than its graph, and what was read before it was written', async () => {
      const runtime = await open();
      const compiled = await runtime.compile(product());
      const failure = (given: Record<string, Tensor>) =>
        compiled.run(given).then(
          () => '',
          (error: Error) => `${error.name}: ${error.message}`,
        );
      expect(await failure({ ...inputs, w: floats([64, 63], Math.cos) })).to.equal(
        'GraphError: product: input w is f32 [64, 63], not f32 [64, 64]',
      );
      const empty = runtime.memory.buffer().tensor({ dtype: 'f32', shape: [64, 64] });
      expect(await failure({ ...inputs, w: empty })).to.match(/^GraphError: .* before it is written/);
      await compiled.release();
    });

    it('gives the same bytes for the same inputs, in a graph that is compiled again, too', async () => {
      const runtime = await open();
      const [first, second] = [await runtime.compile(product()), await runtime.compile(product())];
      const bytesOf = async (compiled: typeof first): Promise<readonly number[]> =>
        Array.from((await compiled.run(inputs))['y']?.data ?? [], Number);
      const expected = await bytesOf(first);
      for (const compiled of [first, second, second]) expect(await bytesOf(compiled)).to.deep.equal(expected);
      await first.release();
      await second.release();
    });

    it('sees what changed in an input that it was fed before', async () => {
      const compiled = await (await open()).compile(product());
      const before = (await compiled.run(inputs))['y']?.data[0];
      const w = { ...inputs.w, data: (inputs.w.data as Float32Array).slice() };
      await compiled.run({ ...inputs, w });
      w.data.fill(0);
      expect((await compiled.run({ ...inputs, w }))['y']?.data[0]).to.equal(0);
      expect((await compiled.run(inputs))['y']?.data[0]).to.equal(before);
      await compiled.release();
    });
  });
});
