/** Tiny models of every family as GGUF files, and what transformers computes from them: test/fixtures/gguf/record_families.py. */
import { expect } from 'chai';
import { FAMILIES } from '../../../../src/compute/models/architectures/index.js';
import { parseConfig } from '../../../../src/compute/models/config/index.js';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import { openGguf } from '../../../../src/compute/models/gguf/open.js';
import { openSafetensors } from '../../../../src/compute/models/safetensors/read.js';
import type { ModelConfig } from '../../../../src/compute/models/types.js';
import { floatsOf } from '../../../../src/compute/models/weights/dequantisation.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { modelError } from '../errors.js';
import { readFixtureBytes } from '../fixtures.js';
import { memoryHost } from '../memory-host.js';
import { ggufBytes } from './bytes.js';

/** Of the largest logit; both sides compute in float32. */
const LOGITS = 1e-5;

const NAMES = [
  'llama',
  'llama3',
  'mistral',
  'qwen2',
  'qwen3',
  'gemma2',
  'gemma3',
  'phi3',
  'phi3-long',
  'smollm3',
  'gpt2',
  'gptneox',
] as const;

const recorded = openSafetensors(
  memoryHost({ '/l': readFixtureBytes('gguf/families/logits.safetensors') }),
  '/l',
);
function recording(name: string): Uint8Array {
  const entry = recorded.tensors.get(name);
  return entry === undefined ? expect.fail(`${name} is not recorded`) : recorded.read(entry);
}
const floats = (name: string): Float32Array =>
  floatsOf('F32', recording(name), 0, recording(name).length / 4);
const ids = new Int32Array(recording('ids').buffer, recording('ids').byteOffset, 20);

const bytesOf = (name: string): Uint8Array => readFixtureBytes(`gguf/families/${name}.gguf`);
const openBytes = (bytes: Uint8Array) => openGguf(memoryHost({ '/m.gguf': bytes }), '/m.gguf');
const open = (name: string) => openBytes(bytesOf(name));

