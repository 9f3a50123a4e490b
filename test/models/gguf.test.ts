import { expect } from 'chai';
import { expectedTensors } from '../../src/models/architectures/index.js';
import { BLOCKS } from '../../src/models/gguf/blocks.js';
import { readGgufHeader } from '../../src/models/gguf/header.js';
import { openGguf } from '../../src/models/gguf/open.js';
import { openSafetensors } from '../../src/models/safetensors/read.js';
import { ModelError } from '../../src/models/types.js';
import { plannedFormat } from '../../src/models/weights/load.js';
import { modelError } from './errors.js';
import { readFixtureBytes } from './fixtures.js';
import { memoryHost } from './memory-host.js';

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

/** Largest difference: the `gguf` package multiplies and adds in float32, where here one rounding is made. */
function difference(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).to.equal(expected.length);
  return actual.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? Number.NaN))), 0);
}

describe('GGUF', () => {
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

  it('decodes every format as the gguf package does, query and key rows in order', () => {
    const store = open().loadWeights('f32');
    for (const { name } of expectedTensors(open().config)) {
      expect(difference(store.get(name).view() ?? new Float32Array(), values(name)), name).to.be.at.most(
        1e-6,
      );
    }
  });

  it('reads parts of tensors at any place, for NF4 and for rows', () => {
    const model = open();
    const store = model.loadWeights('nf4');
    for (const { name, role } of expectedTensors(model.config)) {
      expect(store.get(name).format).to.equal(
        role === 'projection' ? 'NF4' : plannedFormat(role, 'F32', 'stored'),
      );
      const out = new Float32Array(values(name).length);
      store.get(name).decode(out);
      expect(difference(out, values(name)), name).to.be.at.most(0.1);
    }
    expect(model.loadWeights('stored').get('model.layers.0.mlp.up_proj.weight').format).to.equal('F16');
  });

  for (const type of ['Q4_K', 'Q6_K'] as const) {
    it(`decodes ${type} blocks`, () => {
      expect(difference(BLOCKS[type].decode(raw(`${type}.raw`)), values(`${type}.values`))).to.be.at.most(
        1e-4,
      );
    });
  }

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
      expect(modelError(() => readGgufHeader(host, PATH)).code).to.equal('model_weights');
    }
  });

  it('never throws anything but a ModelError on changed bytes', () => {
    let state = 11;
    let refused = 0;
    for (let round = 0; round < 1500; round++) {
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
    expect(refused).to.be.greaterThan(100);
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
