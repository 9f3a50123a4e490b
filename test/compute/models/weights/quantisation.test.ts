/** Blocks as the `gguf` package and llama.cpp make them: test/fixtures/gguf-quantise/record.py. */
import { expect } from 'chai';
import { openSafetensors } from '../../../../src/compute/models/safetensors/read.js';
import { floatsOf } from '../../../../src/compute/models/weights/dequantisation.js';
import { BLOCKS, type BlockFormat } from '../../../../src/compute/models/weights/formats.js';
import { quantiseBlocks } from '../../../../src/compute/models/weights/quantisation.js';
import { readFixtureBytes } from '../fixtures.js';
import { memoryHost } from '../memory-host.js';

const recorded = openSafetensors(
  memoryHost({ '/b': readFixtureBytes('gguf-quantise/blocks.safetensors') }),
  '/b',
);

function recording(name: string): Uint8Array {
  const entry = recorded.tensors.get(name);
  return entry === undefined ? expect.fail(`${name} is not recorded`) : recorded.read(entry);
}

const raw = recording('values');
const values = new Float32Array(raw.buffer, raw.byteOffset, raw.length / 4);
const FORMATS = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'] as const;

describe('quantising to GGML’s blocks', () => {
  for (const format of FORMATS)
    it(`gives llama.cpp’s bytes: ${format}`, () => {
      const ours = quantiseBlocks(format, values);
      const theirs = recording(format);
      const wrong = ours.findIndex((byte, i) => byte !== theirs[i]);
      const { bytes } = BLOCKS[format];
      expect(wrong, `block ${Math.floor(wrong / bytes)}, byte ${wrong % bytes}`).to.equal(-1);
      expect(ours.length).to.equal(theirs.length);
    });

  it('gives the same bytes whatever is quantised at a time', () => {
    const many = new Float32Array(256 * 300).map((_, i) => Math.sin(i * i));
    const whole = quantiseBlocks('Q4_K', many);
    const halves = [many.subarray(0, 256 * 151), many.subarray(256 * 151)].map((part) =>
      quantiseBlocks('Q4_K', part),
    );
    expect(Buffer.concat(halves).equals(Buffer.from(whole))).to.equal(true);
  });

  it('is off by what a format cannot hold, relative to the weights (root mean square)', () => {
    const weights = values.subarray(256 * 32);
    const square = (of: Float32Array): number => of.reduce((sum, value) => sum + value * value, 0);
    const error = (format: BlockFormat): number => {
      const again = floatsOf(format, quantiseBlocks(format, weights), 0, weights.length);
      return Math.sqrt(square(again.map((value, i) => value - (weights[i] as number))) / square(weights));
    };
    const errors = FORMATS.map((format) => [format, Number(error(format).toPrecision(2))]);
    expect(Object.fromEntries(errors)).to.deep.equal({
      Q4_0: 0.087,
      Q4_1: 0.078,
      Q5_0: 0.044,
      Q5_1: 0.038,
      Q8_0: 0.0054,
      Q4_K: 0.071,
      Q5_K: 0.036,
      Q6_K: 0.018,
    });
  });
});
