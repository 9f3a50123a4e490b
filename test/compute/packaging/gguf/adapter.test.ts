/** Adapters as GGUF files: alpha/rank · B · A of the file is what a merge adds to the tensor of the same name. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AdapterConfig } from '../../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../../src/compute/models/adapters/kinds.js';
import {
  type GgufHeader,
  type GgufTensor,
  readGgufHeader,
} from '../../../../src/compute/models/gguf/header.js';
import { openModelAt } from '../../../../src/compute/models/open.js';
import { type Adapter, ModelError } from '../../../../src/compute/models/types.js';
import { floatsOf } from '../../../../src/compute/models/weights/dequantisation.js';
import { readAdapter, writeAdapter } from '../../../../src/compute/packaging/adapters.js';
import { adapterGguf } from '../../../../src/compute/packaging/gguf/index.js';
import { writtenGguf } from '../../../../src/compute/packaging/gguf/model.js';
import { knownMerge } from '../../../../src/compute/packaging/merge/plan.js';
import { mergedRows } from '../../../../src/compute/packaging/merge/tensors.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { plainOutput, tiny } from '../../evaluation/tiny.js';
import { fixturePath } from '../../models/fixtures.js';
import { memoryHost } from '../../models/memory-host.js';

const host = nodeHost();

interface OpenedFile {
  readonly header: GgufHeader;
  floats(tensor: GgufTensor): Float32Array;
}

function opened(chunks: Iterable<Uint8Array>): OpenedFile {
  const memory = memoryHost({ '/f': Buffer.concat([...chunks]) });
  return {
    header: readGgufHeader(memory, '/f'),
    floats: ({ type, start, bytes }) => floatsOf(type, memory.readBytes('/f', start, bytes), 0, bytes / 4),
  };
}

/** The base of a path, with an adapter merged or without, as a GGUF file of float32. */
function modelFile(path: string, adapter: Adapter | undefined): OpenedFile {
  const model = openModelAt(host, path);
  const weights = model.loadWeights('f32');
  const rows = mergedRows(weights, {
    ...(adapter && { plan: knownMerge(adapter, model.config, weights) }),
    stored: { format: 'gguf', dtype: 'f32' },
  });
  const parts = { type: 'f32', config: model.config, files: model, origin: { name: 'm' } } as const;
  return opened(writtenGguf(host, { ...parts, source: rows.source }).chunks());
}

/** Largest difference of merged − (base + alpha/rank · B · A), and largest change. */
function differences(path: string, folder: string): readonly [off: number, change: number] {
  const [base, merged] = [modelFile(path, undefined), modelFile(path, readAdapter(host, folder))];
  const file = opened(adapterGguf(host, folder, path).chunks());
  const alpha = Number(file.header.values.get('adapter.lora.alpha'));
  let [off, change] = [0, 0];
  for (const [name, tensor] of base.header.tensors) {
    const [before, after] = [base, merged].map((each) => each.floats(tensor));
    const [a, b] = ['a', 'b'].map((factor) => file.header.tensors.get(`${name}.lora_${factor}`));
    const [rank = 1, width = 1] = a?.shape ?? [];
    const [down, up] = [a, b].map((factor) => factor && file.floats(factor));
    before?.forEach((value, i) => {
      let sum = 0;
      if (down !== undefined && up !== undefined)
        for (let k = 0; k < rank; k++)
          sum += (up[Math.floor(i / width) * rank + k] ?? 0) * (down[k * width + (i % width)] ?? 0);
      off = Math.max(off, Math.abs((after?.[i] ?? 0) - value - (alpha / rank) * sum));
      change = Math.max(change, Math.abs((after?.[i] ?? 0) - value));
    });
  }
  return [off, change];
}

describe('an adapter as a GGUF file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** An adapter over a base whose factors are all there. */
  function saved(name: string, path: string, config: Partial<AdapterConfig<'lora'>>): string {
    const { config: model, loadWeights } = openModelAt(host, path);
    const lora: AdapterConfig<'lora'> = {
      ...{ kind: 'lora', rank: 2, alpha: 6, dropout: 0, targets: ['q_proj'] },
      ...config,
    };
    const adapter = initAdapter(model, lora, { seed: 1, weights: loadWeights('f32') });
    for (const [at, { data }] of [...adapter.tensors.values()].entries())
      data.forEach((_, i) => {
        data[i] = Math.sin(i * 12.9 + at) / 4;
      });
    const transposed = model.architecture === 'gpt2';
    writeAdapter(plainOutput(folder), name, adapter, { base: { name: 'm', revision: null, transposed } });
    return join(folder, name);
  }

  it('is what a merge adds: PEFT’s own adapter, over a Hugging Face folder', () => {
    const [off, change] = differences(join(tiny, 'base'), join(tiny, 'adapter'));
    expect(change).to.be.greaterThan(0.1);
    expect(off).to.be.below(1e-6);
  });

  for (const [family, targets] of [
    ['llama', ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'down_proj']],
    ['phi3', ['qkv_proj', 'gate_up_proj', 'o_proj']],
    ['gptneox', ['query_key_value', 'dense_4h_to_h']],
    ['gpt2', ['c_attn', 'c_fc']],
  ] as const)
    it(`is what a merge adds, in the file’s order of rows: ${family}`, () => {
      const path = fixturePath(`gguf/families/${family}.gguf`);
      const [off, change] = differences(path, saved(family, path, { targets: [...targets] }));
      expect(change).to.be.greaterThan(0.1);
      expect(off).to.be.below(1e-6);
    });

  it('has what llama.cpp multiplies by, also where ranks and scales differ', () => {
    const path = fixturePath('gguf/families/llama.gguf');
    const lora = { targets: ['q_proj', 'v_proj'], rslora: true, rankPattern: { q_proj: 4 } };
    const [off, change] = differences(path, saved('patterns', path, lora));
    expect(change).to.be.greaterThan(0.1);
    expect(off).to.be.below(1e-6);
  });

  const refusal = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      if (error instanceof ModelError) return `${error.code}: ${error.detail}`;
      throw error;
    }
    return 'none';
  };

  it('is refused where llama.cpp has no form for it', () => {
    const path = fixturePath('gguf/families/llama.gguf');
    const dora = saved('dora', path, { targets: ['q_proj'], dora: true });
    expect(refusal(() => adapterGguf(host, dora, path))).to.match(/^gguf_unsupported: .*DoRA/);
    const whole = saved('whole', path, { targets: ['q_proj'], modulesToSave: ['embed_tokens'] });
    expect(refusal(() => adapterGguf(host, whole, path))).to.match(
      /^gguf_unsupported: .*embed_tokens as a whole/,
    );
    const biases = saved('biases', path, { targets: ['q_proj'], bias: 'all' });
    expect(refusal(() => adapterGguf(host, biases, path))).to.match(/^gguf_unsupported: .*biases/);
    writeFileSync(join(folder, 'dora', 'adapter_config.json'), '{');
    expect(refusal(() => adapterGguf(host, dora, path))).to.match(/^adapter_invalid/);
  });
});
