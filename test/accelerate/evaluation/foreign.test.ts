import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { modelSpec } from '../../../src/compute/accelerate/model-spec.js';
import { openAnyModel } from '../../../src/compute/models/any-model.js';
import { openTensorSource } from '../../../src/compute/models/safetensors/read.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { run } from '../../../src/pipeline/stages/merge/run.js';
import { artefact, contextOf, scratch, stageOf, tiny } from '../../compute/evaluation/tiny.js';
import { PYTHON, ranks, withPython } from '../python.js';
import { suiteWorker } from '../suite-worker.js';

interface Expected {
  readonly prompts: readonly (readonly number[])[];
  readonly models: Readonly<
    Record<
      string,
      { readonly base: readonly number[][]; readonly tuned: readonly number[][]; readonly loss: number }
    >
  >;
}

/** Of architectures that the embedded engine has no graph for; and one, with an embedding trained whole, that it has. */
// PEFT adapts experts and routers, too, where all linear layers of `qwen3_moe` are asked for
const NAMES = ['mixtral', 'qwen3_moe', 'olmo2', 'falcon', 'gemma3_text', 'gpt_oss', 'mistral3'] as const;

withPython('models of architectures that only transformers knows', () => {
  const place = scratch();
  const host = nodeHost();
  let expected: Expected;
  const worker = suiteWorker(host);

  before(() => {
    const script = join(host.packageFolder, 'test', 'accelerate', 'evaluation', 'make_models.py');
    execFileSync(PYTHON ?? '', [script, place.path, join(tiny, 'base')], { stdio: 'pipe' });
    expected = JSON.parse(readFileSync(join(place.path, 'expected.json'), 'utf8')) as Expected;
  });
  after(() => place.remove());

  const opened = (name: string, adapter: boolean) => {
    const base = join(place.path, name, 'base');
    const { facts } = openAnyModel(host, base);
    const spec = modelSpec(host, base, { storage: 'stored', dtype: 'float32', attention: 'sdpa' });
    const over = adapter ? { adapter: join(place.path, name, 'adapter') } : {};
    return worker.open({ label: name, spec, facts, ...over });
  };

  for (const name of NAMES)
    it(`${name}: answers and losses are those of transformers and PEFT`, async () => {
      const { base, tuned, loss } = expected.models[name] ?? { base: [], tuned: [], loss: 0 };
      const prompts = expected.prompts.map((ids) => Int32Array.from(ids));
      const options = { maxTokens: 8, stopIds: [258] };
      const plain = await opened(name, false);
      expect((await plain.generate(prompts, options)).map(({ ids }) => ids)).to.deep.equal(base);
      const [first = new Int32Array(0)] = prompts;
      const labels = Int32Array.from(first, (id, at) => (at === 0 ? -100 : id));
      const rows = { count: 1, lengthOf: () => first.length, read: () => ({ ids: first, labels }) };
      const [found] = await plain.losses(rows, { padId: 257 });
      expect((found?.sum ?? 0) / (found?.tokens ?? 1)).to.be.closeTo(loss, 1e-5 * loss);
      const adapted = await opened(name, true);
      expect((await adapted.generate(prompts, options)).map(({ ids }) => ids)).to.deep.equal(tuned);
    });

  /** Every tensor of two folders is alike. */
  const expectTensors = (ours: string, reference: string): void => {
    const [own, theirs] = [ours, reference].map((at) => openTensorSource(host, at));
    expect([...(own?.keys() ?? [])].sort()).to.deep.equal([...(theirs?.keys() ?? [])].sort());
    for (const [tensor, { entry, file }] of theirs ?? []) {
      const found = own?.get(tensor);
      const values = (from: typeof file, at: typeof entry) => new Float32Array(from.read(at).slice().buffer);
      const wanted = values(file, entry);
      const merged = found && values(found.file, found.entry);
      const most = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      const off = wanted.reduce(
        (worst, value, i) => Math.max(worst, Math.abs(value - (merged?.[i] ?? 0))),
        0,
      );
      expect(off, tensor).to.be.at.most(1e-6 * Math.max(1, most));
    }
  };

  /** The adapter in `port`, as that of a training or by its folder. */
  const merge = async (name: string, port = 'adapter', dtype = 'f32', isNamed = false) => {
    const base = { call: 'local', args: { folder: join(place.path, name, 'base') } };
    const trainer = stageOf('train', 'adapter', { base, dataset: { stage: 'rows', port: 'train' } });
    const input = artefact(trainer, join(place.path, name), { outputs: { [port]: port } });
    const adapter = isNamed
      ? { call: 'peft', args: { folder: join(place.path, name, port) } }
      : { stage: 'adapter', port };
    const stage = stageOf('merge', 'merged', { base, adapter, dtype });
    const context = contextOf(
      stage,
      isNamed ? [] : [input],
      join(place.path, `merge-${name}-${port}-${dtype}`),
      {
        engine: ranks(1),
      },
    );
    return { result: await run(context), folder: join(context.output.path, 'model') };
  };

  for (const name of NAMES)
    it(`${name}: the merge of its adapter's folder is PEFT's, and proves itself`, async () => {
      const { result, folder } = await merge(name, 'adapter', 'f32', true);
      expectTensors(folder, join(place.path, name, 'merged'));
      expect(result.metrics['logit_difference']).to.be.at.most(1e-4);
    });

  it('proves a merge with the experts that base and adapter chose: rounding makes routers choose others', async () => {
    const { result } = await merge('mixtral', 'adapter', 'bf16');
    expect(result.metrics['logit_difference']).to.be.greaterThan(0);
  });

  it('asks the experts that were noted, whatever weights there are by then', async () => {
    const ids = Int32Array.from(Buffer.from('Permission is hereby granted'));
    const asked = await opened('qwen3_moe', false);
    const own = await asked.logits(ids, 'noted');
    expect(await asked.logits(ids, 'repeated')).to.deep.equal(own);
    const adapted = await opened('qwen3_moe', true);
    const alone = await adapted.logits(ids);
    expect(await adapted.logits(ids, 'repeated')).to.not.deep.equal(alone);
    expect(await adapted.logits(ids)).to.deep.equal(alone);
  });

  it('names tensors of a base that have other shapes than its config says', async () => {
    const folder = join(place.path, 'misshapen');
    cpSync(join(place.path, 'olmo2', 'base'), folder, { recursive: true });
    const config = readFileSync(join(folder, 'config.json'), 'utf8');
    writeFileSync(join(folder, 'config.json'), config.replace(/("intermediate_size": )\d+/, '$140'));
    const spec = modelSpec(host, folder, { storage: 'stored', dtype: 'float32', attention: 'sdpa' });
    const { facts } = openAnyModel(host, join(place.path, 'olmo2', 'base'));
    const refused = await worker.open({ label: 'misshapen', spec, facts }).catch((error: unknown) => error);
    if (!(refused instanceof UserError)) return expect.fail(`it is opened, or fails otherwise: ${refused}`);
    expect(refused.diagnostic.code).to.equal('FTP1874');
    expect(refused.message).to.include(
      'model.layers.0.mlp.down_proj.weight has the shape [32, 48] instead of [32, 40]',
    );
  });

  it('merges a head over labels as PEFT does', async () => {
    const { result, folder } = await merge('mixtral', 'classifier');
    expectTensors(folder, join(place.path, 'mixtral', 'merged-classifier'));
    expect(result.metrics['logit_difference']).to.be.at.most(1e-4);
    expect(openAnyModel(host, folder).facts.labels).to.deep.equal(['praise', 'blame', 'neither']);
  });
});
