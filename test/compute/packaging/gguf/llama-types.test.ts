/**
 * Every type of GGUF file of the starter model, and of two real ones where they are fetched (`node scripts/models/fetch.mjs`), in
 * llama.cpp: it has the answers that are given here with weights in float32, and nearly the same perplexity with all of them.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Asked, answeredByLlama, answeredHere, askedOf } from '../../../../bench/quantise/answers.js';
import { writeGguf } from '../../../../bench/quantise/peer.js';
import { GGUF_TYPES, type GgufType } from '../../../../src/compute/packaging/gguf/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { root } from '../../models/fixtures.js';
import { whereLlama } from '../../serving/llama-cpp/here.js';

const fetched = process.env['FTPC_MODELS'] ?? join(homedir(), '.cache', 'ftpc', 'models');
const MODELS = {
  'the starter model': join(root, 'stdlib', 'models', 'starter'),
  'SmolLM2-135M': join(fetched, 'SmolLM2-135M-Instruct.Q4_1.gguf'),
  'Gemma 3 270M': join(fetched, 'gemma-3-270m-q4_k_m.gguf'),
} as const;

/** Of the perplexity: llama.cpp rounds what it multiplies weights with as it rounded the weights, or to 8 bits. */
const ROUNDED = 0.1;
const EXACT = 1e-3;

const host = nodeHost();

for (const [name, path] of Object.entries(MODELS))
  describe(`GGUF files of ${name} in llama.cpp${existsSync(path) ? '' : ` (not run: ${path} is not there)`}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftpc-test-'));
    after(() => rmSync(folder, { recursive: true, force: true }));
    let asked: Asked;
    before(async function () {
      if (!existsSync(path)) this.skip();
      asked = await askedOf(host, path, { tokens: 12, textTokens: 64 });
    });

    whereLlama(() => {
      for (const type of Object.keys(GGUF_TYPES) as readonly GgufType[])
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
