/** Checkpoints in 4 bits as transformers saves them: test/fixtures/nf4/record_checkpoint.py. */
import { expect } from 'chai';
import { unquantised } from '../../../src/compute/models/config/index.js';
import { createDecoder } from '../../../src/compute/models/decoder/index.js';
import { foreignLinears, foreignTensors } from '../../../src/compute/models/foreign.js';
import { openModel } from '../../../src/compute/models/load.js';
import { openSafetensors } from '../../../src/compute/models/safetensors/read.js';
import {
  f32Writable,
  safetensorsChunks,
  type WritableTensor,
} from '../../../src/compute/models/safetensors/write.js';
import { floatsOf } from '../../../src/compute/models/weights/dequantisation.js';
import { plannedBytes } from '../../../src/compute/models/weights/load.js';
import { nf4Tensor } from '../../../src/compute/models/weights/nf4-tensor.js';
import { onnxRuntime } from '../../../src/compute/tensor/runtimes/onnx/index.js';
import { type Packed, unpack } from './decoder/fixture.js';
import { concat, modelError } from './errors.js';
import { readFixture, readFixtureBytes } from './fixtures.js';
import { memoryHost } from './memory-host.js';
import { quantiseValues } from './plain-nf4.js';

const LOGITS = 1e-5;

/** A tiny model of a family. */
interface Recording {
  readonly config: object;
  readonly weights: Readonly<Record<string, Packed>>;
}

const open = (name: string, weights = readFixtureBytes(`nf4/${name}/model.safetensors`), more: object = {}) =>
  openModel(
    memoryHost({
      '/m/config.json': JSON.stringify({ ...readFixture<object>(`nf4/${name}/config.json`), ...more }),
      '/m/model.safetensors': weights,
    }),
    '/m',
  );

function recorded(name: string): (tensor: string) => Uint8Array {
  const file = openSafetensors(memoryHost({ '/v': readFixtureBytes(`nf4/${name}.safetensors`) }), '/v');
  return (tensor) => {
    const entry = file.tensors.get(tensor);
    return entry === undefined ? expect.fail(`${tensor} is not recorded`) : file.read(entry);
  };
}
const floats = (bytes: Uint8Array): Float32Array => floatsOf('F32', bytes, 0, bytes.length / 4);

