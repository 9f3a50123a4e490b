/** GGUF files that are written are read again: the same model, tokenizer and template. */
import { join } from 'node:path';
import { expect } from 'chai';
import { blueprintOf } from '../../../../src/compute/models/architectures/index.js';
import { openGguf } from '../../../../src/compute/models/gguf/open.js';
import type { ModelFolder } from '../../../../src/compute/models/load.js';
import { openModelAt } from '../../../../src/compute/models/open.js';
import { modelGguf } from '../../../../src/compute/packaging/gguf/index.js';
import { storedRows, writtenGguf } from '../../../../src/compute/packaging/gguf/model.js';
import type { GgufType } from '../../../../src/compute/packaging/gguf/types.js';
import { sizeOf } from '../../../../src/compute/tensor/shape.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import type { Host } from '../../../../src/language/host/host.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { fixturePath, readFixtureBytes, root } from '../../models/fixtures.js';
import { memoryHost } from '../../models/memory-host.js';

const FAMILIES = [
  'llama',
  'llama3',
  'mistral',
  'qwen2',
  'qwen3',
  'gemma2',
  'gemma3',
  'phi3',
  'phi3-long',
  'smollm3',
  'gpt2',
  'gptneox',
] as const;

function written(
  host: Host,
  path: string,
  type: GgufType,
): { readonly model: ModelFolder; readonly bytes: Buffer } {
  const file = modelGguf(host, path, { type, name: 'm' });
  const bytes = Buffer.concat([...file.chunks()]);
  expect(bytes.length).to.equal(file.bytes);
  return { model: openGguf(memoryHost({ '/w.gguf': bytes }), '/w.gguf'), bytes };
}

function valuesOf(model: ModelFolder): ReadonlyMap<string, Float32Array> {
  const weights = model.loadWeights('stored');
  return new Map(
    weights.names().map((name) => {
      const tensor = weights.get(name);
      const values = new Float32Array(sizeOf(tensor.shape));
      tensor.dequantise(values);
      return [name, values];
    }),
  );
}

describe('a model as a GGUF file', () => {
  for (const family of FAMILIES)
    it(`is the same model again: ${family}`, () => {
      const bytes = readFixtureBytes(`gguf/families/${family}.gguf`);
      const host = memoryHost({ '/m.gguf': bytes });
      const before = openGguf(host, '/m.gguf');
      const { model } = written(host, '/m.gguf', 'f32');
      expect(blueprintOf(model.config)).to.deep.equal(blueprintOf(before.config));
      const values = valuesOf(before);
      for (const [name, found] of valuesOf(model)) {
        const wanted = values.get(name);
        // Gemma's norms are stored with 1 added, in float32
        const near = (value: number, i: number): boolean =>
          Math.abs(value - (wanted?.[i] ?? Number.NaN)) <= 2e-7;
        expect(found.length === wanted?.length && found.every(near), name).to.equal(true);
      }
    });

  it('is what llama.cpp’s converter writes: the tensors of a file of F32 and F16 are its bytes', () => {
    // the recorded file has every matrix as F16, in the same order of layers
    const bytes = readFixtureBytes('gguf/families/llama3.gguf');
    const host = memoryHost({ '/m.gguf': bytes });
    const again = written(host, '/m.gguf', 'f16');
    expect(valuesOf(again.model)).to.deep.equal(valuesOf(openGguf(host, '/m.gguf')));
  });

  it('has the tokenizer and the chat template of its folder', async () => {
    const folder = join(root, 'stdlib', 'models', 'starter');
    const before = openModelAt(nodeHost(), folder);
    const { model } = written(nodeHost(), folder, 'q8_0');
    const [ours, theirs] = await Promise.all([model.tokenizer(), before.tokenizer()]);
    for (const text of TEXTS) expect([...ours.encode(text)], text).to.deep.equal([...theirs.encode(text)]);
    expect(model.template()?.source).to.equal(before.template()?.source);
    expect(model.config.eosTokenIds).to.deep.equal(before.config.eosTokenIds);
    expect(model.config.padTokenId).to.equal(before.config.padTokenId);
    expect(model.licence()).to.equal(before.licence());
  });

  it('keeps YaRN’s frequencies, and is refused where llama.cpp has other constants', () => {
    const base = openGguf(memoryHost({ '/m.gguf': readFixtureBytes('gguf/families/llama.gguf') }), '/m.gguf');
    const scaling = {
      type: 'yarn',
      factor: 4,
      originalPositions: 16,
      attentionFactor: 0.1 * Math.log(4) + 1,
    } as const;
    const write = (betaFast: number) => {
      const ropeScaling = { ...scaling, betaFast, betaSlow: 1, truncate: true };
      const weights = base.loadWeights('paged');
      const files = { ...base, path: '/m.gguf' };
      const host = memoryHost({ '/m.gguf': readFixtureBytes('gguf/families/llama.gguf') });
      return writtenGguf(host, {
        ...{ type: 'f16', files, origin: { name: 'm' } },
        config: { ...base.config, ropeScaling },
        source: (name) => storedRows(weights, name),
      }).bytes;
    };
    expect(write(32)).to.be.greaterThan(0);
    expect(() => write(16)).to.throw(UserError, /betaFast would be 32 instead of 16/);
  });

  it('makes the same bytes again', () => {
    const path = fixturePath('gguf/tiny.gguf');
    const [first, second] = [0, 1].map(() => written(nodeHost(), path, 'q4_0').bytes);
    expect(first?.equals(second ?? Buffer.alloc(0))).to.equal(true);
  });
});

const TEXTS = [
  '',
  'Is the MIT License free?',
  '  two  spaces\n\n\ttabs 12345 it’s naïve – 日本語 🦙',
  '<|im_start|>user\nHi<|im_end|>\n',
];
