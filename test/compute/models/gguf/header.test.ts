import { expect } from 'chai';
import { readGgufHeader } from '../../../../src/compute/models/gguf/header.js';
import { modelError } from '../errors.js';
import { memoryHost } from '../memory-host.js';
import { ggufBytes, type WrittenFile, type WrittenTensor } from './bytes.js';

const PATH = '/m.gguf';
const read = (file: WrittenFile) => readGgufHeader(memoryHost({ [PATH]: ggufBytes(file) }), PATH);

/** A float32 tensor of 8 values. */
const tensor = (changes: Partial<WrittenTensor> = {}): WrittenTensor => ({
  name: 'a',
  dims: [8],
  type: 0,
  offset: 0,
  ...changes,
});

const INVALID: Readonly<Record<string, readonly [WrittenFile, RegExp]>> = {
  'another magic': [{ magic: 'GGML' }, /does not begin with "GGUF"/],
  'a key twice': [
    {
      values: [
        ['k', 1],
        ['k', 2],
      ],
    },
    /Key "k" appears twice/,
  ],
  'a name twice': [{ tensors: [tensor(), tensor({ offset: 32 })], data: 64 }, /Two tensors are named "a"/],
  'a name that is too long': [
    { tensors: [tensor({ name: 'x'.repeat(1001) })], data: 32 },
    /length of a tensor name is 1001/,
  ],
  'too many dimensions': [{ tensors: [tensor({ dims: [2, 2, 2, 1, 1] })], data: 32 }, /has 5 dimensions/],
  'a size beyond 2^53': [
    { tensors: [tensor({ dims: [2n ** 60n] })] },
    /A size of "a" is 1152921504606846976/,
  ],
  'sizes whose product overflows': [
    { tensors: [tensor({ dims: [2n ** 40n, 2n ** 40n] })] },
    /"a" would have 4835703278458516698824704 bytes/,
  ],
  'an offset off the alignment': [
    { tensors: [tensor({ offset: 8 })], data: 64 },
    /starts at 8, off the alignment of 32/,
  ],
  'an offset beyond 2^53': [{ tensors: [tensor({ offset: 2n ** 63n })], data: 64 }, /offset of "a" is/],
  'tensors over each other': [
    { tensors: [tensor({ dims: [16] }), tensor({ name: 'b', offset: 32 })], data: 96 },
    /"b" overlaps the one before it/,
  ],
  'data that ends too early': [
    { tensors: [tensor({ dims: [9] })], data: 32 },
    /ends at byte 100; the file has 96/,
  ],
  'an alignment that is no power of two': [
    { values: [['general.alignment', 24]] },
    /general\.alignment is 24/,
  ],
  'more tensors than the file has': [
    { tensorCount: 5n, tensors: [tensor()], data: 32 },
    /beyond the file's|length of a tensor name/,
  ],
  'lists that are too long together': [
    {
      values: [
        ['a', new Array<boolean>(6_000_000).fill(false)],
        ['b', new Array<boolean>(6_000_000).fill(false)],
      ],
    },
    /lists 12000000 values; at most 10000000/,
  ],
  'a header without end': [
    { values: Array.from({ length: 25 }, (_, at) => [`k${at}`, 'x'.repeat(9_000_000)]) },
    /longer than 200000000 bytes/,
  ],
  'rows that are no whole blocks': [
    { tensors: [tensor({ dims: [33], type: 8 })], data: 96 },
    /Rows of "a" have 33 values/,
  ],
};

const UNSUPPORTED: Readonly<Record<string, readonly [WrittenFile, RegExp]>> = {
  'version 1': [{ version: 1 }, /version 1/],
  'a big-endian file': [{ version: 0x03000000 }, /big-endian/],
  'a kind of tensor that is known and not read': [
    { tensors: [tensor({ dims: [256], type: 10 })], data: 96 },
    /Q2_K/,
  ],
  'a kind of tensor that nobody knows': [{ tensors: [tensor({ type: 77 })], data: 96 }, /type 77/],
};

describe('GGUF header', () => {
  it('is read with the tensors where they are', () => {
    const { tensors, values } = read({
      values: [
        ['general.alignment', 64],
        ['k', 2n ** 40n],
        ['t', 'é'],
        ['b', true],
      ],
      tensors: [tensor({ dims: [4, 2] }), tensor({ name: 'b', dims: [64, 1], type: 8, offset: 64 })],
      data: 200,
    });
    expect([...values.values()]).to.deep.equal([64, 2n ** 40n, 'é', true]);
    const [a, b] = [tensors.get('a'), tensors.get('b')];
    expect(a?.shape).to.deep.equal([2, 4]);
    expect(b).to.include({ type: 'Q8_0', bytes: 68 });
    expect((b?.start ?? 0) - (a?.start ?? 0)).to.equal(64);
  });

  for (const [what, [file, detail]] of Object.entries(INVALID))
    it(`refuses ${what}`, () => {
      const error = modelError(() => read(file));
      expect(error.code).to.equal('gguf_invalid');
      expect(error.detail).to.match(detail);
    });

  for (const [what, [file, detail]] of Object.entries(UNSUPPORTED))
    it(`does not support ${what}`, () => {
      const error = modelError(() => read(file));
      expect(error.code).to.equal('gguf_unsupported');
      expect(error.detail).to.match(detail);
    });
});
