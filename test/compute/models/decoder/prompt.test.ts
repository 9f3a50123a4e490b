import { expect } from 'chai';
import { initAdapter } from '../../../../src/compute/models/adapters/kinds.js';
import { blueprintOf } from '../../../../src/compute/models/architectures/index.js';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { fixture } from './fixture.js';

describe('a decoder with a prompt', () => {
  for (const name of ['tied', 'gpt2', 'gemma2'])
    it(`answers token by token as it does at once: ${name}`, async () => {
      const { recording, batch, weights } = fixture(name);
      const { config } = recording;
      const adapter = initAdapter(config, { kind: 'prompt', tokens: 4 }, { seed: 5 });
      const decoder = await createDecoder({
        runtime: await onnxRuntime({ threads: 1, scratch: 0 }),
        config,
        weights,
        adapter,
        trainable: 'none',
        checkpointedBlocks: 0,
        logitsChunk: 64,
      });
      expect(decoder.options.config.maxPositions).to.equal(config.maxPositions - 4);
      const rows = recording.lengths.map((length, row) =>
        batch.ids.slice(row * batch.length, row * batch.length + length),
      );
      const session = await decoder.session(rows.length, 32);
      const first = (await session.append(rows)).slice();
      const second = await session.append(rows.map(() => Int32Array.of(7)));
      for (const [row, ids] of rows.entries()) {
        const longer = Int32Array.of(...ids, 7);
        const whole = await decoder.logits({ rows: 1, length: longer.length, ids: longer });
        const { vocabSize } = config;
        expect(whole.length).to.equal(longer.length * vocabSize);
        for (const [logits, at] of [
          [first, ids.length - 1],
          [second, ids.length],
        ] as const)
          for (let token = 0; token < vocabSize; token++)
            expect(logits[row * vocabSize + token]).to.be.closeTo(whole[at * vocabSize + token] ?? 0, 1e-4);
      }
      await session.release();
      await decoder.release();
    });

  it('leaves the first token of a text without a loss, and every other as it is', async () => {
    const { recording, batch, weights } = fixture('tied');
    const { config } = recording;
    const embedding = weights.get(blueprintOf(config).embedding.name);
    const adapter = initAdapter(
      config,
      { kind: 'prompt', tokens: 2 },
      { seed: 5, init: 'vocabulary', weights },
    );
    const values = adapter.tensors.get('prompt_embeddings')?.data ?? new Float32Array();
    const row = new Float32Array(config.hiddenSize);
    const table = Array.from({ length: config.vocabSize }, (_, id) => {
      embedding.dequantiseRows(id, 1, row);
      return row.join();
    });
    expect(table).to.include(values.subarray(0, config.hiddenSize).join());
    const decoder = await createDecoder({
      runtime: await onnxRuntime({ threads: 1, scratch: 0 }),
      config,
      weights,
      adapter,
      trainable: 'adapter',
      checkpointedBlocks: 1,
      logitsChunk: 64,
    });
    const all = { ...batch, labels: batch.ids };
    expect((await decoder.loss(all)).tokens).to.equal(batch.rows * (batch.length - 1));
    await decoder.accumulate(batch, 1, { seed: 1, step: 1, micro: 0 });
    expect([...decoder.gradients.keys()]).to.deep.equal(['prompt_embeddings']);
    await decoder.release();
  });
});
