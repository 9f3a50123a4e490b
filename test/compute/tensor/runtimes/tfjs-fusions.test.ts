/** What kernels of the GPU take the place of. */
import { expect } from 'chai';
import { crossEntropy } from '../../../../src/compute/models/architectures/graphs/head.js';
import { headGraph } from '../../../../src/compute/models/decoder/graphs.js';
import { GraphBuilder } from '../../../../src/compute/tensor/builder.js';
import { referenceRuntime } from '../../../../src/compute/tensor/runtimes/reference/index.js';
import { openBackend } from '../../../../src/compute/tensor/runtimes/tfjs/backends.js';
import { tfjsFolder } from '../../../../src/compute/tensor/runtimes/tfjs/installed.js';
import { kernelCallsOf } from '../../../../src/compute/tensor/runtimes/tfjs/kernel-calls.js';
import type { Graph, HostTensor } from '../../../../src/compute/tensor/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { fixture } from '../../models/decoder/fixture.js';
import { openHere, whereInstalled } from './here.js';

const floats = (shape: readonly number[], value: (index: number) => number): HostTensor => ({
  type: { dtype: 'f32', shape },
  data: Float32Array.from({ length: shape.reduce((p, q) => p * q, 1) }, (_, index) => value(index)),
});

whereInstalled('webgpu', () => {
  describe('cross entropy on webgpu', () => {
    const [ROWS, CLASSES] = [5, 150];
    type Build = (b: GraphBuilder, x: number, labels: number, seed: number) => void;
    const BUILDS: Readonly<Record<string, Build>> = {
      'its losses': (b, x, labels) => b.output('loss', crossEntropy(b, x, labels).loss),
      'losses and gradient, in the place of the logits': (b, x, labels, seed) => {
        const { loss, gradient } = crossEntropy(b, b.mul(x, b.scalar(3)), labels);
        b.output('loss', loss);
        b.output('gradient', gradient(seed));
      },
      'losses and gradient of logits that are an output': (b, x, labels, seed) => {
        const logits = b.mul(x, b.scalar(3));
        const { loss, gradient } = crossEntropy(b, logits, labels);
        b.output('gradient', gradient(seed));
        b.output('loss', loss);
        b.output('logits', logits);
      },
      'losses and gradient of logits that are read again': (b, x, labels, seed) => {
        const logits = b.mul(x, b.scalar(3));
        const { loss, gradient } = crossEntropy(b, logits, labels);
        b.output('product', b.mul(logits, gradient(seed)));
        b.output('loss', loss);
      },
      'losses and gradient of an input, which stays as it is': (b, x, labels, seed) => {
        const { loss, gradient } = crossEntropy(b, x, labels);
        b.output('gradient', gradient(seed));
        b.output('loss', loss);
        b.output('same', b.add(x, b.scalar(0)));
      },
      'losses and gradient of a view of an input, which stays as it is': (b, x, labels, seed) => {
        const view = b.reshape(b.reshape(x, [ROWS * CLASSES]), [ROWS, CLASSES]);
        const { loss, gradient } = crossEntropy(b, view, labels);
        b.output('gradient', gradient(seed));
        b.output('loss', loss);
      },
      'of losses that the gradient depends on': (b, x, labels) => {
        const { loss, gradient } = crossEntropy(b, x, labels);
        b.output('gradient', gradient(loss));
      },
    };
    const graphOf = (title: string, build: Build): Graph => {
      const b = new GraphBuilder(title);
      build(b, b.input('x', [ROWS, CLASSES]), b.input('labels', [ROWS], 'i32'), b.input('seed', [ROWS]));
      return b.build();
    };
    const given = {
      x: floats([ROWS, CLASSES], (at) => 10 * Math.sin(at * at)),
      labels: { type: { dtype: 'i32', shape: [ROWS] } as const, data: Int32Array.of(0, 149, 70, 3, 64) },
      // a row without a label
      seed: { type: { dtype: 'f32', shape: [ROWS] } as const, data: Float32Array.of(0.5, 1, 0, -2, 0.25) },
    };

    for (const [title, build] of Object.entries(BUILDS))
      it(title, async () => {
        const graph = graphOf(title, build);
        const runtime = await openHere('webgpu');
        const compiled = await runtime.compile(graph);
        const expected = await (await referenceRuntime().compile(graph)).run(given);
        const x = runtime.memory.hold(given.x);
        for (let run = 0; run < 2; run++) {
          const found = await compiled.run({ ...given, x });
          for (const { name } of graph.outputs) {
            const [left, right] = [expected[name], found[name]].map((one) =>
              Array.from(one?.data ?? [], Number),
            );
            const scale = Math.max(1, ...(left ?? []).map(Math.abs));
            expect(right?.length).to.equal(left?.length);
            left?.forEach((value, at) => {
              expect(Math.abs(value - (right?.[at] ?? Number.NaN)) / scale, `${name} ${at}`).to.be.below(
                2e-6,
              );
            });
            // exactly: a row without a label counts nothing
            if (name === 'gradient' && title.startsWith('losses'))
              expect(right?.slice(2 * CLASSES, 3 * CLASSES).every((value) => value === 0)).to.equal(true);
          }
        }
        expect((await runtime.memory.read(x)).data).to.deep.equal(given.x.data);
        runtime.memory.free(x);
        await compiled.release();
      });

    it('makes no second array of the size of the logits where nobody reads them any more', async () => {
      const { core } = await openBackend('webgpu', tfjsFolder(nodeHost(), 'webgpu'));
      const { bufferManager } = core.engine().backend as unknown as {
        bufferManager: { acquireBuffer: (size: number, ...rest: unknown[]) => unknown };
      };
      const made = async (title: string): Promise<number> => {
        const compiled = await (await openHere('webgpu')).compile(graphOf(title, BUILDS[title] as Build));
        const acquire = bufferManager.acquireBuffer;
        let count = 0;
        bufferManager.acquireBuffer = (size, ...rest) => {
          if (size >= 4 * ROWS * CLASSES) count += 1;
          return acquire.call(bufferManager, size, ...rest);
        };
        await compiled.run(given);
        bufferManager.acquireBuffer = acquire;
        await compiled.release();
        return count;
      };
      // the input and what it crosses in, the logits, and what the gradient is read back through
      expect(await made('losses and gradient, in the place of the logits')).to.equal(4);
      // and both the gradient and the product
      expect(await made('losses and gradient of logits that are read again')).to.equal(6);
    });

    it('is one step in the head of a decoder', () => {
      const { recording, adapter } = fixture('tied');
      for (const role of ['train', 'loss'] as const) {
        const options = { config: recording.config, lora: adapter.config, trainable: 'adapter' } as const;
        const ops = kernelCallsOf('webgpu', headGraph(options, 16, role)).map(({ node }) => node.op);
        expect(ops).to.include('logSoftmax');
        for (const op of ['exp', 'gatherElements', 'scatterElements']) expect(ops).not.to.include(op);
      }
    });
  });
});
