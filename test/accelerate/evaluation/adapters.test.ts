/** What a worker makes of every kind of adapter, next to a decoder of this process; and how its end is seen. */
import { join } from 'node:path';
import { expect } from 'chai';
import { modelSpec } from '../../../src/compute/accelerate/model-spec.js';
import { startWorker } from '../../../src/compute/accelerate/worker.js';
import { evaluationDecoder } from '../../../src/compute/evaluation/evaluation-decoder.js';
import { decoderModel, type LanguageModel } from '../../../src/compute/evaluation/language-model.js';
import type { AdapterConfig } from '../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../src/compute/models/adapters/kinds.js';
import { labelsOf } from '../../../src/compute/models/adapters/whole.js';
import { openModel } from '../../../src/compute/models/load.js';
import { fillNormal } from '../../../src/compute/models/philox.js';
import type { Adapter } from '../../../src/compute/models/types.js';
import { writeAdapter } from '../../../src/compute/packaging/adapters.js';
import { UserError } from '../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { expected, plainOutput, scratch, tiny } from '../../compute/evaluation/tiny.js';
import { openHere } from '../../compute/tensor/runtimes/here.js';
import { tokenRows } from '../../compute/training/fixture.js';
import { ranks, withPython } from '../python.js';
import { suiteWorker } from '../suite-worker.js';

const LABELS = ['a', 'b', 'c'];
const LORA = { kind: 'lora', rank: 2, alpha: 4, dropout: 0, targets: ['q_proj', 'down_proj'] } as const;
const KINDS: Readonly<Record<string, AdapterConfig>> = {
  prompt: { kind: 'prompt', tokens: 5 },
  prefix: { kind: 'prefix', tokens: 5 },
  'lora and a whole embedding': { ...LORA, modulesToSave: ['embed_tokens'] },
  'lora over embedding and head': { ...LORA, targets: ['q_proj', 'embed_tokens', 'lm_head'] },
  'a head over labels': { kind: 'head', labels: LABELS },
  'lora and a head over labels': { ...LORA, labels: LABELS },
};

