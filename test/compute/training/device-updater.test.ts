/** What is trained stays on the device, and moves as on the host. */
import { expect } from 'chai';
import type { DeviceParameters } from '../../../src/compute/models/decoder/types.js';
import { f32 } from '../../../src/compute/tensor/shape.js';
import type { Runtime, Tensor } from '../../../src/compute/tensor/types.js';
import { globalNorm } from '../../../src/compute/training/clip.js';
import { updaterOnDevice } from '../../../src/compute/training/device-updater.js';
import { createOptimizer, OPTIMIZERS } from '../../../src/compute/training/index.js';
import { parameterGroups } from '../../../src/compute/training/update-graphs.js';
import { RUNTIME_NAMES, type RuntimeName } from '../../../src/language/ir/runtimes.js';
import { openHere, whereInstalled } from '../tensor/runtimes/here.js';

/** Float32 rounds each op; the host rounds once. */
const TOLERANCE = 1e-6;

const SHAPES: Readonly<Record<string, readonly number[]>> = {
  'layers.0.q_proj.lora_A': [4, 24],
  // learns faster
  'layers.0.q_proj.lora_B': [24, 4],
  // is not decayed
  'layers.0.input_layernorm.weight': [24],
  'layers.1.q_proj.lora_A': [4, 24],
  embedding: [40, 24],
};
const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.1, momentum: 0, loraplusRatio: 4 };
const { adamw } = OPTIMIZERS;
const STEPS = 5;
const RATE = 0.01;
const SCALE = 0.7;

const valuesOf = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, at) => Math.sin(seed + at * at) * 10 ** -(at % 4));
const gradientsOf = (step: number): ReadonlyMap<string, Float32Array> =>
  new Map(
    Object.entries(SHAPES).map(([name, shape], at) => [
      name,
      valuesOf(
        shape.reduce((p, q) => p * q, 1),
        31 * step + at,
      ),
    ]),
  );

function onHost() {
  const parameters = new Map(
    Object.entries(SHAPES).map(([name, shape]) => [
      name,
      { shape, data: gradientsOf(0).get(name) as Float32Array },
    ]),
  );
  return { parameters, optimizer: createOptimizer(adamw, parameters, options) };
}

/** Parameters on a device as a decoder has them, and an updater over them. */
function onDevice(runtime: Runtime) {
  const { memory } = runtime;
  const { parameters } = onHost();
  const buffers = () =>
    new Map([...parameters].map(([name, { shape }]) => [name, memory.buffer().tensor(f32(shape))]));
  const fill = (tensors: ReadonlyMap<string, Tensor>, of: (name: string) => Float32Array | undefined) => {
    for (const [name, tensor] of tensors)
      memory.write([tensor], (data) => (data as Float32Array).set(of(name) ?? []));
  };
  const [values, gradients] = [buffers(), buffers()];
  const publish = () => fill(values, (name) => parameters.get(name)?.data);
  publish();
  const device: DeviceParameters = {
    ...{ values, gradients },
    publish() {},
    changed() {},
    async collect() {
      for (const [name, tensor] of values)
        parameters.get(name)?.data.set((await memory.read(tensor)).data as Float32Array);
    },
  };
  if (adamw.graph === undefined) throw new Error('AdamW has a graph');
  const updater = updaterOnDevice(runtime, device, { rule: adamw, graph: adamw.graph, options });
  return {
    ...{ parameters, updater, publish },
    async step(step: number) {
      fill(gradients, (name) => gradientsOf(step).get(name));
      const norm = await updater.norm();
      await updater.update(step, RATE, SCALE);
      return norm;
    },
    async release() {
      await updater.release();
      for (const tensor of [...values.values(), ...gradients.values()]) memory.free(tensor);
    },
  };
}

const largest = (a: Float32Array, b: Float32Array): number =>
  Math.max(...a.map((value, at) => Math.abs(value - (b[at] ?? Number.NaN)))) / Math.max(...b.map(Math.abs));

