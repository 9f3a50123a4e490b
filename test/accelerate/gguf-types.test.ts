/**
 * Every type of GGUF file that a merge writes, of the starter model and of two real ones where they are fetched (`node
 * scripts/models/fetch.mjs`): transformers, which dequantises the same weights, has to answer alike, and llama.cpp's own quantiser
 * to write the same tensors.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  type Asked,
  answeredHere,
  askedOf,
  openTransformers,
  type Transformers,
} from '../../bench/quantise/answers.js';
import { differentTensors, llamaLibraries, quantisedByLlama, writeGguf } from '../../bench/quantise/peer.js';
import { GGUF_TYPES, type GgufType } from '../../src/compute/packaging/gguf/types.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { root } from '../compute/models/fixtures.js';
import { whereLlama } from '../compute/serving/llama-cpp/here.js';
import { PYTHON, withPython } from './python.js';

/** Of the largest logit. */
const LOGITS = 1e-5;
/** Of the perplexity: transformers adds up in another order. */
const PERPLEXITY = 1e-4;

const fetched = process.env['FTPC_MODELS'] ?? join(homedir(), '.cache', 'ftpc', 'models');
const MODELS = {
  'the starter model': join(root, 'stdlib', 'models', 'starter'),
  'SmolLM2-135M': join(fetched, 'SmolLM2-135M-Instruct.Q4_1.gguf'),
  'Gemma 3 270M': join(fetched, 'gemma-3-270m-q4_k_m.gguf'),
} as const;

const host = nodeHost();
const TYPES = Object.keys(GGUF_TYPES) as readonly GgufType[];

withPython('GGUF files of all types', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gguf-types-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const files = {
    source: join(folder, 'f32'),
    ours: join(folder, 'ours.gguf'),
    theirs: join(folder, 'theirs'),
  };

  for (const [name, path] of Object.entries(MODELS)) {
    const missing = existsSync(path) ? '' : ` (not run: ${path} is not there)`;
    describe(`of ${name}${missing}`, () => {
      let asked: Asked;
      let transformers: Transformers;
      before(async function () {
        if (missing !== '') this.skip();
        asked = await askedOf(host, path, { tokens: 16, textTokens: 64 });
        writeGguf(host, path, 'f32', files.source);
        transformers = openTransformers(host, PYTHON);
      });
      after(() => transformers?.close());

      for (const type of TYPES)
        it(`answer in transformers as here: ${type} @long`, async () => {
          writeGguf(host, files.source, type, files.ours);
          const theirs = await transformers.answered(files.ours, asked);
          const ours = await answeredHere(host, files.ours, asked);
          expect(ours.answers).to.deep.equal(theirs.answers);
          expect(ours.perplexity / theirs.perplexity).to.be.closeTo(1, PERPLEXITY);
          const wanted = Array.from(theirs.logits);
          const largest = wanted.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
          for (const [id, logit] of wanted.entries())
            if (!(Math.abs(logit - (ours.logits[id] ?? Number.NaN)) <= LOGITS * largest))
              expect.fail(`token ${id}: ${ours.logits[id]} instead of ${logit}`);
        });

      whereLlama(() => {
        // of a type that it has already, it copies the file
        for (const type of TYPES.filter((each) => each !== 'f32'))
          it(`have the tensors of llama.cpp’s own quantiser: ${type} @long`, () => {
            writeGguf(host, files.source, type, files.ours);
            quantisedByLlama(host, llamaLibraries(host), type, files, PYTHON);
            expect(differentTensors(host, files).names).to.deep.equal([]);
          });
      });
    });
  }
});
