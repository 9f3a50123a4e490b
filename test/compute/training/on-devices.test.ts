/** A whole training on the runtimes of TensorFlow.js: the same bytes each time, nothing left behind, tables of any size. */
import { expect } from 'chai';
import { openBackend } from '../../../src/compute/tensor/runtimes/tfjs/backends.js';
import { tfjsRuntime } from '../../../src/compute/tensor/runtimes/tfjs/index.js';
import { TFJS_NAMES, tfjsFolder } from '../../../src/compute/tensor/runtimes/tfjs/installed.js';
import type { StateAccess } from '../../../src/compute/training/optimizers/index.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { openHere, whereInstalled } from '../tensor/runtimes/here.js';
import { type Method, trainSmall } from './small-training.js';

const METHODS: readonly Method[] = ['lora', 'qlora', 'full'];
const STEPS = 3;

for (const name of TFJS_NAMES)
  describe(`a training on ${name}`, () => {
    const folder = tfjsFolder(nodeHost(), name);

    whereInstalled(name, () => {
      for (const method of METHODS)
        it(`${method} gives the same bytes twice`, async () => {
          const run = async () => trainSmall(await openHere(name), { method, steps: STEPS });
          const [first, second] = [await run(), await run()];
          expect(first.steps.length).to.equal(STEPS);
          expect(second.steps).to.deep.equal(first.steps);
          for (const [parameter, values] of first.parameters)
            expect(second.parameters.get(parameter), parameter).to.deep.equal(values);
        });

      it('holds after 30 steps what it held after 10, and nothing when it has ended', async () => {
        const runtime = await openHere(name);
        const { core } = await openBackend(name, folder);
        const held = () => {
          const { tensors, bytes } = runtime.memory.account;
          // of a GPU, also the buffers that wait for reuse
          return { tensors, bytes, library: core.engine().memory() };
        };
        const before = runtime.memory.account.tensors;
        const seen = new Map<number, ReturnType<typeof held>>();
        await trainSmall(runtime, {
          method: 'lora',
          steps: 30,
          global: 1,
          onStep: (step) => seen.set(step, held()),
        });
        expect(seen.get(30)).to.deep.equal(seen.get(10));
        expect(runtime.memory.account.tensors).to.equal(before);
      });

      it('holds no copy of what the optimiser remembers when a checkpoint has it', async () => {
        const states: (readonly StateAccess[])[] = [];
        let values = 0;
        await trainSmall(await openHere(name), {
          method: 'lora',
          steps: STEPS,
          async save(_state, _parameters, { state }) {
            states.push([...state.values()]);
            for (const tensor of state.values()) values += tensor.read().length;
            return '';
          },
        });
        expect(states.length).to.be.above(0);
        expect(values).to.be.above(0);
        for (const tensor of states.flat()) expect(() => tensor.read()).to.throw('is not on the host');
      });
    });
  });

describe('a training on webgpu with a vocabulary that the device does not take in one piece', () => {
  whereInstalled('webgpu', () => {
    /** In float32 197,952 bytes of a table; in bfloat16 half of it. */
    const vocabSize = 1031;
    const largest = 30_000;
    const folder = tfjsFolder(nodeHost(), 'webgpu');

    const CASES = [...METHODS.map((method) => [method, true] as const), ['full', false] as const];

    for (const [method, tied] of CASES)
      it(`${method}, ${tied ? 'with' : 'without'} the embedding for a head, has the losses of one that does`, async () => {
        const choice = { method, tied, vocabSize, steps: STEPS };
        const [expected, found] = [
          await trainSmall(await openHere('webgpu'), choice),
          await trainSmall(await tfjsRuntime({ name: 'webgpu', folder, largest }), choice),
        ];
        expect(found.steps.length).to.equal(STEPS);
        found.steps.forEach(({ loss, gradNorm }, at) => {
          expect(loss / (expected.steps[at]?.loss ?? 0), `loss ${at}`).to.be.closeTo(1, 1e-6);
          expect(gradNorm / (expected.steps[at]?.gradNorm ?? 0), `norm ${at}`).to.be.closeTo(1, 1e-5);
        });
      });
  });
});
