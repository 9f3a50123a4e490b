/** Packed weights as TensorFlow decodes them within its graphs, bit for bit. */
import { expect } from 'chai';
import type { StoredTensor } from '../../../../src/compute/models/types.js';
import { encodeBfloat16, encodeFloat16 } from '../../../../src/compute/models/weights/half.js';
import type { Nf4Data } from '../../../../src/compute/models/weights/nf4-quantise.js';
import { nf4Tensor } from '../../../../src/compute/models/weights/nf4-tensor.js';
import { blockTensor } from '../../../../src/compute/models/weights/stored-tensor.js';
import { GraphBuilder } from '../../../../src/compute/tensor/builder.js';
import { sizeOf } from '../../../../src/compute/tensor/shape.js';
import { dequantiseNf4Plain, quantiseValues } from '../../models/plain-nf4.js';
import { openHere, whereInstalled } from './here.js';

const values = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, at) => Math.sin(at * 1.3) * (0.01 + (at % 97) / 50));

whereInstalled('tensorflow', () => {
  /** What a graph reads of the tensor, and the bytes that it takes on the device. */
  const read = async (stored: StoredTensor): Promise<{ data: Float32Array; bytes: number }> => {
    const runtime = await openHere('tensorflow');
    const { memory } = runtime;
    const before = memory.account.bytes;
    const packed = stored.packed?.();
    const x = packed && memory.holdPacked(packed);
    if (x === undefined) throw new Error('the form is not taken');
    const bytes = memory.account.bytes - before;
    const b = new GraphBuilder('read');
    b.output('y', b.neg(b.input('x', stored.shape)));
    const compiled = await runtime.compile(b.build());
    const { y } = await compiled.run({ x });
    memory.free(x);
    expect(memory.account.bytes).to.equal(before);
    await compiled.release();
    if (y === undefined) throw new Error('no output');
    return { data: (y.data as Float32Array).map((value) => -value), bytes };
  };
  const expected = (stored: StoredTensor): Float32Array => {
    const out = new Float32Array(sizeOf(stored.shape));
    stored.dequantise(out);
    return out;
  };

  for (const shape of [
    [96, 64],
    [3, 40],
    [7, 9],
    [300, 64],
    [33, 1],
  ]) {
    const count = sizeOf(shape);
    it(`tensorflow decodes NF4 of [${shape.join(', ')}] with constants in codes`, async () => {
      const stored = nf4Tensor('w', shape, quantiseValues(values(count)));
      const { data } = await read(stored);
      expect(data).to.deep.equal(expected(stored));
    });
    it(`tensorflow decodes NF4 of [${shape.join(', ')}] with plain constants`, async () => {
      const double = quantiseValues(values(count));
      const absmax = Float32Array.from({ length: Math.ceil(count / 64) }, (_, at) => 0.5 + (at % 7) / 3);
      const single: Nf4Data = { codes: double.codes, absmax };
      const plain = new Float32Array(count);
      dequantiseNf4Plain(single, 0, plain);
      expect((await read(nf4Tensor('w', shape, single))).data).to.deep.equal(plain);
    });
    for (const [format, encode] of [
      ['F16', encodeFloat16],
      ['BF16', encodeBfloat16],
    ] as const)
      it(`tensorflow reads ${format} of [${shape.join(', ')}]`, async () => {
        const bits = encode(values(count));
        const stored = blockTensor('w', shape, format, new Uint8Array(bits.buffer));
        const { data, bytes } = await read(stored);
        expect(data).to.deep.equal(expected(stored));
        expect(bytes).to.equal(2 * count);
      });
  }

  it('tensorflow holds NF4 in its packed size', async () => {
    const count = 512 * 576;
    const stored = nf4Tensor('w', [512, 576], quantiseValues(values(count)));
    expect((await read(stored)).bytes / stored.residentBytes).to.be.within(1, 1.01);
  });
});
