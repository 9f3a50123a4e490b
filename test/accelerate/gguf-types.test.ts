/**
 * Types of GGUF files that a merge writes, of three models: transformers, which dequantises the same weights, has to
 * answer alike, and llama.cpp's own quantiser to write the same tensors.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
import { nodeHost } from '../../src/language/host/node-host.js';
import { whereLlama } from '../compute/serving/llama-cpp/here.js';
import { GGUF_MODELS } from '../helpers/gguf-models.js';
import { PYTHON, withPython } from './python.js';

/** Of the largest logit. */
const LOGITS = 1e-5;
/** Of the perplexity: transformers adds up in another order. */
const PERPLEXITY = 1e-4;

const host = nodeHost();

withPython('GGUF files of all types', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gguf-types-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const files = {
    source: join(folder, 'f32'),
    ours: join(folder, 'ours.gguf'),
    theirs: join(folder, 'theirs'),
  };

  for (const { name, path, isThere, types } of GGUF_MODELS)
    describe(`of ${name}`, () => {
      let asked: Asked;
      let transformers: Transformers;
      before(async function () {
        if (!isThere) this.skip();
        asked = await askedOf(host, path, { tokens: 16, textTokens: 64 });
        writeGguf(host, path, 'f32', files.source);
        transformers = openTransformers(host, PYTHON);
      });
      after(() => transformers?.close());

      for (const type of types)
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
        for (const type of types.filter((each) => each !== 'f32'))
          it(`have the tensors of llama.cpp’s own quantiser: ${type} @long`, () => {
            writeGguf(host, files.source, type, files.ours);
            quantisedByLlama(host, llamaLibraries(host), type, files, PYTHON);
            expect(differentTensors(host, files).names).to.deep.equal([]);
          });
      });
    });
});
