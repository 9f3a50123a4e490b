import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openModel } from '../../../../src/compute/models/load.js';
import type { ReleaseManifest } from '../../../../src/compute/packaging/manifest.js';
import { nodeDisk } from '../../../../src/language/host/node-disk.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { readCanary } from '../../../../src/pipeline/deploy/canary.js';
import { openAnswerer } from '../../../../src/pipeline/deploy/open-answerer.js';
import { listReleases, verifyRelease } from '../../../../src/pipeline/deploy/releases.js';
import { run } from '../../../../src/pipeline/stages/deploy/run.js';
import type { Artefact } from '../../../../src/pipeline/stages/stage.js';
import {
  artefact,
  baseCall,
  contextOf,
  formatted,
  scratch,
  stageOf,
  tiny,
  trained,
} from '../../../compute/evaluation/tiny.js';

const ANSWERS = {
  count: 3,
  tokens: { mean: 4, median: 3, p95: 8, most: 9 },
  repetition: 0.25,
  refusals: 0,
};

describe('the deploy stage', () => {
  const place = scratch();
  after(() => place.remove());
  let count = 0;

  const merged = (
    folder: string,
    adapter: unknown = { stage: 'adapter', port: 'best' },
    parts?: Readonly<Record<string, string>>,
  ): Artefact => {
    const path = join(folder, 'fused');
    mkdirSync(path, { recursive: true });
    cpSync(join(tiny, 'base'), join(path, 'model'), { recursive: true });
    cpSync(join(tiny, 'merged'), join(path, 'model'), { recursive: true });
    if (parts !== undefined) {
      const record = { ...{ version: 1, kind: 'merge', key: 'k', parts, files: {} }, seconds: 1 };
      const result = { outputs: {}, metrics: {} };
      writeFileSync(join(path, 'stage.json'), JSON.stringify({ ...record, result, peakMemoryBytes: 1 }));
    }
    const settings = { base: baseCall, adapter, dtype: 'f32' };
    return artefact(stageOf('merge', 'fused', settings), path, {
      outputs: { model: 'model' },
      metrics: { logit_difference: 1e-6 },
    });
  };
  const evaluated = (folder: string) => {
    const path = join(folder, 'quality');
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'report.json'), JSON.stringify({ version: 1, answers: ANSWERS }));
    return artefact(stageOf('eval', 'quality', { model: { stage: 'adapter', port: 'best' } }), path, {
      outputs: { report: 'report.json' },
      metrics: { perplexity: 3 },
      baseline: { perplexity: 5 },
    });
  };

  const deploy = async (
    settings: Readonly<Record<string, unknown>> = {},
    options: {
      folder?: string;
      method?: 'lora' | 'qlora';
      merge?: (folder: string) => Artefact;
    } = {},
  ) => {
    count++;
    const folder = options.folder ?? join(place.path, `deploy-${count}`);
    const tokenizer = await openModel(nodeHost(), join(tiny, 'base')).tokenizer();
    const inputs = [
      formatted(folder, tokenizer, [{ prompt: 'Q', answer: 'A' }]),
      trained(folder, options.method),
      options.merge?.(folder) ?? merged(folder),
      evaluated(folder),
    ];
    const stage = stageOf('deploy', 'local', {
      model: { stage: 'fused', port: '' },
      when: { stage: 'quality', port: 'passed' },
      target: { call: 'directory', args: { path: 'releases/tiny' } },
      smoke: 'Is MIT free?',
      ...settings,
    });
    const context = contextOf(stage, inputs, folder);
    const result = await run(context);
    const release = result.outputs['release'] ?? '';
    const manifest = JSON.parse(readFileSync(join(release, 'manifest.json'), 'utf8')) as ReleaseManifest;
    return { result, release, manifest, folder, releases: join(folder, 'releases', 'tiny') };
  };

  it('publishes a merged model with all that it came from', async () => {
    const { result, release, manifest, releases } = await deploy();
    expect(result.metrics).to.deep.equal({ release: 1 });
    expect(release).to.equal(join(releases, '0001'));
    expect(manifest.kind).to.equal('model');
    expect(manifest.base.label).to.equal(join(tiny, 'base'));
    expect(Object.keys(manifest.base.files)).to.include('model.safetensors');
    expect(manifest.adapter).to.include({ stage: 'adapter' });
    expect(manifest.data.map(({ stage }) => stage)).to.deep.equal(['rows']);
    expect(manifest.stages.map(({ stage }) => stage)).to.deep.equal(['adapter', 'fused', 'quality']);
    expect(manifest.settings).to.have.all.keys('rows', 'adapter', 'fused', 'quality', 'local');
    expect(manifest.metrics['quality']).to.deep.equal({ perplexity: 3 });
    expect(manifest.baseline).to.deep.equal({ quality: { perplexity: 5 } });
    // the adapter that was merged into it was evaluated
    expect(manifest.answers).to.deep.equal({ quality: ANSWERS });
    expect(manifest.smoke?.prompt).to.equal('Is MIT free?');
    expect(manifest.smoke?.answer).not.to.equal('');
    expect(manifest.ftpc).to.match(/^\d+\.\d+\.\d+/);
    expect(verifyRelease({ host: nodeHost(), disk: nodeDisk() }, releases, 1).holds).to.equal(true);
  });

  it('names the folder of an adapter that no stage trained, by the files that were merged', async () => {
    const parts = {
      'settings.adapter': 'peft',
      'file:adapters/legal/adapter_model.safetensors': 'bb',
      'file:adapters/legal/adapter_config.json': 'aa',
      'file:base/adapter_config.json': 'cc',
    };
    const named = { call: 'peft', args: { folder: 'adapters/legal' } };
    const { manifest } = await deploy({}, { merge: (folder) => merged(folder, named, parts) });
    const printed = 'aa  adapter_config.json\nbb  adapter_model.safetensors\n';
    expect(manifest.adapter).to.deep.equal({
      folder: 'adapters/legal',
      sha256: createHash('sha256').update(printed).digest('hex'),
    });
    // what was evaluated is the adapter of a training
    expect(manifest).not.to.have.property('answers');
  });

  it('is a canary where a release is current, and says so where none is', async () => {
    const first = await deploy({ canary: 0.1 });
    expect(readCanary({ host: nodeHost(), disk: nodeDisk() }, first.releases)).to.equal(undefined);
    const adapter = { model: { stage: 'adapter', port: 'best' } };
    const second = await deploy({ ...adapter, canary: 0.1 }, { folder: first.folder });
    expect(readCanary({ host: nodeHost(), disk: nodeDisk() }, first.releases)).to.include({
      release: 2,
      share: 0.1,
    });
    const share = second.result.outputs['share'] ?? '';
    expect(existsSync(share)).to.equal(true);
    await deploy({ ...adapter, canary: 0.2 }, { folder: first.folder });
    expect(existsSync(share)).to.equal(false);
  });

  it('is the same release however often it is deployed', async () => {
    const first = await deploy();
    const second = await deploy({}, { folder: first.folder });
    expect(second.release).to.equal(first.release);
    expect(second.manifest).to.deep.equal(first.manifest);
    expect(listReleases({ host: nodeHost(), disk: nodeDisk() }, first.releases)).to.have.length(1);
  });

  it('publishes an adapter that answers over its base, in the form in which it was trained', async () => {
    const adapter = { model: { stage: 'adapter', port: 'best' } };
    const plain = await deploy(adapter);
    const quantised = await deploy(adapter, { method: 'qlora' });
    expect(plain.manifest).to.include({ kind: 'adapter' });
    expect(existsSync(join(plain.release, 'model.safetensors'))).to.equal(false);
    expect(plain.manifest.base.storage).to.equal('stored');
    expect(quantised.manifest.base.storage).to.equal('nf4');
    // The release itself, without being told of its base, answers what it answered when it was published.
    for (const { releases, manifest } of [plain, quantised]) {
      const model = await openAnswerer(nodeHost(), { folder: releases, threads: 1 });
      const { text } = await model.answer([{ role: 'user', content: 'Is MIT free?' }], { maxTokens: 48 });
      await model.release();
      expect(text).to.equal(manifest.smoke?.answer);
    }
    const { text } = await answerOnce({ folder: plain.release, base: join(tiny, 'base') });
    expect(text).to.equal(plain.manifest.smoke?.answer);
  });

  const answerOnce = async (options: { folder: string; base?: string }) => {
    const model = await openAnswerer(nodeHost(), { ...options, threads: 1 });
    try {
      return await model.answer([{ role: 'user', content: 'Is MIT free?' }], { maxTokens: 48 });
    } finally {
      await model.release();
    }
  };

  it('has the adapter as llama.cpp reads it, and says how servers are started', async () => {
    const { release, manifest } = await deploy({ model: { stage: 'adapter', port: 'best' } });
    const names = Object.keys(manifest.files).filter((name) => name.startsWith('serve/'));
    expect(names).to.include.members(['serve/README.md', 'serve/adapter.gguf', 'serve/llama-server.sh']);
    expect(readFileSync(join(release, 'serve/adapter.gguf')).subarray(0, 4).toString()).to.equal('GGUF');
    expect(readFileSync(join(release, 'serve/llama-server.sh'), 'utf8')).to.contain(
      '--lora serve/adapter.gguf',
    );
  });

  it('moves with its base: a base below the working directory is named relative to the release', async () => {
    const folder = join(place.path, 'moving');
    cpSync(join(tiny, 'base'), join(folder, 'models', 'base'), { recursive: true });
    count++;
    const train = trained(folder);
    const local = { call: 'local', args: { folder: 'models/base' } };
    const moved = { ...train, stage: { ...train.stage, settings: { base: local } } };
    const stage = stageOf('deploy', 'local', {
      model: { stage: 'adapter', port: 'best' },
      target: { call: 'directory', args: { path: 'releases' } },
    });
    const { outputs } = await run(contextOf(stage, [moved], folder));
    const before = await answerOnce({ folder: outputs['release'] ?? '' });
    const elsewhere = join(place.path, 'elsewhere');
    cpSync(folder, elsewhere, { recursive: true, verbatimSymlinks: true });
    rmSync(folder, { recursive: true });
    const after = await answerOnce({ folder: join(elsewhere, 'releases') });
    expect(after).to.deep.equal(before);
  });

  it('does not make a model current that can’t be loaded', async () => {
    const folder = join(place.path, 'broken');
    await deploy({}, { folder });
    const path = join(folder, 'broken-model');
    cpSync(join(tiny, 'base'), join(path, 'model'), { recursive: true });
    rmSync(join(path, 'model', 'model.safetensors'));
    const broken = artefact(stageOf('merge', 'fused', { base: baseCall }), path, {
      outputs: { model: 'model' },
    });
    const stage = stageOf('deploy', 'local', {
      model: { stage: 'fused', port: '' },
      target: { call: 'directory', args: { path: 'releases/tiny' } },
    });
    let caught: unknown;
    await run(contextOf(stage, [broken], folder)).catch((error: unknown) => {
      caught = error;
    });
    expect(caught).to.be.instanceOf(Error);
    const releases = listReleases({ host: nodeHost(), disk: nodeDisk() }, join(folder, 'releases', 'tiny'));
    expect(releases.map(({ number, current }) => [number, current])).to.deep.equal([[1, true]]);
  });
});