const bytesOf = ({ parameters, updater }: Pick<ReturnType<typeof onDevice>, 'parameters' | 'updater'>) => [
  ...[...parameters.values()].map(({ data }) => data.slice()),
  ...[...updater.state.values()].map((tensor) => tensor.read().slice()),
];

describe('parameters that are updated together', () => {
  const groups = (shapes: Readonly<Record<string, readonly number[]>>) =>
    parameterGroups(Object.entries(shapes).map(([name, shape]) => ({ name, shape }))).map((group) =>
      group.map(({ name }) => name),
    );

  it('are those of a block', () => {
    const names = Object.keys(SHAPES);
    expect(groups(SHAPES)).to.deep.equal([names.slice(0, 3), names.slice(3, 4), names.slice(4)]);
  });

  it('are no more than 2¹⁸ numbers, but for one that has more alone', () => {
    expect(
      groups({
        'h.0.a': [256, 512],
        'h.0.b': [256, 512],
        'h.0.c': [1],
        'h.0.d': [1024, 512],
        'h.0.e': [1],
      }),
    ).to.deep.equal([['h.0.a', 'h.0.b'], ['h.0.c'], ['h.0.d'], ['h.0.e']]);
  });
});

const ON_DEVICE: readonly RuntimeName[] = RUNTIME_NAMES.filter((name) => name !== 'onnx');

for (const name of ON_DEVICE)
  describe(`AdamW where tensors lie, on ${name}`, () => {
    whereInstalled(name, () => {
      it('gives norms, parameters and moments of the host', async () => {
        const runtime = await openHere(name);
        const before = runtime.memory.account.bytes;
        const [host, device] = [onHost(), onDevice(runtime)];
        for (let step = 1; step <= STEPS; step++) {
          host.optimizer.update(gradientsOf(step), step, RATE, SCALE);
          expect((await device.step(step)) / globalNorm(gradientsOf(step))).to.be.closeTo(1, TOLERANCE);
        }
        await device.updater.collect();
        for (const [parameter, { data }] of host.parameters)
          expect(
            largest(device.parameters.get(parameter)?.data ?? new Float32Array(0), data),
            parameter,
          ).to.be.below(TOLERANCE);
        expect([...device.updater.state.keys()]).to.deep.equal([...host.optimizer.state.keys()]);
        for (const [slot, expected] of host.optimizer.state)
          expect(
            largest(device.updater.state.get(slot)?.read() as Float32Array, expected.read() as Float32Array),
            slot,
          ).to.be.below(TOLERANCE);
        await device.release();
        expect(runtime.memory.account.bytes).to.equal(before);
      });

      it('lets one number cross to the host in a step', async () => {
        const runtime = await openHere(name);
        const device = onDevice(runtime);
        const { memory } = runtime;
        const read = memory.read;
        const crossed: number[] = [];
        memory.read = async (tensor) => {
          const found = await read.call(memory, tensor);
          crossed.push(found.data.length);
          return found;
        };
        try {
          await device.step(1);
        } finally {
          memory.read = read;
        }
        expect(crossed).to.deep.equal([1]);
        await device.release();
      });

      it('goes on from a state that was read, with the same bytes', async () => {
        const runtime = await openHere(name);
        const [whole, first, second] = [onDevice(runtime), onDevice(runtime), onDevice(runtime)];
        for (let step = 1; step <= STEPS; step++) await whole.step(step);
        for (let step = 1; step <= 2; step++) await first.step(step);
        await first.updater.collect();
        for (const [slot, tensor] of first.updater.state)
          second.updater.state.get(slot)?.write(tensor.read());
        for (const [parameter, { data }] of first.parameters)
          second.parameters.get(parameter)?.data.set(data);
        second.publish();
        for (let step = 3; step <= STEPS; step++) await second.step(step);
        for (const one of [whole, second]) await one.updater.collect();
        expect(bytesOf(second)).to.deep.equal(bytesOf(whole));
        for (const one of [whole, first, second]) await one.release();
      });
    });
  });
