/** Digits of stored codes, against the values that the format's own dequantisation gives. */
import { expect } from 'chai';
import { dequantiseBlocks } from '../../../../src/compute/models/weights/dequantisation.js';
import { codeBytes, codeMatrix } from '../../../../src/compute/models/weights/digits.js';
import { quantiseBlocks } from '../../../../src/compute/models/weights/quantisation.js';
import { blockTensor } from '../../../../src/compute/models/weights/stored-tensor.js';
import { GraphBuilder } from '../../../../src/compute/tensor/builder.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import type { CodeMatrix } from '../../../../src/compute/tensor/types.js';

const FORMATS = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'] as const;
const [ROWS, COLUMNS] = [96, 512];

const values = (count: number, scale = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, at) => scale * Math.sin(at * 1.3) * (0.01 + (at % 97) / 50));

function made(format: (typeof FORMATS)[number]) {
  const blocks = quantiseBlocks(format, values(ROWS * COLUMNS));
  const plain = new Float32Array(ROWS * COLUMNS);
  dequantiseBlocks(format, blocks, 0, plain);
  return { blocks, plain, matrix: codeMatrix(format, [ROWS, COLUMNS], blocks) };
}

/** In float64. */
function valueAt({ block, digits, offsets }: CodeMatrix, at: number): number {
  const place = Math.floor(at / block);
  return digits.reduce((sum, { codes, scales, zero }) => {
    const code = ((codes[at >> 1] ?? 0) >> (4 * (at & 1))) & 15;
    return sum + (scales[place] ?? 0) * (code - zero);
  }, offsets?.[place] ?? 0);
}

describe('weights as digits of 4 bits', () => {
  for (const format of FORMATS) {
    it(`are the values of ${format}`, () => {
      const { plain, matrix } = made(format);
      // where there is an offset, dequantisation rounds the sum
      plain.forEach((value, at) => {
        expect(Math.fround(valueAt(matrix, at)), `value ${at}`).to.equal(value);
      });
      const bytes = matrix.digits.reduce(
        (sum, { codes, scales }) => sum + codes.byteLength + scales.byteLength,
        matrix.offsets?.byteLength ?? 0,
      );
      expect(codeBytes(format, plain.length)).to.equal(bytes);
    });

    it(`are multiplied by as they are: ${format}`, async () => {
      const { blocks, plain, matrix } = made(format);
      const other = codeMatrix(format, [32, COLUMNS], quantiseBlocks(format, values(32 * COLUMNS, 2)));
      const b = new GraphBuilder('products');
      const x = b.input('x', [3, COLUMNS]);
      b.output('y', b.matmul(x, b.input('w', [ROWS, COLUMNS]), { transB: true }));
      b.output('z', b.matmul(x, b.input('v', [32, COLUMNS]), { transB: true }));
      const runtime = await onnxRuntime({ threads: 1 });
      const graph = await runtime.compileFixed?.(
        b.build(),
        new Map([
          ['w', matrix],
          ['v', other],
        ]),
        [7919],
      );
      const data = values(3 * COLUMNS, 0.3);
      const found = await graph?.run({ x: { type: { dtype: 'f32', shape: [3, COLUMNS] }, data } });
      await graph?.release();
      expect(found?.['z']?.data.length).to.equal(3 * 32);
      found?.['y']?.data.forEach((value, at) => {
        const [token, row] = [Math.floor(at / ROWS), at % ROWS];
        let wanted = 0;
        for (let i = 0; i < COLUMNS; i++)
          wanted += (data[token * COLUMNS + i] ?? 0) * (plain[row * COLUMNS + i] ?? 0);
        expect(Number(value), `y ${at}`).to.be.closeTo(wanted, 1e-4);
      });
      const rows = blockTensor('w', [ROWS, COLUMNS], format, blocks).coded?.();
      expect(rows?.digits).to.equal(matrix.digits.length);
      expect(rows?.read(0, ROWS)).to.deep.equal(matrix);
      const some = rows?.read(3, 2);
      for (let at = 0; at < 2 * COLUMNS; at++)
        expect(some && valueAt(some, at)).to.equal(valueAt(matrix, 3 * COLUMNS + at));
    });
  }

  it('are refused by a graph that does more than to multiply by them', async () => {
    const { matrix } = made('Q4_0');
    const b = new GraphBuilder('sum');
    const w = b.input('w', [ROWS, COLUMNS]);
    b.output('y', b.matmul(b.input('x', [1, COLUMNS]), b.add(w, w), { transB: true }));
    const runtime = await onnxRuntime({ threads: 1 });
    expect(await runtime.compileFixed?.(b.build(), new Map([['w', matrix]]), [7919])).to.equal(undefined);
  });
});
