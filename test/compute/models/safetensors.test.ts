import { expect } from 'chai';
import { openModelAt } from '../../../src/compute/models/open.js';
import { openSafetensors, openTensorSource } from '../../../src/compute/models/safetensors/read.js';
import { f32Writable, safetensorsChunks } from '../../../src/compute/models/safetensors/write.js';
import { ModelError } from '../../../src/compute/models/types.js';
import { HostError } from '../../../src/language/host/host.js';
import { concat, modelError } from './errors.js';
import { readFixtureBytes } from './fixtures.js';
import { memoryHost } from './memory-host.js';

const PATH = '/m/model.safetensors';

/** A file with this header text and this many bytes of data. */
function file(header: string, dataBytes: number, announced = Buffer.byteLength(header)): Uint8Array {
  const text = Buffer.from(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(announced), true);
  bytes.set(text, 8);
  return bytes;
}
const open = (bytes: Uint8Array) => openSafetensors(memoryHost({ [PATH]: bytes }), PATH);
const entry = (shape: string, offsets: string, dtype = 'F32') =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
const F = entry('[2]', '[0,8]');

/** Rules of the format with a file that breaks each; all but the first group follow `tensor.rs`. */
const REFUSED: readonly [string, Uint8Array, RegExp][] = [
  ['an empty file', new Uint8Array(0), /0 bytes/],
  ['seven bytes', new Uint8Array(7), /7 bytes/],
  ['a header over 100 MB', file('{}', 0, 100_000_001), /100000001/],
  ['a header of 2^63 bytes', file('{}', 0, Number.MAX_SAFE_INTEGER), /at most/],
  ['a header beyond the file', file('{}', 0, 3), /has 10/],
  ['an empty header', file('', 0), /JSON/],
  ['a header that is no JSON', file('{"a":', 0), /JSON/],
  ['a header with two values', file('{}{}', 0), /after the end/],
  ['a header that is no object', file('[]', 0), /not a JSON object/],
  ['a header that is not UTF-8', concat([file('', 0, 4), new Uint8Array([0x7b, 0xff, 0x7d, 0x20])]), /UTF-8/],
  ['a tensor named twice', file(`{"a":${F},"a":${F}}`, 8), /appears twice/],
  [
    'a field given twice',
    file('{"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}', 8),
    /twice/,
  ],
  ['an unknown dtype', file(`{"a":${entry('[2]', '[0,8]', 'F31')}}`, 8), /"F31"/],
  ['an unknown field', file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}', 8), /"x"/],
  ['a missing shape', file('{"a":{"dtype":"F32","data_offsets":[0,8]}}', 8), /shape/],
  ['a negative size', file(`{"a":${entry('[-2]', '[0,8]')}}`, 8), /whole numbers/],
  ['a fraction', file(`{"a":${entry('[2.5]', '[0,8]')}}`, 8), /whole numbers/],
  ['an offset beyond 2^53', file(`{"a":${entry('[2]', '[0,9007199254740993]')}}`, 8), /whole numbers/],
  ['sizes whose product overflows', file(`{"a":${entry('[4294967296,4294967296,2]', '[0,0]')}}`, 0), /needs/],
  ['offsets in reverse', file(`{"a":${entry('[2]', '[8,0]')}}`, 8), /end before/],
  ['three offsets', file(`{"a":${entry('[2]', '[0,4,8]')}}`, 8), /two numbers/],
  ['a size that is not the shape', file(`{"a":${entry('[3]', '[0,8]')}}`, 8), /needs 12 bytes/],
  ['half a byte', file(`{"a":${entry('[3]', '[0,1]', 'F4')}}`, 1), /end on a byte/],
  ['a hole at the start', file(`{"a":${entry('[2]', '[4,12]')}}`, 12), /hole/],
  ['a hole between tensors', file(`{"a":${F},"b":${entry('[1]', '[12,16]')}}`, 16), /hole/],
  ['tensors that overlap', file(`{"a":${F},"b":${entry('[2]', '[4,12]')}}`, 12), /overlaps/],
  ['data that is cut short', file(`{"a":${F}}`, 7), /cut short/],
  ['bytes after the last tensor', file(`{"a":${F}}`, 9), /1 bytes follow/],
  ['metadata that is no text', file('{"__metadata__":{"a":1}}', 0), /not a string/],
  ['metadata that is a list', file('{"__metadata__":[]}', 0), /not an object/],
  ['a header nested without end', file('['.repeat(100_000), 0), /deeply/],
  ['a control character in a name', file('{"a\nb":1}', 0), /expected a string/],
];

