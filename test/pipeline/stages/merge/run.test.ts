import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { BottleneckConfig } from '../../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../../src/compute/models/adapters/kinds.js';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import { readGgufHeader } from '../../../../src/compute/models/gguf/header.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { openModelAt } from '../../../../src/compute/models/open.js';
import { f32Writable, safetensorsChunks } from '../../../../src/compute/models/safetensors/write.js';
import { readAdapter, writeAdapter } from '../../../../src/compute/packaging/adapters.js';
import { GGUF_TYPES } from '../../../../src/compute/packaging/gguf/types.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { WeightResidency } from '../../../../src/language/ir/runtimes.js';
import { run } from '../../../../src/pipeline/stages/merge/run.js';
import type { Artefact } from '../../../../src/pipeline/stages/stage.js';
import {
  baseCall,
  contextOf,
  expected,
  formatted,
  plainOutput,
  scratch,
  stageOf,
  tiny,
  trained,
} from '../../../compute/evaluation/tiny.js';
import { GGUF_MODELS } from '../../../helpers/gguf-models.js';

describe('the merge stage', () => {
  const place = scratch();
  after(() => place.remove());
  let count = 0;

  const merge = async (
    settings: Readonly<Record<string, unknown>>,
    inputs?: readonly Artefact[],
    held?: WeightResidency,
  ) => {
    count++;
    const folder = join(place.path, `merge-${count}`);
    const tokenizer = await openModel(nodeHost(), join(tiny, 'base')).tokenizer();
    const rows = formatted(folder, tokenizer, [
      { prompt: 'Is MIT free?', answer: 'yes' },
      { prompt: 'Q', answer: 'a longer answer, so that the probe is cut' },
    ]);
    const stage = stageOf('merge', 'fused', { base: baseCall, dtype: 'f32', ...settings });
    const context = { ...contextOf(stage, [...(inputs ?? [trained(folder)]), rows], folder), held };
    const result = await run(context);
    const model = join(context.output.path, result.outputs['model'] ?? '');
    return {
      result,
      context,
      model,
      report: JSON.parse(readFileSync(join(context.output.path, 'report.json'), 'utf8')),
    };
  };
  const adapter = { adapter: { stage: 'adapter', port: 'best' } };

  it('writes a Hugging Face folder that is PEFT’s merge', async () => {
    const { result, model, context } = await merge(adapter);
    expect(result.metrics['logit_difference']).to.be.below(1e-4);
    expect(result.metrics['base_difference']).to.be.greaterThan(0.1);
    expect(readdirSync(model).sort()).to.deep.equal([
      'README.md',
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
      expect(readFileSync(join(model, name)).equals(readFileSync(join(tiny, 'base', name))), name).to.equal(
        true,
      );
    const [ours, theirs] = [model, join(tiny, 'merged')].map((folder) =>
      openModel(nodeHost(), folder === model ? folder : withFiles(folder, place.path)).loadWeights('stored'),
    );
    for (const name of ours?.names() ?? []) {
      const [a, b] = [ours, theirs].map((store) => {
        const tensor = store?.get(name);
        const values = new Float32Array((tensor?.shape ?? []).reduce((product, size) => product * size, 1));
        tensor?.dequantise(values);
        return values;
      });
      expect(Math.max(...(a ?? []).map((value, i) => Math.abs(value - (b?.[i] ?? Number.NaN))))).to.be.below(
        1e-6,
      );
    }
    const card = readFileSync(join(model, 'README.md'), 'utf8');
    expect(card)
      .to.match(/license: 'apache-2\.0'/)
      .and.match(/rank 3, alpha 12/);
    expect(context.events.at(-1)).to.include({ type: 'stage.progress', done: 20, total: 20 });
  });

  it('takes an adapter of a folder, as PEFT saves it, for that of a training', async () => {
    const folder = join(tiny, 'adapter');
    const named = { adapter: { call: 'peft', args: { folder } } };
    const [plain, own] = [await merge(adapter), await merge(named, [])];
    for (const name of readdirSync(plain.model).filter((name) => name !== 'README.md'))
      expect(
        readFileSync(join(own.model, name)).equals(readFileSync(join(plain.model, name))),
        name,
      ).to.equal(true);
    expect(own.result.metrics['logit_difference']).to.be.below(1e-4);
    expect(own.result.metrics['base_difference']).to.be.greaterThan(0.1);
    expect(own.report).to.include({ adapter: folder, trainedOver: 'original weights' });
    const card = readFileSync(join(own.model, 'README.md'), 'utf8');
    expect(card)
      .to.contain(`| Adapter | ${folder} |`)
      .and.match(/rank 3, alpha 12/);
    expect(readFileSync(join(plain.model, 'README.md'), 'utf8')).not.to.contain('| Adapter |');
  });

  it('answers like transformers with the adapter (1e-4 of the largest logit)', async () => {
    const { model } = await merge(adapter);
    const { config, loadWeights } = openModel(nodeHost(), model);
    const decoder = await createDecoder({
      runtime: await onnxRuntime({ threads: 1 }),
      config,
      weights: loadWeights('stored'),
      trainable: 'none',
      checkpointedBlocks: 0,
      logitsChunk: 64,
    });
    const ids = Int32Array.from(expected.ids[0] ?? []);
    const logits = (await decoder.logits({ rows: 1, length: ids.length, ids })).slice(-config.vocabSize);
    await decoder.release();
    const largest = Math.max(...expected.tuned.logits.map(Math.abs));
    for (const [i, logit] of expected.tuned.logits.entries())
      expect(logits[i]).to.be.closeTo(logit, 1e-4 * largest);
  });

  it('writes halves, updates the config’s dtype, and says how far the logits moved', async () => {
    for (const [dtype, torch] of [
      ['f16', 'float16'],
      ['bf16', 'bfloat16'],
    ] as const) {
      const { result, model } = await merge({ ...adapter, dtype });
      const config = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'));
      expect(config.dtype).to.equal(torch);
      expect(config).not.to.have.property('torch_dtype');
      expect(openModel(nodeHost(), model).weightFormat('model.norm.weight')).to.equal(dtype.toUpperCase());
      expect(result.metrics['logit_difference']).to.be.greaterThan(0).and.below(0.5);
    }
  });

  it('gives the same bytes again, also where the weights stay in their files', async () => {
    const [first, second] = [await merge(adapter), await merge(adapter, undefined, 'paged')];
    expect(second.report).to.deep.equal(first.report);
    for (const name of readdirSync(first.model))
      expect(
        readFileSync(join(first.model, name)).equals(readFileSync(join(second.model, name))),
        name,
      ).to.equal(true);
  });

  it('merges a QLoRA adapter into the original weights and says so', async () => {
    const folder = join(place.path, 'qlora');
    const plain = await merge(adapter);
    const { model, report } = await merge(adapter, [trained(folder, 'qlora')]);
    expect(report).to.include({ mergedInto: 'original weights', trainedOver: 'nf4' });
    expect(readFileSync(join(model, 'README.md'), 'utf8')).to.contain('NF4');
    const weights = (path: string): Buffer => readFileSync(join(path, 'model.safetensors'));
    expect(weights(model).equals(weights(plain.model))).to.equal(true);
  });

  it('only converts where there is no adapter', async () => {
    const { result, model, report } = await merge({ dtype: 'f32' });
    const { perplexity, ...rest } = result.metrics;
    expect(rest).to.deep.equal({ logit_difference: 0, base_difference: 0, perplexity_ratio: 1 });
    expect(perplexity).to.be.greaterThan(1);
    expect(report.adapter).to.equal(null);
    const store = openModel(nodeHost(), model).loadWeights('stored');
    const base = openModel(nodeHost(), join(tiny, 'base')).loadWeights('stored');
    for (const name of base.names()) expect(store.get(name).view()).to.deep.equal(base.get(name).view());
  });

  for (const dtype of ['f16', 'q8_0', 'q4_k_m', 'q4_0'] as const)
    it(`writes one GGUF file that answers like base and adapter, and is a model: ${dtype}`, async () => {
      const { model, result, report, context } = await merge({ ...adapter, dtype, file_format: 'gguf' });
      expect(readdirSync(model).sort()).to.deep.equal(['README.md', 'model.gguf']);
      const opened = openModelAt(nodeHost(), model);
      expect(opened.config.architecture).to.equal('llama');
      expect(opened.licence()).to.equal('apache-2.0');
      // rows of 32 values: no blocks of 256 fit, and llama.cpp takes shorter ones in their place
      const formats = { f16: 'F16', q8_0: 'Q8_0', q4_k_m: 'Q5_0', q4_0: 'Q4_0' };
      expect(opened.weightFormat('model.layers.0.self_attn.q_proj.weight')).to.equal(formats[dtype]);
      expect(opened.weightFormat('model.layers.0.input_layernorm.weight')).to.equal('F32');
      const { logit_difference: off, perplexity_ratio: ratio } = result.metrics;
      expect(off).to.be.greaterThan(0).and.below(report.largestLogit);
      expect(report.relativeDifference).to.be.greaterThan(0).and.below(GGUF_TYPES[dtype].tolerance);
      expect(ratio).to.be.closeTo(1, 0.3);
      expect(report).to.include({ dtype, format: 'gguf' });
      expect(context.events.at(-1)).to.include({ type: 'stage.progress', done: 20, total: 20 });
      const values = readGgufHeader(nodeHost(), join(model, 'model.gguf')).values;
      expect(values.get('general.base_model.0.name')).to.equal('base');
      expect(values.get('general.description')).to.match(/LoRA adapter adapter.best \(rank 3, alpha 12\)/);
    });

  it('takes an untrained base', async () => {
    const untrained = { call: 'untrained', args: { folder: join(tiny, 'base'), seed: 3 } };
    const { result } = await merge({ base: untrained, dtype: 'f16' });
    expect(result.metrics['logit_difference']).to.be.greaterThan(0);
  });

  // Gemma multiplies embeddings by 25 and has a norm after every sublayer: of three models it moves furthest by rounding.
  for (const { name, path, isThere } of GGUF_MODELS.filter((model) => model.name.startsWith('Gemma')))
    it(`takes another type of ${name} @long`, async function () {
      if (!isThere) this.skip();
      const { report } = await merge({ base: { call: 'gguf', args: { file: path } }, dtype: 'q8_0' });
      expect(report.relativeDifference).to.be.greaterThan(0.01);
      expect(report.logit_difference).to.be.greaterThan(1);
      expect(report.perplexity_ratio).to.be.closeTo(1, 0.1);
    });

  it('writes a GGUF model as a Hugging Face folder', async () => {
    const file = join(nodeHost().packageFolder, 'test', 'fixtures', 'gguf', 'tiny.gguf');
    const { model } = await merge({ base: { call: 'gguf', args: { file } }, dtype: 'f32' });
    const store = openModel(nodeHost(), model).loadWeights('stored');
    const base = openModelAt(nodeHost(), file).loadWeights('f32');
    for (const name of base.names())
      expect(store.get(name).view(), name).to.deep.equal(base.get(name).view());
    expect(readdirSync(model)).to.include.members(['config.json', 'tokenizer.json', 'model.safetensors']);
  });

  const codeOf = async (running: Promise<unknown>): Promise<string> => {
    try {
      await running;
    } catch (error) {
      if (error instanceof UserError) return error.diagnostic.code;
      throw error;
    }
    return 'none';
  };

  it('refuses an adapter that changes nothing', async () => {
    const folder = join(place.path, 'zero');
    const artefact = trained(folder);
    const recorded = readAdapter(nodeHost(), join(tiny, 'adapter'));
    const tensors = new Map(
      [...recorded.tensors].map(([name, { shape, data }]) => [
        name,
        { shape, data: name.includes('lora_B') ? new Float32Array(data.length) : data },
      ]),
    );
    writeAdapter(
      plainOutput(artefact.path),
      'best',
      { config: recorded.config, tensors },
      { base: recorded.base },
    );
    expect(await codeOf(merge(adapter, [artefact]))).to.equal('FTP0724');
  });

  it('refuses bottleneck adapters', async () => {
    const artefact = trained(join(place.path, 'bottleneck'));
    const { config } = openModel(nodeHost(), join(tiny, 'base'));
    const bottleneck: BottleneckConfig = {
      ...{ kind: 'bottleneck', reduction: 4, places: ['mlp'], activation: 'relu' },
      ...{ reads: 'output', scale: 1, dropout: 0 },
    };
    writeAdapter(plainOutput(artefact.path), 'best', initAdapter(config, bottleneck, { seed: 1 }), {
      base: { name: 'base', revision: null },
    });
    expect(await codeOf(merge(adapter, [artefact]))).to.equal('FTP0771');
  });

  it('refuses a weight that f16 can’t hold and asks for bf16', async () => {
    const folder = join(place.path, 'large');
    cpSync(join(tiny, 'base'), folder, { recursive: true });
    const base = openModel(nodeHost(), join(tiny, 'base')).loadWeights('f32');
    const tensors = base.names().map((name) => {
      const data = Float32Array.from(base.get(name).view() ?? []);
      if (name === 'model.layers.1.mlp.up_proj.weight') data[7] = 70_000;
      return f32Writable(name, base.get(name).shape, data);
    });
    plainOutput(folder).write('model.safetensors', safetensorsChunks(tensors));
    const large = { base: { call: 'local', args: { folder } } };
    let caught: unknown;
    await merge({ ...large, dtype: 'f16' }).catch((error: unknown) => {
      caught = error;
    });
    if (!(caught instanceof UserError)) throw caught;
    expect(caught.diagnostic.message).to.contain('model.layers.1.mlp.up_proj.weight');
    expect(caught.diagnostic.help).to.contain('bf16');
  });
});

/** PEFT's merged weights with the base's config next to them. */
function withFiles(folder: string, scratchFolder: string): string {
  const to = join(scratchFolder, 'peft-merged');
  cpSync(join(tiny, 'base'), to, { recursive: true });
  cpSync(folder, to, { recursive: true });
  return to;
}
