import { expect } from 'chai';
import { expectedTensors } from '../../../../src/compute/models/architectures/index.js';
import { readGgufHeader } from '../../../../src/compute/models/gguf/header.js';
import { openGguf } from '../../../../src/compute/models/gguf/open.js';
import { openSafetensors } from '../../../../src/compute/models/safetensors/read.js';
import { ModelError } from '../../../../src/compute/models/types.js';
import {
  dequantisationWorkspace,
  dequantiseBlocks,
} from '../../../../src/compute/models/weights/dequantisation.js';
import { BLOCKS, type BlockFormat } from '../../../../src/compute/models/weights/formats.js';
import { plannedBytes, plannedFormat } from '../../../../src/compute/models/weights/load.js';
import { modelError } from '../errors.js';
import { readFixtureBytes } from '../fixtures.js';
import { memoryHost } from '../memory-host.js';

const PATH = '/m/tiny.gguf';
const bytes = readFixtureBytes('gguf/tiny.gguf');
const open = (content: Uint8Array = bytes) => openGguf(memoryHost({ [PATH]: content }), PATH);
const recorded = openSafetensors(memoryHost({ '/v': readFixtureBytes('gguf/values.safetensors') }), '/v');

function raw(name: string): Uint8Array {
  const entry = recorded.tensors.get(name);
  return entry === undefined ? expect.fail(`${name} is not recorded`) : recorded.read(entry);
}
function values(name: string): Float32Array {
  const content = raw(name);
  return new Float32Array(content.buffer, content.byteOffset, content.byteLength / 4);
}

/** Bit patterns, so that −0 counts; any NaN is as good as another. */
function sameBits(actual: Float32Array, expected: Float32Array, what: string): void {
  const bits = (floats: Float32Array) =>
    new Uint32Array(floats.map((x) => (Number.isNaN(x) ? Number.NaN : x)).buffer);
  expect(bits(actual), what).to.deep.equal(bits(expected));
}

function decodesBitForBit(type: Exclude<BlockFormat, 'F32'>): void {
  const expected = values(`${type}.values`);
  const out = new Float32Array(expected.length);
  dequantiseBlocks(type, raw(`${type}.raw`), 0, out);
  sameBits(out, expected, type);
  // and from the middle of one block to the middle of another
  const { values: size } = BLOCKS[type];
  const [from, to] = [size / 2 + 3, size * 5 - 7];
  const part = new Float32Array(to - from);
  dequantiseBlocks(type, raw(`${type}.raw`), from, part);
  sameBits(part, expected.slice(from, to), type);
}

/** More than one call of the kernel, whose last is no whole one. */
function decodesInCalls(type: Exclude<BlockFormat, 'F32'>): void {
  const [blocks, expected] = [raw(`${type}.raw`), values(`${type}.values`)];
  const copies = Math.ceil(70_000 / expected.length);
  const many = new Uint8Array(copies * blocks.length);
  for (let i = 0; i < copies; i++) many.set(blocks, i * blocks.length);
  const out = new Float32Array(copies * expected.length - 11);
  dequantiseBlocks(type, many, 5, out);
  const wanted = Float32Array.from(out, (_, i) => expected[(i + 5) % expected.length] ?? Number.NaN);
  sameBits(out, wanted, type);
}

/** Into a workspace, and nothing beside its place there. */
function decodesInPlace(type: Exclude<BlockFormat, 'F32'>): void {
  const expected = values(`${type}.values`);
  const [before, after] = [32, 32];
  const workspace = dequantisationWorkspace(before + expected.length + after);
  dequantiseBlocks(type, raw(`${type}.raw`), 0, workspace.subarray(before, before + expected.length));
  const around = new Array(before).fill(0);
  sameBits(workspace, Float32Array.of(...around, ...expected, ...around), type);
  // a length that the kernels do not write exactly
  const part = workspace.subarray(0, 7);
  dequantiseBlocks(type, raw(`${type}.raw`), 0, part);
  sameBits(workspace.subarray(0, 8), Float32Array.of(...expected.subarray(0, 7), 0), type);
}

