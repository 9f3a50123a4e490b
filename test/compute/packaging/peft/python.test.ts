import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { isTrained } from '../../../../src/compute/models/adapters/branches.js';
import type { AdapterConfig, LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import { initAdapter, virtualTokensOf } from '../../../../src/compute/models/adapters/kinds.js';
import { labelsOf } from '../../../../src/compute/models/adapters/whole.js';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import { classifierFields } from '../../../../src/compute/models/labels.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { fillNormal } from '../../../../src/compute/models/philox.js';
import { f32Writable, safetensorsChunks } from '../../../../src/compute/models/safetensors/write.js';
import type { Adapter } from '../../../../src/compute/models/types.js';
import { readAdapter, writeAdapter } from '../../../../src/compute/packaging/adapters.js';
import { knownMerge } from '../../../../src/compute/packaging/merge/plan.js';
import { mergedTensors } from '../../../../src/compute/packaging/merge/tensors.js';
import { mergedConfig } from '../../../../src/compute/packaging/merge/texts.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { labelledRow } from '../../../../src/pipeline/stages/format/labelled-rows.js';
import { savedAdapter } from '../../../../src/pipeline/stages/train/adapters/kinds.js';
import { type Packed, unpack } from '../../models/decoder/fixture.js';
import { linesFrom, outputIn } from '../python.js';

/** A tiny model of a family, as it is recorded. */
interface Recording {
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: Readonly<Record<string, Packed>>;
}

const host = nodeHost();
const base = join(host.packageFolder, 'test/fixtures/training/base');
const script = join(host.packageFolder, 'test/compute/packaging/peft/logits.py');
const IDS = Int32Array.of(1, 5, 9, 13, 2, 7, 33, 40, 11, 63);

/** A Python with PEFT: that of `FTPC_PYTHON`, or `python3`. */
const python = process.env['FTPC_PYTHON'] || 'python3';
const isThere = spawnSync(python, ['-c', 'import peft, transformers']).status === 0;

const ALL = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
const plain: LoraConfig = { kind: 'lora', rank: 4, alpha: 8, dropout: 0.1, targets: ALL };

const CASES: Readonly<Record<string, AdapterConfig>> = {
  'DoRA with rsLoRA': { ...plain, dora: true, rslora: true },
  'patterns and layers': {
    ...plain,
    targets: ['q_proj', 'mlp.up_proj', 'model.layers.0.self_attn.v_proj'],
    layers: [1],
    rankPattern: { up_proj: 2, 'layers\\.0.*v_proj': 6 },
    alphaPattern: { q_proj: 3 },
  },
  PiSSA: { ...plain, pissa: true },
  'PiSSA with rsLoRA': { ...plain, pissa: true, rslora: true },
  'PiSSA with patterns': { ...plain, pissa: true, rankPattern: { up_proj: 2 }, alphaPattern: { q_proj: 3 } },
  'a prompt': { kind: 'prompt', tokens: 5 },
  'a prefix': { kind: 'prefix', tokens: 5 },
  'a prefix from a projection': { kind: 'prefix', tokens: 5, projection: 7 },
  'a prefix of GPT-2': { kind: 'prefix', tokens: 5 },
  'a prefix of GPT-NeoX': { kind: 'prefix', tokens: 5 },
  'a prefix in the windows of Mistral': { kind: 'prefix', tokens: 3 },
  'a prefix longer than the windows of Gemma 3': { kind: 'prefix', tokens: 9 },
  'embedding and head of a tied base': { ...plain, modulesToSave: ['embed_tokens', 'lm_head'] },
  'the head of a tied base': { ...plain, modulesToSave: ['lm_head'] },
  'the embedding of a tied base': { ...plain, modulesToSave: ['embed_tokens'] },
  'factors over embedding and head of a tied base': {
    ...plain,
    targets: ['q_proj', 'embed_tokens', 'lm_head'],
    rankPattern: { lm_head: 2 },
    rslora: true,
  },
  'DoRA over the head of a tied base': { ...plain, dora: true, targets: ['v_proj', 'lm_head'] },
  'factors over embedding and head of GPT-2': { ...plain, targets: ['c_attn', 'wte', 'lm_head'] },
  'factors over embedding and head of GPT-NeoX': { ...plain, targets: ['embed_in', 'lm_head'] },
  'factors over the scaled embedding of Gemma 3': { ...plain, targets: ['embed_tokens'] },
  'biases of GPT-2': { ...plain, targets: ['c_attn', 'mlp.c_proj'], bias: 'all' },
  'biases of the layers with factors of Qwen 2': {
    ...plain,
    targets: ['q_proj', 'o_proj'],
    bias: 'lora_only',
  },
  'biases of GPT-NeoX': { ...plain, targets: ['query_key_value'], layers: [1], bias: 'all' },
  'a classification head': { kind: 'head', labels: ['yes', 'no', 'don’t know'] },
  'LoRA with a classification head': { ...plain, labels: ['a', 'b'] },
  'LoRA with a head of one score': { ...plain, labels: ['reward'] },
  'DoRA with a classification head and the embedding': {
    ...plain,
    dora: true,
    modulesToSave: ['embed_tokens'],
    labels: ['a', 'b', 'c', 'd'],
  },
};

/** Bases of other families, by their fixture in `test/fixtures/architectures`. */
const BASES: Readonly<Record<string, string>> = {
  'a prefix of GPT-2': 'gpt2',
  'factors over embedding and head of GPT-2': 'gpt2',
  'factors over embedding and head of GPT-NeoX': 'neox',
  'factors over the scaled embedding of Gemma 3': 'gemma3',
  'biases of GPT-2': 'gpt2',
  'biases of the layers with factors of Qwen 2': 'qwen2',
  'biases of GPT-NeoX': 'neox',
  'a prefix of GPT-NeoX': 'neox',
  'a prefix in the windows of Mistral': 'mistral',
  'a prefix longer than the windows of Gemma 3': 'gemma3',
};

const names = Object.keys(CASES);

const why = isThere ? '' : ` (skipped: no Python with PEFT; FTPC_PYTHON names one)`;

describe(`adapters and merged models in PEFT and transformers${why}`, () => {
  let folder = '';
  /** By case: logits of the base with the adapter, and of the merged model. */
  let theirs: readonly (readonly number[][])[] = [];
  const ours: Float32Array[] = [];

  before(async function () {
    // without PEFT there is nothing to compare with
    if (!isThere) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'ftpc-peft-'));
    for (const [index, [name, lora]] of Object.entries(CASES).entries())
      ours.push(await written(String(index), lora, baseFor(String(index), BASES[name])));
    const folders = names.map((_, index) => join(folder, String(index)));
    theirs = linesFrom(python, script, [base, ...folders]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const output = outputIn(() => folder);

  /** The folder of a base: one that is written out, where it is a fixture of another family. */
  function baseFor(name: string, fixture: string | undefined): string {
    if (fixture === undefined) return base;
    const path = join(host.packageFolder, 'test/fixtures/architectures', `${fixture}.json`);
    const { config, weights }: Recording = JSON.parse(readFileSync(path, 'utf8'));
    const tensors = Object.entries(weights).map(([tensor, packed]) =>
      f32Writable(tensor, packed.shape, unpack(packed)),
    );
    output.write(`${name}/base/config.json`, JSON.stringify(config));
    output.write(`${name}/base/model.safetensors`, safetensorsChunks(tensors));
    return join(folder, name, 'base');
  }

  /** Writes an adapter and a merged model, and gives the logits that they should have. */
  async function written(name: string, own: AdapterConfig, base: string): Promise<Float32Array> {
    const model = openModel(host, base);
    const { config } = model;
    const weights = model.loadWeights('stored');
    const fresh = { seed: 3, weights };
    const adapter: Adapter =
      own.kind === 'prompt'
        ? initAdapter(config, own, { ...fresh, init: 'vocabulary' })
        : initAdapter(config, own, fresh);
    for (const [tensor, { data }] of adapter.tensors) {
      if (!isTrained(tensor)) continue;
      const noise = new Float32Array(data.length);
      fillNormal(noise, 5, tensor, 0.05);
      for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) + (noise[i] as number);
    }
    const runtime = await onnxRuntime({ threads: 1 });
    const decoder = await createDecoder({
      runtime,
      config,
      weights,
      adapter,
      trainable: 'none',
      checkpointedBlocks: 0,
      logitsChunk: 64,
    });
    const labels = labelsOf(own);
    const text = { rows: 1, length: IDS.length, ids: IDS.map((id) => id % config.vocabSize) };
    const logits =
      labels === undefined
        ? await decoder.logits(text)
        : await decoder.classify({ ...text, labels: labelledRow(IDS, { padId: 2, label: 0 }).labels });
    await decoder.release();
    const told = await savedAdapter(adapter, {
      ...{ model: config, first: adapter.tensors },
      runtime: async () => runtime,
    });
    writeAdapter(output, `${name}/adapter`, told, { base: { name: base, revision: null, shape: config } });
    if (virtualTokensOf(own) > 0) return logits;
    const plan = knownMerge(readAdapter(host, join(folder, name, 'adapter')), config, weights);
    const tensors = mergedTensors(weights, { dtype: 'f32', plan });
    output.write(`${name}/merged/model.safetensors`, safetensorsChunks(tensors));
    const { untied } = plan;
    const classes = labels && classifierFields(decoder.options.config, 2);
    output.write(
      `${name}/merged/config.json`,
      mergedConfig(model.configJson(), 'f32', { untied, ...(classes && { classes }) }),
    );
    expect(openModel(host, join(folder, name, 'merged')).config.labels).to.deep.equal(labels);
    return logits;
  }

  for (const [index, name] of names.entries())
    it(`${name}: the logits are ours (1e-5 of the largest)`, () => {
      const expected = ours[index] ?? new Float32Array(0);
      const largest = Math.max(...expected.map(Math.abs));
      for (const logits of theirs[index] ?? [[]])
        expected.forEach((value, at) => {
          expect(Math.abs(value - (logits[at] ?? Number.NaN)) / largest).to.be.below(1e-5);
        });
    });
});
