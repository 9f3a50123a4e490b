import { join } from 'node:path';
import { expect } from 'chai';
import { generate } from '../../../src/compute/evaluation/generation/generate.js';
import { createDecoder, type Decoder } from '../../../src/compute/models/decoder/index.js';
import { openModel } from '../../../src/compute/models/load.js';
import { onnxRuntime } from '../../../src/compute/tensor/runtimes/onnx/index.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { readFixture } from './fixtures.js';

/** Logits may differ by this much: both sides compute in float32 from the same float16 weights. */
const TOLERANCE = 2e-4;

interface Recorded {
  readonly stride: number;
  readonly cases: readonly {
    readonly prompt: string;
    readonly ids: readonly number[];
    readonly logits: readonly (readonly number[])[];
    readonly answer: readonly number[];
  }[];
}

describe('the starter model', () => {
  const host = nodeHost();
  const model = openModel(host, join(host.packageFolder, 'stdlib', 'models', 'starter'));
  const { stride, cases } = readFixture<Recorded>('starter/recorded.json');
  let decoder: Decoder;

  before(async () => {
    decoder = await createDecoder({
      runtime: await onnxRuntime({ threads: 2 }),
      config: model.config,
      weights: model.loadWeights('stored'),
      trainable: 'none',
      checkpointedBlocks: 0,
      logitsChunk: 64,
    });
  });
  after(() => decoder.release());

  it('is at most 12 MB', () => {
    const bytes = model.files().reduce((sum, file) => sum + file.bytes, 0);
    expect(bytes).to.be.at.most(12e6);
  });

  for (const [index, { prompt, ids, logits, answer }] of cases.entries()) {
    it(`gives the ids, logits and answer of transformers (${index + 1})`, async () => {
      const tokenizer = await model.tokenizer();
      expect([...tokenizer.encode(prompt)]).to.deep.equal(ids);
      const found = await decoder.logits({ rows: 1, length: ids.length, ids: Int32Array.from(ids) });
      const { vocabSize } = model.config;
      logits.forEach((row, position) => {
        row.forEach((expected, i) => {
          expect(found[position * vocabSize + i * stride]).to.be.closeTo(expected, TOLERANCE);
        });
      });
      const [generated] = await generate(decoder, [Int32Array.from(ids)], {
        maxTokens: 16,
        stopIds: model.config.eosTokenIds,
      });
      expect([...(generated?.ids ?? [])]).to.deep.equal(
        answer.filter((id) => !model.config.eosTokenIds.includes(id)),
      );
    });
  }
});