describe('bitsandbytes checkpoints', () => {
  it('tell their shapes where there is no graph for them', () => {
    const model = open('double', undefined, { model_type: 'olmo2', architectures: ['Olmo2ForCausalLM'] });
    const { foreign } = model.config;
    if (foreign === undefined) return expect.fail('it has a graph');
    const shapes = foreignLinears(foreign).map(({ target, outputs, inputs }) => [target, outputs, inputs]);
    expect(shapes.sort()).to.deep.equal([
      ['down_proj', 64, 128],
      ['gate_proj', 128, 64],
      ['k_proj', 32, 64],
      ['o_proj', 64, 64],
      ['q_proj', 64, 64],
      ['up_proj', 128, 64],
      ['v_proj', 32, 64],
    ]);
    // constants and tables are no tensors of their own
    const names = foreignTensors(foreign).map(({ name }) => name);
    expect(names.filter((name) => !name.endsWith('.weight'))).to.deep.equal([]);
  });

  for (const [name, format] of [
    ['double', 'NF4'],
    ['single', 'NF4_SINGLE'],
    // linear layers that stand turned where they are not quantised
    ['gpt2', 'NF4'],
  ] as const) {
    const model = open(name);
    const values = recorded(name);

    it(`${name}: weights are those of bitsandbytes bit for bit, however they are held`, () => {
      for (const storage of ['stored', 'nf4', 'f32'] as const) {
        const store = model.loadWeights(storage);
        expect(store.residentBytes).to.equal(plannedBytes(model.config, model.weightFormat, storage));
        for (const tensor of store
          .names()
          .filter((each) => /_proj|c_attn|c_fc/.test(each) && each.endsWith('weight'))) {
          expect(store.get(tensor).format).to.equal(storage === 'f32' ? 'F32' : format);
          const expected = floats(values(tensor));
          const out = new Float32Array(expected.length);
          store.get(tensor).dequantise(out);
          expect(Buffer.compare(Buffer.from(out.buffer), Buffer.from(values(tensor))), tensor).to.equal(0);
        }
      }
    });

    it(`${name}: the logits of the decoded weights in transformers`, async () => {
      const decoder = await createDecoder({
        runtime: await onnxRuntime({ threads: 1 }),
        config: model.config,
        weights: model.loadWeights('stored'),
        trainable: 'none',
        checkpointedBlocks: 0,
        logitsChunk: 64,
      });
      const raw = values('ids');
      const ids = new Int32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4);
      const found = await decoder.logits({ rows: 1, length: ids.length, ids });
      await decoder.release();
      const expected = floats(values('logits'));
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      found.forEach((value, i) => {
        expect(Math.abs(value - (expected[i] ?? Number.NaN))).to.be.at.most(LOGITS * largest);
      });
    });
  }

  it('full weights of GPT-2 are quantised as `[outputs, inputs]`, as those of other families', () => {
    const { config, weights } = readFixture<Recording>('architectures/gpt2.json');
    const tensors = Object.entries(weights).map(([name, packed]) =>
      f32Writable(name, packed.shape, unpack(packed)),
    );
    const model = openModel(
      memoryHost({
        '/m/config.json': JSON.stringify(config),
        '/m/model.safetensors': concat(safetensorsChunks(tensors)),
      }),
      '/m',
    );
    const name = 'transformer.h.0.mlp.c_fc.weight';
    const { shape, ...packed } = weights[name] ?? expect.fail(name);
    const [inputs = 0, outputs = 0] = shape;
    const turned = (data: Float32Array, width: number): Float32Array =>
      data.map(
        (_, at) => data[(at % (data.length / width)) * width + Math.floor(at / (data.length / width))] ?? 0,
      );
    const plain = turned(unpack({ shape, ...packed }), outputs);
    const expected = new Float32Array(plain.length);
    nf4Tensor(name, [outputs, inputs], quantiseValues(plain)).dequantise(expected);
    const found = new Float32Array(plain.length);
    const stored = model.loadWeights('nf4').get(name);
    stored.dequantise(found);
    expect(stored.format).to.equal('NF4');
    expect(found).to.deep.equal(turned(expected, inputs));
    const rows = new Float32Array(2 * outputs);
    stored.dequantiseRows(1, 2, rows);
    expect(rows).to.deep.equal(found.slice(outputs, 3 * outputs));
  });

  const DOWN = 'model.layers.0.mlp.down_proj.weight';
  const STATE = `${DOWN}.quant_state.bitsandbytes__nf4`;
  /** The weights with one tensor left out, under another name or with other bytes. */
  function written(
    name: string,
    tensor: string,
    change: (bytes: Uint8Array) => Uint8Array | undefined,
    renamed: string = tensor,
  ) {
    const file = openSafetensors(
      memoryHost({ '/v': readFixtureBytes(`nf4/${name}/model.safetensors`) }),
      '/v',
    );
    const tensors = [...file.tensors.values()].flatMap((entry): WritableTensor[] => {
      const bytes = entry.name === tensor ? change(file.read(entry)) : file.read(entry);
      if (bytes === undefined) return [];
      const shape = bytes.length === entry.end - entry.begin ? entry.shape : [bytes.length];
      const own = entry.name === tensor ? renamed : entry.name;
      return [{ name: own, dtype: entry.dtype, shape, chunks: () => [bytes] }];
    });
    return open(name, concat(safetensorsChunks(tensors)));
  }
  const changed = (...how: Parameters<typeof written>) => modelError(() => written(...how).checkWeights());
  const edited = (from: string, to: string) => (bytes: Uint8Array) =>
    new TextEncoder().encode(new TextDecoder().decode(bytes).replace(from, to));
  const BROKEN: readonly [string, string, (bytes: Uint8Array) => Uint8Array | undefined, RegExp][] = [
    ['constants that are missing', `${DOWN}.absmax`, () => undefined, /absmax" is missing/],
    ['scales that are missing', `${DOWN}.nested_absmax`, () => undefined, /nested_absmax" is missing/],
    [
      'codes that are too few',
      DOWN,
      (bytes) => bytes.slice(1),
      /has 4095 bytes of U8; the shape asks for 4096/,
    ],
    ['another block', STATE, edited('"blocksize": 64', '"blocksize": 128'), /says blocksize 128; 64 is read/],
    ['another code', STATE, edited('"quant_type": "nf4"', '"quant_type": "fp4"'), /says quant_type "fp4"/],
    ['no shape', STATE, edited('"shape"', '"shake"'), /no "shape"/],
    ['a state that is no JSON', STATE, edited('{', '['), /not valid JSON/],
    [
      'another table',
      `${DOWN}.quant_map`,
      (bytes) => bytes.map((byte, i) => (i === 3 ? 0 : byte)),
      /not an NF4 table/,
    ],
    [
      'an offset that is no number',
      STATE,
      edited('"nested_offset": ', '"nested_offset": "" , "x": '),
      /is not a number/,
    ],
  ];
  for (const [what, tensor, change, detail] of BROKEN)
    it(`refuses ${what}`, () => {
      const error = changed('double', tensor, change);
      expect(error.code).to.equal('quantised_invalid');
      expect(error.detail).to.match(detail);
    });

  it('refuses weights in FP4 by what their state says', () => {
    const fp4 = changed(
      'double',
      STATE,
      edited('"nf4"', '"fp4"'),
      STATE.replace('bitsandbytes__nf4', 'bitsandbytes__fp4'),
    );
    expect(fp4.code).to.equal('quantised_invalid');
    expect(fp4.detail).to.match(/says quant_type "fp4"/);
  });

  it('leaves the quantisation out of the config of what is made from such a model', () => {
    const written = unquantised(open('double').configJson());
    expect(written).to.include({ model_type: 'llama', hidden_size: 64 });
    expect(written).not.to.have.property('quantization_config');
  });

  it('names quantisations that it does not read', () => {
    const gptq = { quantization_config: { quant_method: 'gptq', bits: 4 } };
    const error = modelError(() => open('double', undefined, gptq));
    expect(error.code).to.equal('model_unsupported');
    expect(error.detail).to.contain('gptq');
  });
});