withPython('adapters in a Python process', () => {
  const host = nodeHost();
  const place = scratch();
  const base = join(tiny, 'base');
  const model = openModel(host, base);
  const worker = suiteWorker(host);
  after(() => place.remove());

  /** Every value moved, so that each tensor has an effect. */
  const moved = (config: AdapterConfig): Adapter => {
    const { tensors } = initAdapter(model.config, config, { seed: 1, weights: model.loadWeights('stored') });
    const change = (name: string, data: Float32Array): Float32Array => {
      const noise = new Float32Array(data.length);
      fillNormal(noise, 2, name, 0.1);
      return data.map((value, at) => value + (noise[at] ?? 0));
    };
    return {
      config,
      tensors: new Map(
        [...tensors].map(([name, { shape, data }]) => [name, { shape, data: change(name, data) }]),
      ),
    };
  };

  const both = async (name: string, config: AdapterConfig): Promise<readonly LanguageModel[]> => {
    const adapter = moved(config);
    const folder = join(place.path, name.replaceAll(' ', '-'));
    writeAdapter(plainOutput(folder), '.', adapter, {
      base: { name: base, revision: null, transposed: false, shape: model.config },
    });
    const labels = labelsOf(config);
    const spec = modelSpec(host, base, {
      ...{ storage: 'stored', dtype: 'float32', attention: 'sdpa' },
      ...(labels && { labels }),
    });
    const facts = { ...model.config, ...(labels && { labels }) };
    const weights = model.loadWeights('stored');
    const runtime = await openHere('onnx');
    const decoder = await evaluationDecoder({ runtime, config: model.config, weights, adapter });
    return [decoderModel(decoder), await worker.open({ label: name, spec, adapter: folder, facts })];
  };

  const rows = tokenRows(
    expected.ids.map((ids) => ({ ids: [...ids], labels: ids.map((id, at) => (at === 0 ? -100 : id)) })),
  );
  const labelled = tokenRows(
    expected.ids.map((ids) => ({
      ids: [...ids],
      labels: ids.map((_, at) => (at < ids.length - 1 ? -100 : 1)),
    })),
  );
  const near = (found: ArrayLike<number>, wanted: ArrayLike<number>): void => {
    expect(found.length).to.equal(wanted.length);
    for (const [at, value] of Array.from(wanted).entries())
      expect(found[at]).to.be.closeTo(value, 1e-4 * Math.max(1, Math.abs(value)));
  };

  for (const [name, config] of Object.entries(KINDS))
    it(`${name}: as a decoder of this process`, async () => {
      const [own, other] = await both(name, config);
      if (own === undefined || other === undefined) return expect.fail('no model');
      if (labelsOf(config) === undefined) {
        const losses = async (of: LanguageModel) =>
          (await of.losses(rows, { padId: 0 })).flatMap(({ sum, tokens }) => [sum, tokens]);
        near(await losses(other), await losses(own));
        const prompts = expected.ids.map((ids) => Int32Array.from(ids));
        const answers = async (of: LanguageModel) =>
          (await of.generate(prompts, { maxTokens: 6, stopIds: [] })).map(({ ids }) => ids);
        expect(await answers(other)).to.deep.equal(await answers(own));
        near(await other.logits(Int32Array.of(5, 6, 7)), await own.logits(Int32Array.of(5, 6, 7)));
      } else {
        const logits = async (of: LanguageModel) => {
          const found: number[][] = [];
          await of.classify(labelled, { padId: 0 }, (row, values) => {
            found[row] = [...values];
          });
          return found.flat();
        };
        near(await logits(other), await logits(own));
      }
      await own.release();
    });

  it('gives a base its biases back when the adapter that trained them is taken off', async () => {
    const own = join(host.packageFolder, 'test', 'fixtures', 'classification', 'gpt2');
    const gpt2 = openModel(host, own);
    const config: AdapterConfig = { ...LORA, targets: ['c_attn'], bias: 'all' };
    const weights = gpt2.loadWeights('stored');
    const { tensors } = initAdapter(gpt2.config, config, { seed: 1, weights });
    for (const [name, { data }] of tensors) fillNormal(data, 2, name, 0.1);
    const folder = join(place.path, 'biases');
    writeAdapter(
      plainOutput(folder),
      '.',
      { config, tensors },
      {
        base: { name: own, revision: null, transposed: true, shape: gpt2.config },
      },
    );
    const spec = modelSpec(host, own, { storage: 'stored', dtype: 'float32', attention: 'sdpa' });
    const ids = Int32Array.of(5, 6, 7, 8);
    const logits = async (adapter?: string): Promise<Float32Array> => {
      const opened = await worker.open({
        label: 'gpt2',
        spec,
        facts: gpt2.config,
        ...(adapter && { adapter }),
      });
      return opened.logits(ids);
    };
    const before = await logits();
    const runtime = await openHere('onnx');
    const decoder = await evaluationDecoder({
      runtime,
      config: gpt2.config,
      weights,
      adapter: { config, tensors },
    });
    const here = decoderModel(decoder);
    near(await logits(folder), await here.logits(ids));
    await here.release();
    expect(await logits()).to.deep.equal(before);
  });

  it('gives a base its embedding and head back when an adapter that replaced them is taken off', async () => {
    const spec = modelSpec(host, base, { storage: 'stored', dtype: 'float32', attention: 'sdpa' });
    const alone = async (): Promise<Float32Array> =>
      (await worker.open({ label: 'tiny', spec, facts: model.config })).logits(Int32Array.of(5, 6, 7));
    const before = await alone();
    const [own, other] = await both('whole', { ...LORA, modulesToSave: ['embed_tokens', 'lm_head'] });
    const found = await other?.logits(Int32Array.of(5, 6, 7));
    expect(found).not.to.deep.equal(before);
    near(found ?? [], (await own?.logits(Int32Array.of(5, 6, 7))) ?? []);
    expect(await alone()).to.deep.equal(before);
    await own?.release();
  });

  const ended = async (signal: NodeJS.Signals): Promise<UserError> => {
    const env = (name: string) => (name === 'FTPC_RANK_SILENCE' ? '30' : host.env(name));
    const own = startWorker({ ...host, env }, { engine: ranks(1), threads: 1 });
    const spec = modelSpec(host, base, { storage: 'stored', dtype: 'float32', attention: 'sdpa' });
    const opened = await own.open({ label: 'tiny', spec, facts: model.config });
    const { pid = 0 } = own;
    const asked = opened.losses(rows, { padId: 0 });
    process.kill(pid, signal);
    const error: unknown = await asked.catch((reason: unknown) => reason);
    await own.close();
    expect(() => process.kill(pid, 0)).to.throw('ESRCH');
    return error instanceof UserError ? error : expect.fail(`no diagnostic: ${String(error)}`);
  };

  it('says that it was killed', async () => {
    expect((await ended('SIGKILL')).diagnostic.code).to.equal('FTP1870');
  });

  it('is ended where it hangs', async () => {
    expect((await ended('SIGSTOP')).diagnostic.code).to.equal('FTP1871');
  });
});