describe('GGUF', () => {
  it('gives rows as codes from the file where float32 is in memory, and reads no others', () => {
    const host = memoryHost({ [PATH]: bytes });
    const read: number[] = [];
    const watched: typeof host = {
      ...host,
      readBytes: (path, from, length) => {
        const part = host.readBytes(path, from, length);
        read.push(part.length);
        return part;
      },
    };
    const model = openGguf(watched, PATH);
    const [held, floats] = [model.loadWeights('stored'), model.loadWeights('f32')];
    const coded = held.names().filter((name) => held.get(name).coded?.() !== undefined);
    expect(coded.length).to.be.above(2);
    for (const name of coded) {
      read.length = 0;
      const rows = floats.get(name).coded?.()?.read(1, 2);
      const { residentBytes, shape } = held.get(name);
      expect(
        read.reduce((sum, length) => sum + length, 0),
        name,
      ).to.equal((2 * residentBytes) / (shape[0] ?? 0));
      expect(rows, name).to.deep.equal(held.get(name).coded?.()?.read(1, 2));
    }
  });

  it('reads the config', () => {
    expect(open().config).to.include({
      vocabSize: 270,
      hiddenSize: 64,
      intermediateSize: 96,
      layers: 1,
      heads: 4,
      keyValueHeads: 2,
      headDim: 16,
      maxPositions: 128,
      ropeTheta: 20_000,
      normEpsilon: 1e-5,
      tieEmbeddings: true,
      bosTokenId: 1,
    });
    expect(open().licence()).to.equal('apache-2.0');
  });

  it('gives the values of the gguf package, query and key rows in order, and holds the blocks of the file', () => {
    const model = open();
    for (const storage of ['stored', 'f32'] as const) {
      const store = model.loadWeights(storage);
      expect(store.residentBytes).to.equal(plannedBytes(model.config, model.weightFormat, storage));
      for (const { name } of expectedTensors(model.config)) {
        const out = new Float32Array(values(name).length);
        store.get(name).dequantise(out);
        sameBits(out, values(name), `${name}, ${storage}`);
      }
    }
    const formats = ['q', 'k', 'v', 'o'].map(
      (part) => model.loadWeights('stored').get(`model.layers.0.self_attn.${part}_proj.weight`).format,
    );
    expect(formats).to.deep.equal(['Q4_0', 'F16', 'Q4_1', 'Q5_0']);
  });

  it('reads parts of tensors at any place, for NF4 and for rows', () => {
    const model = open();
    const store = model.loadWeights('nf4');
    const stored = model.loadWeights('stored');
    for (const { name, role, shape } of expectedTensors(model.config)) {
      const file = model.weightFormat(name);
      expect(store.get(name).format).to.equal(plannedFormat(role, file, 'nf4'));
      const out = new Float32Array(values(name).length);
      store.get(name).dequantise(out);
      const worst = out.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - (values(name)[i] ?? 9))),
        0,
      );
      expect(worst, name).to.be.at.most(role === 'projection' ? 0.1 : 0);
      const [rows = 1, width = 1] = shape;
      const one = new Float32Array(width);
      stored.get(name).dequantiseRows(rows - 1, 1, one);
      sameBits(one, values(name).slice((rows - 1) * width), name);
    }
  });

  for (const type of ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'] as const)
    it(`decodes ${type} blocks bit for bit`, () => {
      decodesBitForBit(type);
      decodesInCalls(type);
      decodesInPlace(type);
    });

  it('makes the tokenizer and the chat template', async () => {
    const tokenizer = await open().tokenizer();
    const tokens = [...tokenizer.encode('<|im_start|>hello w12é')].map((id) => tokenizer.tokenOf(id));
    expect(tokens).to.deep.equal(['<|im_start|>', 'hello', 'Ġw', '1', '2', 'Ã', '©']);
    expect(tokenizer.decode(tokenizer.encode('hello world é'))).to.equal('hello world é');
    expect(
      open()
        .template()
        ?.render([{ role: 'user', content: 'Hi' }]),
    ).to.equal('<|im_start|>Hi<|im_end|>');
  });

  it('refuses every cut of a file', () => {
    for (let length = 0; length < bytes.length; length += length < 9000 ? 61 : 4999) {
      const host = memoryHost({ [PATH]: bytes.slice(0, length) });
      expect(modelError(() => readGgufHeader(host, PATH)).code).to.equal('gguf_invalid');
    }
  });

  it('never throws anything but a ModelError on changed bytes', () => {
    let state = 11;
    let refused = 0;
    for (let round = 0; round < 600; round++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const changed = bytes.slice();
      changed[(state >>> 8) % 9000] = state & 255;
      try {
        open(changed).checkWeights();
      } catch (error) {
        expect(error).to.be.instanceOf(ModelError);
        refused++;
      }
    }
    expect(refused).to.be.greaterThan(40);
  });

  const counts: readonly [string, number, RegExp][] = [
    ['tensors', 8, /number of tensors/],
    ['values', 16, /number of values/],
    ['a key’s length', 24, /length of a key/],
  ];
  for (const [what, at, message] of counts) {
    it(`refuses an absurd number of ${what}`, () => {
      const changed = bytes.slice();
      new DataView(changed.buffer).setBigUint64(at, 2n ** 62n, true);
      expect(modelError(() => open(changed)).detail).to.match(message);
    });
  }

  it('says where there is no file', () => {
    expect(modelError(() => openGguf(memoryHost({}), PATH)).code).to.equal('model_not_found');
  });
});
