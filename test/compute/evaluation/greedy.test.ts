/** Greedy answers of tiny models against transformers' `generate`: see test/fixtures/generation/record.py. */
import { expect } from 'chai';
import { generate } from '../../../src/compute/evaluation/generation/generate.js';
import { createDecoder, type Decoder } from '../../../src/compute/models/decoder/index.js';
import { onnxRuntime } from '../../../src/compute/tensor/runtimes/onnx/index.js';
import type { Runtime } from '../../../src/compute/tensor/types.js';
import { fixture as model } from '../models/decoder/fixture.js';
import { fixture } from './fixtures.js';

interface Recorded {
  readonly prompts: readonly (readonly number[])[];
  readonly positions: number;
  /** Each until prompt and answer fill the positions. */
  readonly greedy: readonly (readonly number[])[];
  readonly ends: readonly number[];
  readonly stopped: readonly { readonly ids: readonly number[]; readonly ended: boolean }[];
  readonly penalty: number;
  readonly penalised: readonly (readonly number[])[];
}

describe('greedy answers are transformers’, token for token', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = await onnxRuntime({ threads: 1 });
  });

  for (const [name, recorded] of Object.entries(
    fixture<Record<string, Recorded>>('generation', 'greedy.json'),
  ))
    describe(name, () => {
      const prompts = recorded.prompts.map((prompt) => Int32Array.from(prompt));
      const maxTokens = 2 * recorded.positions;
      let decoder: Decoder;
      before(async () => {
        const { recording, weights } = model(name);
        expect(recording.config.maxPositions).to.equal(recorded.positions);
        decoder = await createDecoder({
          runtime,
          config: recording.config,
          weights,
          trainable: 'none',
          checkpointedBlocks: 0,
          logitsChunk: 64,
        });
      });
      after(() => decoder.release());

      it('to the model’s last position, alone and in a batch of unequal lengths', async () => {
        const options = { maxTokens, stopIds: [] };
        const expected = recorded.greedy.map((ids) => ({ ids, reason: 'full', text: '' }));
        expect(await generate(decoder, prompts, options)).to.deep.equal(expected);
        expect(await generate(decoder, prompts.slice(1, 2), options)).to.deep.equal(expected.slice(1, 2));
      });

      it('to the first of several end tokens', async () => {
        const answers = await generate(decoder, prompts, { maxTokens, stopIds: recorded.ends });
        expect(answers.map(({ ids, reason }) => ({ ids, ended: reason === 'stop' }))).to.deep.equal(
          recorded.stopped,
        );
      });

      it('with a repetition penalty', async () => {
        const options = { maxTokens, stopIds: [], repetitionPenalty: recorded.penalty };
        const answers = await generate(decoder, prompts, options);
        expect(answers.map(({ ids }) => ids)).to.deep.equal(recorded.penalised);
      });
    });
});