describe('safetensors', () => {
  for (const [what, bytes, message] of REFUSED) {
    it(`refuses ${what}`, () => {
      const error = modelError(() => open(bytes));
      expect(error).to.include({ code: 'model_weights', path: PATH });
      expect(error.detail).to.match(message);
    });
  }

  it('accepts spaces around the header, no tensors, empty and scalar tensors, and a tensor named __proto__', () => {
    expect(open(file(' {}  ', 0)).tensors.size).to.equal(0);
    const opened = open(
      file(
        `{"__proto__":${entry('[]', '[0,4]')},"e":${entry('[0,3]', '[4,4]')},"constructor":${entry('[1]', '[4,8]')}}`,
        8,
      ),
    );
    expect([...opened.tensors.keys()]).to.deep.equal(['__proto__', 'e', 'constructor']);
  });

  it('refuses every cut of a file, and never throws anything but a ModelError', () => {
    const whole = readFixtureBytes('safetensors/mixed.safetensors');
    for (let length = 0; length < whole.length; length += 97) {
      expect(modelError(() => open(whole.slice(0, length))).code).to.equal('model_weights');
    }
    const head = whole.slice();
    let state = 7;
    for (let round = 0; round < 3000; round++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const at = state % 900;
      const kept = head[at] ?? 0;
      head[at] = (state >>> 16) & 255;
      try {
        open(head);
      } catch (error) {
        expect(error).to.be.instanceOf(ModelError);
      }
      if (round % 3 !== 0) head[at] = kept;
      else head.set(whole.subarray(0, 900));
    }
  });

  it('says to look at the permissions where the file may not be read', () => {
    const plain = memoryHost({ [PATH]: file('{}', 0) });
    const closed = {
      ...plain,
      readBytes() {
        throw new HostError('no_access', PATH, 'EACCES: permission denied');
      },
    };
    expect(modelError(() => openSafetensors(closed, PATH)).help).to.equal('Check its permissions.');
  });

  it('reads what the reference library wrote', () => {
    const opened = open(readFixtureBytes('safetensors/mixed.safetensors'));
    expect(opened.metadata.get('format')).to.equal('pt');
    const shapes = [...opened.tensors.values()].map(({ name, dtype, shape }) => [name, dtype, shape.join()]);
    expect(shapes).to.deep.include.members([
      ['values', 'F32', '24'],
      ['scalar', 'F32', ''],
      ['empty', 'F32', '0,3'],
      ['ids', 'I64', '5'],
      ['flags', 'BOOL', '2'],
      ['é東🎉', 'F32', '2,2'],
    ]);
    const ids = opened.tensors.get('ids');
    const bytes = ids === undefined ? new Uint8Array() : opened.read(ids, 16, 8);
    expect(new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true)).to.equal(2n);
  });

  it('writes the bytes that the reference library wrote', () => {
    const bytes = readFixtureBytes('safetensors/mixed.safetensors');
    const opened = open(bytes);
    const tensors = [...opened.tensors.values()].map((tensor) => ({
      name: tensor.name,
      dtype: tensor.dtype,
      shape: tensor.shape,
      chunks: () => [opened.read(tensor)],
    }));
    const written = concat(safetensorsChunks(tensors.reverse(), { metadata: { format: 'pt' } }));
    expect(Buffer.compare(written, bytes)).to.equal(0);
  });

  it('asks for the data of a tensor only when its turn comes, and checks its length', () => {
    const order: string[] = [];
    const tensor = (name: string, bytes: number) => ({
      name,
      dtype: 'F32' as const,
      shape: [2],
      *chunks() {
        order.push(name);
        yield new Uint8Array(bytes);
      },
    });
    const chunks = safetensorsChunks([tensor('b', 8), tensor('a', 8)]);
    chunks.next();
    expect(order).to.deep.equal([]);
    chunks.next();
    expect(order).to.deep.equal(['a']);
    expect(() => concat(safetensorsChunks([tensor('a', 4)]))).to.throw(/4 bytes given, 8/);
    expect(() => concat(safetensorsChunks([tensor('a', 8), tensor('a', 8)]))).to.throw(/two tensors/);
  });

  it('asks for values that are made when their turn comes', () => {
    const asked: string[] = [];
    const tensor = (name: string) =>
      f32Writable(name, [2], () => {
        asked.push(name);
        return Float32Array.of(1, 2);
      });
    const chunks = safetensorsChunks([tensor('b'), tensor('a')]);
    chunks.next();
    expect(asked).to.deep.equal([]);
    expect(chunks.next().value).to.deep.equal(new Uint8Array(Float32Array.of(1, 2).buffer));
    expect(asked).to.deep.equal(['a']);
  });

  describe('folder', () => {
    const shard = (name: string) =>
      concat(safetensorsChunks([f32Writable(name, [1], new Float32Array([1]))]));
    const index = (map: unknown) => JSON.stringify({ metadata: { total_size: 1 }, weight_map: map });
    const files = (map: unknown) => ({
      '/m/model.safetensors.index.json': index(map),
      '/m/one.safetensors': shard('a'),
      '/m/two.safetensors': shard('b'),
    });

    it('reads shards by their index, whatever size that says they have', () => {
      const source = openTensorSource(
        memoryHost(files({ a: 'one.safetensors', b: 'two.safetensors' })),
        '/m',
      );
      expect(source.get('b')?.file.path).to.equal('/m/two.safetensors');
    });
    const broken: readonly [string, unknown, RegExp][] = [
      ['a shard outside the folder', { a: '../one.safetensors' }, /not a plain file name/],
      ['a tensor that its shard lacks', { b: 'one.safetensors' }, /is not in/],
      ['a tensor that the index lacks', {}, /weight_map|missing/],
      ['a map that is a list', [], /weight_map/],
      ['a shard that is missing', { a: 'three.safetensors' }, /three\.safetensors is listed, but missing/],
    ];
    for (const [what, map, message] of broken) {
      it(`refuses ${what}`, () => {
        const two = what.includes('index lacks') ? { ...files({ a: 'two.safetensors' }) } : files(map);
        if (what.includes('index lacks')) {
          two['/m/two.safetensors'] = concat(
            safetensorsChunks([
              f32Writable('a', [1], new Float32Array(1)),
              f32Writable('b', [1], new Float32Array(1)),
            ]),
          );
        }
        expect(modelError(() => openTensorSource(memoryHost(two), '/m')).detail).to.match(message);
      });
    }
    it('refuses a tensor in two shards', () => {
      const twice = {
        ...files({ a: 'one.safetensors', b: 'two.safetensors' }),
        '/m/two.safetensors': concat(
          safetensorsChunks(['a', 'b'].map((name) => f32Writable(name, [1], new Float32Array(1)))),
        ),
      };
      const { detail } = modelError(() => openTensorSource(memoryHost(twice), '/m'));
      expect(detail).to.equal('Tensor "a" is in two.safetensors too, but the index does not list it there.');
    });

    it('knows what Git LFS leaves in place of a file', () => {
      const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n';
      const missing = { ...files({ a: 'one.safetensors' }), '/m/one.safetensors': pointer };
      for (const action of [
        () => openTensorSource(memoryHost(missing), '/m'),
        () => openModelAt(memoryHost({ '/m.gguf': pointer }), '/m.gguf'),
        () => openModelAt(memoryHost({ '/m/config.json': pointer }), '/m'),
      ])
        expect(modelError(action).help).to.contain('git lfs pull');
    });

    it('says so where there are no weights', () => {
      expect(modelError(() => openTensorSource(memoryHost({}), '/m')).code).to.equal('model_not_found');
    });
  });
});
