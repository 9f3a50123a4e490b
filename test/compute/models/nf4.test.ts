import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import wabtInit from 'wabt';
import { openSafetensors } from '../../../src/compute/models/safetensors/read.js';
import { dequantisationWorkspace, floatsOf } from '../../../src/compute/models/weights/dequantisation.js';
import { storedBytes } from '../../../src/compute/models/weights/formats.js';
import { bucket, DYNAMIC_CODE, midpoints, NF4_CODE } from '../../../src/compute/models/weights/nf4-codes.js';
import { torchMean } from '../../../src/compute/models/weights/nf4-quantise.js';
import {
  dequantiseNf4,
  dequantiseTiledNf4,
  nf4Tensor,
} from '../../../src/compute/models/weights/nf4-tensor.js';
import * as kernels from '../../../src/compute/tensor/kernels.generated.js';
import { readFixture, readFixtureBytes, root } from './fixtures.js';
import { memoryHost } from './memory-host.js';
import { dequantiseNf4Plain, quantiseValues } from './plain-nf4.js';

const recorded = openSafetensors(memoryHost({ '/nf4': readFixtureBytes('nf4/nf4.safetensors') }), '/nf4');

function bytes(name: string): Uint8Array {
  const entry = recorded.tensors.get(name);
  return entry === undefined ? expect.fail(`${name} is not recorded`) : recorded.read(entry);
}
function floats(name: string): Float32Array {
  const raw = bytes(name);
  return new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4);
}
function weights(name: string): Float32Array {
  const raw = bytes(name);
  return floatsOf('F16', raw, 0, raw.byteLength / 2);
}

/** Compares bit patterns, so that -0 and NaN count. */
function sameBits(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).to.equal(expected.length);
  expect(
    Buffer.compare(
      Buffer.from(actual.buffer, actual.byteOffset, actual.byteLength),
      Buffer.from(expected.buffer, expected.byteOffset, expected.byteLength),
    ),
  ).to.equal(0);
}

function sample(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898) * (1 + (i % 77)));
}

