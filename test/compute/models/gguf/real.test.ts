/**
 * Two real models against transformers, which loads the same files: test/fixtures/gguf/record_real.py. They are fetched
 * by `node scripts/models/fetch.mjs`; without them these tests are skipped, and say so.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { evaluationDecoder } from '../../../../src/compute/evaluation/evaluation-decoder.js';
import { generate } from '../../../../src/compute/evaluation/generation/generate.js';
import type { Decoder } from '../../../../src/compute/models/decoder/index.js';
import { openGguf } from '../../../../src/compute/models/gguf/open.js';
import type { Tokenizer } from '../../../../src/compute/models/types.js';
import { plannedBytes } from '../../../../src/compute/models/weights/load.js';
import { plannedCodes } from '../../../../src/compute/models/weights/stored-codes.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { readFixture } from '../fixtures.js';

/** Of the largest logit. */
const LOGITS = 1e-5;

interface Recorded {
  readonly file: string;
  readonly stride: number;
  readonly question: string;
  readonly chat: string | null;
  readonly texts: readonly { readonly text: string; readonly ids: readonly number[] }[];
  readonly cases: readonly {
    readonly ids: readonly number[];
    readonly largest: number;
    readonly logits: readonly (readonly number[])[];
    readonly answer: readonly number[];
    readonly text: string;
  }[];
}

const folder = process.env['FTPC_MODELS'] ?? join(homedir(), '.cache', 'ftpc', 'models');

/** Models, tokens of each answer that are compared, and bytes of their codes: a digit has half a byte, and 4 bytes per block. */
const ANSWERS = {
  smollm2: { tokens: 24, codes: 115_015_680 },
  gemma3: { tokens: 24, codes: 326_205_440 },
} as const;

for (const [name, { tokens, codes }] of Object.entries(ANSWERS)) {
  const recorded = readFixture<Recorded>(`gguf/${name}.json`);
  const path = join(folder, recorded.file);
  const there = existsSync(path);
  describe(`${recorded.file}${there ? '' : ` is not in ${folder}: node scripts/models/fetch.mjs ${name}`}`, () => {
    let decoder: Decoder;
    let tokenizer: Tokenizer;
    before(async function () {
      if (!there) this.skip();
      const model = openGguf(nodeHost(), path);
      tokenizer = await model.tokenizer();
      const weights = model.loadWeights('stored');
      expect(weights.residentBytes).to.equal(plannedBytes(model.config, model.weightFormat, 'stored'));
      expect(plannedCodes(model.config, model.weightFormat)?.bytes).to.equal(codes);
      // whose vocabulary is in pieces; answers are computed over codes
      decoder = await evaluationDecoder({
        runtime: await onnxRuntime({ threads: 2 }),
        config: model.config,
        weights,
        storedSteps: true,
      });
    });
    after(() => decoder?.release());

    it('has the ids of transformers', () => {
      for (const { text, ids } of recorded.texts)
        expect([...tokenizer.encode(text)], JSON.stringify(text)).to.deep.equal(ids);
    });

    if (recorded.chat !== null)
      it('renders chats with the template of the file', () => {
        const template = openGguf(nodeHost(), path).template();
        const messages = [{ role: 'user', content: recorded.question }] as const;
        expect(template?.render(messages, { addGenerationPrompt: true })).to.equal(recorded.chat);
      });

    for (const { ids, largest, logits, answer, text } of recorded.cases)
      it(`answers ${JSON.stringify(text)}, with the logits of transformers`, async () => {
        const found = await decoder.logits({ rows: 1, length: ids.length, ids: Int32Array.from(ids) });
        const { vocabSize, eosTokenIds } = decoder.options.config;
        logits.forEach((row, position) => {
          row.forEach((expected, i) => {
            const value = found[position * vocabSize + i * recorded.stride] ?? Number.NaN;
            expect(Math.abs(value - expected), `${position}, ${i}`).to.be.at.most(LOGITS * largest);
          });
        });
        const [generated] = await generate(decoder, [Int32Array.from(ids)], {
          maxTokens: tokens,
          stopIds: eosTokenIds,
        });
        const said = answer.filter((id) => !eosTokenIds.includes(id));
        expect([...(generated?.ids ?? [])]).to.deep.equal(said.slice(0, tokens));
        expect(tokenizer.decode(said, { skipSpecial: true })).to.equal(text);
      });
  });
}
