import { expect } from 'chai';
import { OutOfMemoryError } from '../../../../src/compute/tensor/out-of-memory.js';
import { DeviceMemory } from '../../../../src/compute/tensor/runtimes/device-memory.js';
import { f32 } from '../../../../src/compute/tensor/shape.js';
import type { Graph, HostTensor } from '../../../../src/compute/tensor/types.js';

/** Four numbers, 16 bytes. */
const TYPE = f32([4]);
const tensor = (): HostTensor => ({ type: TYPE, data: new Float32Array(4) });
const GRAPH: Graph = {
  name: 'copy',
  inputs: [{ name: 'x', value: 0 }],
  outputs: [{ name: 'y', value: 0 }],
  types: [TYPE],
  nodes: [],
  constants: [],
};

/** A memory of a library that counts its handles. */
function limited(bytes: number) {
  const living = new Set<number>();
  let made = 0;
  const memory = new DeviceMemory<number>(
    'tensorflow',
    {
      create() {
        living.add(made);
        return made++;
      },
      read: async () => new Float32Array(4),
      delete: (handle) => living.delete(handle),
      pack: ({ shape }) => {
        living.add(made);
        return { handles: [made++], bytes: shape.length === 1 ? 8 : 40, packing: 'f16' };
      },
    },
    bytes,
  );
  return { memory, living };
}

const codeOf = (use: () => unknown): string | undefined => {
  try {
    use();
  } catch (error) {
    if (error instanceof OutOfMemoryError) return error.refused.diagnostic?.code;
    throw error;
  }
  return undefined;
};

describe('a limit on the memory of a device', () => {
  it('refuses what goes beyond it before it is made, and keeps what lies there', () => {
    const { memory, living } = limited(40);
    const first = memory.hold(tensor());
    memory.hold(tensor());
    expect(codeOf(() => memory.hold(tensor()))).to.equal('FTP0931');
    expect(living.size).to.equal(2);
    expect(memory.account).to.include({ tensors: 2, bytes: 32, peak: 32 });
    memory.free(first);
    expect(codeOf(() => memory.hold(tensor()))).to.equal(undefined);
  });

  it('holds for what is written and packed', () => {
    const { memory, living } = limited(24);
    const buffer = memory.buffer();
    memory.write([buffer.tensor(TYPE)], () => {});
    memory.write([buffer.tensor(TYPE)], () => {});
    expect(codeOf(() => memory.write([memory.buffer().tensor(TYPE)], () => {}))).to.equal('FTP0931');
    const packed = (shape: readonly number[]) => memory.holdPacked({ shape } as never);
    expect(codeOf(() => packed([4]))).to.equal(undefined);
    expect(codeOf(() => packed([2, 2]))).to.equal('FTP0931');
    expect(living.size).to.equal(2);
  });

  it('makes zeros in it, and where there is no buffer for both, of the host', async () => {
    const made: string[] = [];
    const memory = new DeviceMemory<string>(
      'tensorflow',
      {
        create: () => `host ${made.push('host')}`,
        zerosLike: (_, handle) => `zeros after ${handle} ${made.push('zeros')}`,
        read: async () => new Float32Array(4),
        delete() {},
      },
      40,
    );
    const one = memory.buffer().tensor(TYPE);
    memory.zero(one);
    memory.zero(one);
    expect(memory.contentOf(one).handles).to.deep.equal(['zeros after host 1 2']);
    memory.hold(tensor());
    memory.zero(one);
    expect(made).to.deep.equal(['host', 'zeros', 'host', 'host']);
    expect(memory.account).to.include({ tensors: 2, bytes: 32, peak: 32 });
  });

  it('counts what a graph takes while it runs', async () => {
    const { memory, living } = limited(64);
    const x = memory.hold(tensor());
    const run = (working: number) =>
      memory.runs(
        GRAPH,
        () => {
          living.add(-1);
          return [-1];
        },
        () => working,
      );
    const y = memory.buffer().tensor(TYPE);
    await run(48)({ x }, { y });
    expect(memory.account.bytes).to.equal(32);
    const error: unknown = await run(49)({ x }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(OutOfMemoryError).with.nested.property('refused.bytes', 49);
    expect(living).to.have.length(2);
    expect(memory.account.bytes).to.equal(32);
  });
});
