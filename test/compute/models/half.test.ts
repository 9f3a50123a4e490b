import { expect } from 'chai';
import { openSafetensors } from '../../../src/compute/models/safetensors/read.js';
import {
  dequantisationWorkspace,
  dequantiseBlocks,
  floatsOf,
} from '../../../src/compute/models/weights/dequantisation.js';
import { storedBytes } from '../../../src/compute/models/weights/formats.js';
import { encodeBfloat16, encodeFloat16, ROUNDINGS } from '../../../src/compute/models/weights/half.js';
import { blockTensor, float32Tensor } from '../../../src/compute/models/weights/stored-tensor.js';
import { readFixtureBytes } from './fixtures.js';
import { memoryHost } from './memory-host.js';

const recorded = openSafetensors(
  memoryHost({ '/f': readFixtureBytes('safetensors/mixed.safetensors') }),
  '/f',
);
function bytes(name: string): Uint8Array {
  const entry = recorded.tensors.get(name);
  return entry === undefined ? expect.fail(`${name} is not recorded`) : recorded.read(entry);
}
const halves = (name: string) =>
  new Uint16Array(bytes(name).buffer, bytes(name).byteOffset, bytes(name).byteLength / 2);
const floats = (name: string) =>
  new Float32Array(bytes(name).buffer, bytes(name).byteOffset, bytes(name).byteLength / 4);

const decodeFloat16 = (source: Uint16Array, out: Float32Array) =>
  dequantiseBlocks('F16', new Uint8Array(source.buffer, source.byteOffset, source.byteLength), 0, out);
const decodeBfloat16 = (source: Uint16Array, out: Float32Array) =>
  dequantiseBlocks('BF16', new Uint8Array(source.buffer, source.byteOffset, source.byteLength), 0, out);

describe('half precision', () => {
  it('float16: every value decodes and encodes as in PyTorch', () => {
    const source = halves('all.half');
    const out = new Float32Array(source.length);
    decodeFloat16(source, out);
    expect([...out]).to.deep.equal([...floats('all.half.as.float')]);
    const numbers = source.filter((_, i) => !Number.isNaN(out[i] ?? Number.NaN));
    const values = out.filter((value) => !Number.isNaN(value));
    expect([...encodeFloat16(values)]).to.deep.equal([...numbers]);
  });

  it('decodes into the memory of a workspace, and nothing beside its place there', () => {
    for (const [decode, name] of [
      [decodeFloat16, 'all.half'],
      [decodeBfloat16, 'brain'],
    ] as const)
      for (const length of [70_000, 70_001, 3]) {
        const source = halves(name).slice(0, length);
        const plain = new Float32Array(source.length);
        decode(source, plain);
        const workspace = dequantisationWorkspace(source.length + 16);
        decode(source, workspace.subarray(8, 8 + source.length));
        expect(workspace.subarray(8, 8 + source.length), `${name} ${length}`).to.deep.equal(plain);
        expect([...workspace.subarray(0, 8), ...workspace.subarray(8 + source.length)]).to.deep.equal(
          new Array(16).fill(0),
        );
      }
  });

  it('rounds float32 to the nearest half as PyTorch does', () => {
    expect([...encodeFloat16(floats('values'))]).to.deep.equal([...halves('half')]);
    expect([...encodeBfloat16(floats('values'))]).to.deep.equal([...halves('brain')]);
  });

  it('rounds in place as it encodes', () => {
    const values = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i) * 2 ** ((i % 43) - 26));
    for (const [round, encode, decode] of [
      [ROUNDINGS.float16, encodeFloat16, 'F16'],
      [ROUNDINGS.bfloat16, encodeBfloat16, 'BF16'],
    ] as const) {
      const rounded = values.slice();
      round?.(rounded);
      const raw = new Uint8Array(encode(values).buffer);
      expect([...rounded]).to.deep.equal([...floatsOf(decode, raw, 0, values.length)]);
    }
  });

  it('bfloat16 decodes exactly', () => {
    const out = new Float32Array(24);
    decodeBfloat16(halves('brain'), out);
    expect([...encodeBfloat16(out)]).to.deep.equal([...halves('brain')]);
    expect(out[2]).to.equal(1);
  });

  it('NaN stays NaN', () => {
    const nan = new Float32Array([Number.NaN]);
    const out = new Float32Array(1);
    decodeFloat16(encodeFloat16(nan), out);
    expect(out[0]).to.be.NaN;
    decodeBfloat16(encodeBfloat16(nan), out);
    expect(out[0]).to.be.NaN;
  });

  it('rows are the rows of the whole', () => {
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    const tensors = [
      float32Tensor('w', [4, 3], data),
      blockTensor('w', [4, 3], 'F16', new Uint8Array(encodeFloat16(data).buffer)),
      blockTensor('w', [4, 3], 'BF16', new Uint8Array(encodeBfloat16(data).buffer)),
    ];
    for (const tensor of tensors) {
      const out = new Float32Array(6);
      tensor.dequantiseRows(1, 2, out);
      expect([...out], tensor.format).to.deep.equal([3, 4, 5, 6, 7, 8]);
      expect(tensor.residentBytes).to.equal(storedBytes([4, 3], tensor.format));
    }
    expect(() => float32Tensor('w', [5], data)).to.throw(/12 values/);
  });
});
