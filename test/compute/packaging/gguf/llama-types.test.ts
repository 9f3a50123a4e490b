/**
 * Types of GGUF files of three models in llama.cpp: it has the answers that are given here with weights in float32, and
 * nearly the same perplexity with all of them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Asked, answeredByLlama, answeredHere, askedOf } from '../../../../bench/quantise/answers.js';
import { writeGguf } from '../../../../bench/quantise/peer.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { GGUF_MODELS } from '../../../helpers/gguf-models.js';
import { whereLlama } from '../../serving/llama-cpp/here.js';

/** Of the perplexity: llama.cpp rounds what it multiplies weights with as it rounded the weights, or to 8 bits. */
const ROUNDED = 0.1;
const EXACT = 1e-3;

const host = nodeHost();

for (const { name, path, isThere, types } of GGUF_MODELS)
  describe(`GGUF files in llama.cpp, of ${name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftpc-test-'));
    after(() => rmSync(folder, { recursive: true, force: true }));
    let asked: Asked;
    before(async function () {
      if (!isThere) this.skip();
      asked = await askedOf(host, path, { tokens: 12, textTokens: 64 });
    });

    whereLlama(() => {
      for (const type of types)
        it(`answer nearly as here: ${type} @long`, async () => {
          const file = join(folder, 'model.gguf');
          writeGguf(host, path, type, file);
          const here = await answeredHere(host, file, asked);
          const llama = await answeredByLlama(host, file, asked);
          if (type === 'f32') expect(llama.answers).to.deep.equal(here.answers);
          expect(llama.perplexity / here.perplexity).to.be.closeTo(1, type === 'f32' ? EXACT : ROUNDED);
        });
    });
  });