/** The bytes with one text put in another's place; both are of one length. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  expect(from.length).to.equal(to.length);
  expect(text).to.contain(from);
  return Buffer.from(text.replace(from, to), 'latin1');
}

describe('GGUF families', () => {
  it('are all that can be computed', () => {
    const covered = new Set(NAMES.map((name) => open(name).config.architecture));
    // what has no graph is not computed here
    const { other: _, ...own } = FAMILIES;
    expect([...covered].sort()).to.deep.equal(Object.keys(own).sort());
  });

  for (const name of NAMES)
    it(`${name}: the logits of transformers, from what the file holds and from float32`, async () => {
      const model = open(name);
      const expected = floats(`${name}.logits`);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (const storage of ['stored', 'f32'] as const) {
        const decoder = await createDecoder({
          runtime: await onnxRuntime({ threads: 1 }),
          config: model.config,
          weights: model.loadWeights(storage),
          trainable: 'none',
          checkpointedBlocks: 0,
          logitsChunk: 64,
        });
        const found = await decoder.logits({ rows: 1, length: ids.length, ids });
        await decoder.release();
        expect(found.length).to.equal(expected.length);
        const worst = found.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? 0))),
          0,
        );
        expect(worst / largest, storage).to.be.at.most(LOGITS);
      }
    });

  for (const name of ['gpt2', 'gptneox', 'llama'])
    it(`${name}: rows and windows are those of the whole`, () => {
      const model = open(name);
      const whole = model.loadWeights('f32');
      const stored = model.loadWeights('stored');
      const quantised = model.loadWeights('nf4');
      for (const tensor of whole.names()) {
        const { shape } = whole.get(tensor);
        const values = whole.get(tensor).view() ?? new Float32Array();
        const [rows = 1] = shape;
        const width = values.length / rows;
        const part = new Float32Array(2 * width);
        stored.get(tensor).dequantiseRows(1, 2, part);
        expect(part, tensor).to.deep.equal(values.slice(width, 3 * width));
        if (quantised.get(tensor).format !== 'NF4') continue;
        const all = new Float32Array(values.length);
        quantised.get(tensor).dequantise(all);
        const [worst, largest] = all.reduce(
          ([most, size], value, i) => [
            Math.max(most ?? 0, Math.abs(value - (values[i] ?? 9))),
            Math.max(size ?? 0, Math.abs(values[i] ?? 0)),
          ],
          [0, 0],
        );
        // half the widest gap of the code
        expect((worst ?? 9) / (largest ?? 1), tensor).to.be.at.most(0.16);
      }
    });

  for (const name of NAMES)
    it(`${name}: the config.json written for a merged model has the same meaning`, () => {
      const model = open(name);
      const json = JSON.parse(JSON.stringify(model.configJson()));
      const plain = (config: ModelConfig) => JSON.parse(JSON.stringify(config));
      expect(plain(parseConfig(json, 'config.json'))).to.deep.equal(plain(model.config));
    });

  const SCALED: Partial<ModelConfig> = {
    ropeScaling: { type: 'llama3', factor: 8, lowFactor: 1, highFactor: 4, originalPositions: 8192 },
  };
  it('knows the rule of Llama 3 again by its divisors', () => {
    expect(open('llama3').config).to.deep.include(SCALED);
  });

  const llama = bytesOf('llama');
  const strange: readonly [string, Uint8Array, RegExp][] = [
    ['an architecture', replaced(llama, 'llama', 'lamma'), /general\.architecture is "lamma"/],
    [
      'a tensor',
      replaced(llama, 'blk.1.ffn_gate', 'blk.1.ffn_mate'),
      /"blk\.1\.ffn_mate\.weight" has no place/,
    ],
  ];
  for (const [what, bytes, detail] of strange)
    it(`refuses ${what} that it does not know`, () => {
      const error = modelError(() => openBytes(bytes));
      expect(error.code).to.equal('gguf_unsupported');
      expect(error.detail).to.match(detail);
    });

  const LLAMA = [
    ['general.architecture', 'llama'],
    ['llama.block_count', 1],
    ['llama.embedding_length', 32],
    ['llama.attention.head_count', 2],
  ] as const;
  const parts: readonly [string, readonly (readonly [string, number | string])[], RegExp][] = [
    ['one part of several', [['split.count', 3]], /one of 3 parts/],
    [
      'keys and values of different widths',
      [
        ['llama.attention.key_length', 16],
        ['llama.attention.value_length', 8],
      ],
      /Keys of a head have 16 values and values 8/,
    ],
    [
      'heads that are turned in part',
      [
        ['llama.attention.key_length', 16],
        ['llama.rope.dimension_count', 8],
      ],
      /Only 8 of the 16 values/,
    ],
    ['frequencies of another kind', [['llama.rope.scaling.type', 'ntk']], /rope\.scaling\.type is "ntk"/],
  ];
  for (const [what, values, detail] of parts)
    it(`refuses ${what}`, () => {
      const error = modelError(() => openBytes(ggufBytes({ values: [...LLAMA, ...values] })));
      expect(error.code).to.equal('gguf_unsupported');
      expect(error.detail).to.match(detail);
    });

  it('refuses a mixture of experts of a family that has none', () => {
    const values = [
      ['general.architecture', 'gemma2'],
      ['gemma2.expert_count', 8],
    ] as const;
    const error = modelError(() => openBytes(ggufBytes({ values })));
    expect(error.code).to.equal('gguf_unsupported');
    expect(error.detail).to.match(/8 experts/);
  });

  it('refuses a field of another type, and does not take the default for it', () => {
    const values = [...LLAMA, ['llama.rope.freq_base', '10000']] as const;
    const error = modelError(() => openBytes(ggufBytes({ values })));
    expect(error.code).to.equal('gguf_invalid');
    expect(error.detail).to.equal('llama.rope.freq_base is "10000"; it must be a number.');
  });

  it('names a field that is missing', () => {
    const error = modelError(() => openBytes(ggufBytes({ values: LLAMA })));
    expect(error.code).to.equal('model_config');
    expect(error.detail).to.contain('"vocab_size" is missing');
  });
});