describe('NF4', () => {
  it('has the tables of bitsandbytes', () => {
    sameBits(NF4_CODE, floats('nf4'));
    sameBits(DYNAMIC_CODE, floats('dynamic'));
  });

  it('decodes into the memory of a workspace as into any other', () => {
    const data = quantiseValues(sample(70_016));
    const elements = data.codes.length * 2;
    const [workspace, plain] = [dequantisationWorkspace(elements + 128), new Float32Array(elements)];
    dequantiseNf4Plain(data, 0, plain);
    dequantiseNf4(data, 0, workspace.subarray(64, 64 + elements));
    sameBits(workspace.subarray(64, 64 + elements), plain);
    expect([...workspace.subarray(0, 64), ...workspace.subarray(64 + elements)]).to.deep.equal(
      new Array(128).fill(0),
    );
    dequantiseNf4(data, 7, workspace.subarray(0, 200));
    sameBits(workspace.subarray(0, 200), plain.subarray(7, 207));
    const other = dequantisationWorkspace(64);
    dequantiseNf4(data, 64, other);
    sameBits(other, plain.subarray(64, 128));
    expect(dequantisationWorkspace(0).length).to.equal(0);
  });

  for (const name of ['square', 'small']) {
    it(`${name}: codes, constants and values equal bitsandbytes bit for bit`, () => {
      const data = quantiseValues(weights(`${name}.weight`));
      expect([...data.codes]).to.deep.equal([...bytes(`${name}.codes`)]);
      expect([...data.constants]).to.deep.equal([...bytes(`${name}.constants`)]);
      sameBits(data.scales, floats(`${name}.scales`));
      expect(data.offset).to.equal(floats(`${name}.offset`)[0]);
      const decoded = new Float32Array(floats(`${name}.decoded`).length);
      dequantiseNf4Plain(data, 0, decoded);
      sameBits(decoded, floats(`${name}.decoded`));
    });
  }

  it('means are those of PyTorch bit for bit', () => {
    for (const { length, mean } of readFixture<readonly { length: number; mean: number }[]>(
      'nf4/means.json',
    )) {
      const values = Float32Array.from({ length }, (_, i) => ((i * 2654435761) % 2 ** 32) / 2 ** 32);
      expect(torchMean(values), `${length} values`).to.equal(mean);
    }
  });

  it('says of a value that is not finite, wherever it is', () => {
    for (const at of [0, 64 * 700 + 5, 64 * 1100 + 3])
      for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const values = sample(64 * 1100 + 33);
        values[at] = wrong;
        const notFinite = (): never => {
          throw new RangeError('found');
        };
        expect(() => quantiseValues(values, { notFinite }), `${wrong} at ${at}`).to.throw('found');
      }
  });

  it('finds the code of a weight that is next to a bound, or equals it', () => {
    const bounds = midpoints(NF4_CODE);
    for (const largest of [1, -1]) {
      // each bound as it is, and up to 600 float32 below and above it: as far as an int16 does not tell the largest apart, and further
      const values = new Float32Array(64 * 1201).fill(largest);
      const bits = new Int32Array(values.buffer);
      for (let block = 0; block <= 1200; block++) {
        values.set(bounds, block * 64 + 1);
        for (let at = 1; at <= bounds.length; at++)
          bits[block * 64 + at] = (bits[block * 64 + at] ?? 0) + block - 600;
      }
      const { codes } = quantiseValues(values);
      const found = Array.from(values, (_, at) => ((codes[at >> 1] ?? 0) >> (at % 2 === 0 ? 4 : 0)) & 15);
      expect(found).to.deep.equal(Array.from(values, (value) => bucket(bounds, value)));
    }
  });

  it('does not depend on the window in which it is read', () => {
    const values = sample(64 * 1100 + 17);
    for (const window of [128, 64 * 2000])
      expect(quantiseValues(values, { window })).to.deep.equal(quantiseValues(values));
  });

  it('decodes with SIMD as the plain loop does, at any position and length', () => {
    const values = sample(64 * 1100 + 33);
    const data = quantiseValues(values);
    for (const [start, length] of [
      [0, values.length],
      [1, 5],
      [63, 2],
      [64, 64],
      [100, 64 * 600],
      [64 * 1100, 33],
      [0, 0],
    ] as const) {
      const [fast, plain] = [new Float32Array(length), new Float32Array(length)];
      dequantiseNf4(data, start, fast);
      dequantiseNf4Plain(data, start, plain);
      sameBits(fast, plain);
    }
  });

  it('decodes matrices into tiles of either size, wherever blocks begin', () => {
    for (const [columns, size] of [
      [64, 16],
      [3200, 16],
      [96, 16],
      [192, 8],
    ] as const) {
      const rows = 3 * size;
      const values = sample(rows * columns);
      const data = quantiseValues(values);
      const plain = new Float32Array(values.length);
      dequantiseNf4Plain(data, 0, plain);
      const expected = plain.map((_, at) => {
        const [group, column] = [Math.floor(at / columns / size), Math.floor(at / size) % columns];
        return plain[(group * size + (at % size)) * columns + column] ?? Number.NaN;
      });
      // into other memory, into that of kernels, and into that of kernels for narrower matrices
      for (const out of [
        new Float32Array(values.length),
        dequantisationWorkspace(values.length, columns),
        dequantisationWorkspace(values.length),
      ]) {
        dequantiseTiledNf4(data, { columns, size }, out);
        sameBits(out, expected);
      }
    }
  });

  it('counts the bytes that it holds, and rows can be looked up', () => {
    const values = sample(50 * 96);
    const tensor = nf4Tensor('w', [50, 96], quantiseValues(values));
    expect(tensor.residentBytes).to.equal(storedBytes([50, 96], 'NF4'));
    const all = new Float32Array(values.length);
    tensor.dequantise(all);
    const rows = new Float32Array(3 * 96);
    tensor.dequantiseRows(7, 3, rows);
    sameBits(rows, all.slice(7 * 96, 10 * 96));
    expect(tensor.view()).to.equal(undefined);
  });

  it('kernels are assembled from their sources (npm run kernels)', async () => {
    const wabt = await wabtInit();
    const folder = join(root, 'kernels');
    const built = new Map<string, string>(Object.entries(kernels));
    for (const file of readdirSync(folder)) {
      const module = wabt.parseWat(file, readFileSync(join(folder, file), 'utf8'), { simd: true });
      const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64');
      expect(built.get(`${file.replace('.wat', '').toUpperCase()}_KERNEL`), file).to.equal(base64);
    }
  });
});
