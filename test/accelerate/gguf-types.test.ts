/** Every type of GGUF file that a merge writes, in transformers: which dequantises the same weights, and has to answer alike. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { evaluationDecoder } from '../../src/compute/evaluation/evaluation-decoder.js';
import { generate } from '../../src/compute/evaluation/generation/generate.js';
import { openGguf } from '../../src/compute/models/gguf/open.js';
import { openModelAt } from '../../src/compute/models/open.js';
import { modelGguf } from '../../src/compute/packaging/gguf/index.js';
import { GGUF_TYPES, type GgufType } from '../../src/compute/packaging/gguf/types.js';
import { onnxRuntime } from '../../src/compute/tensor/runtimes/onnx/index.js';
import { nodeHost } from '../../src/language/host/node-host.js';
import { root } from '../compute/models/fixtures.js';
import { PYTHON, withPython } from './python.js';

const TOKENS = 16;
/** Of the largest logit. */
const LOGITS = 1e-5;
const PROMPT = 'Permission is hereby granted, free of charge, to any person';

interface Answer {
  readonly ids: readonly number[];
  readonly logits: readonly number[];
}

withPython('GGUF files that are written', () => {
  it('answer in transformers as here, whatever their type @long', async () => {
    const host = nodeHost();
    const starter = join(root, 'stdlib', 'models', 'starter');
    const prompt = (await openModelAt(host, starter).tokenizer()).encode(PROMPT);
    const folder = mkdtempSync(join(tmpdir(), 'gguf-types-'));
    try {
      const types = Object.keys(GGUF_TYPES) as readonly GgufType[];
      const files = types.map((type) => {
        const file = join(folder, `${type}.gguf`);
        writeFileSync(file, Buffer.concat([...modelGguf(host, starter, { type, name: 'starter' }).chunks()]));
        return file;
      });
      const theirs = transformers(files, prompt);
      const runtime = await onnxRuntime({ threads: 1 });
      for (const [index, file] of files.entries()) {
        const model = openGguf(host, file);
        const decoder = await evaluationDecoder({
          ...{ runtime, config: model.config, weights: model.loadWeights('stored'), storedSteps: true },
        });
        const logits = await decoder.logits({ rows: 1, length: prompt.length, ids: prompt });
        const [answer] = await generate(decoder, [prompt], { maxTokens: TOKENS, stopIds: [] });
        await decoder.release();
        const wanted = theirs[index];
        expect(answer?.ids, types[index]).to.deep.equal(wanted?.ids);
        const largest = Math.max(...(wanted?.logits ?? []).map(Math.abs));
        const last = logits.subarray(logits.length - model.config.vocabSize);
        wanted?.logits.forEach((logit, id) => {
          expect(Math.abs(logit - (last[id] ?? 0)), `${types[index]}, ${id}`).to.be.at.most(LOGITS * largest);
        });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function transformers(files: readonly string[], prompt: Int32Array): readonly Answer[] {
  const script = fileURLToPath(new URL('../../../test/accelerate/gguf_answers.py', import.meta.url));
  const { stdout, stderr, status } = spawnSync(PYTHON ?? 'python3', [script], {
    input: JSON.stringify({ files, ids: [...prompt], tokens: TOKENS }),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  expect(status, stderr).to.equal(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}
