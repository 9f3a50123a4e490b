import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openModel } from '../../../../src/compute/models/load.js';
import { openSafetensors } from '../../../../src/compute/models/safetensors/read.js';
import { readAdapter } from '../../../../src/compute/packaging/adapters.js';
import { UserError } from '../../../../src/language/diagnostics/types.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { StageEvent } from '../../../../src/language/ir/events.js';
import type { StageResult } from '../../../../src/language/ir/outputs.js';
import { run } from '../../../../src/pipeline/stages/train/run.js';
import type { TrainPlan } from '../../../../src/pipeline/stages/train-plan/plan.js';
import { fixturePath as modelPath } from '../../../compute/models/fixtures.js';
import { fixturePath } from '../../../compute/training/fixture.js';
import { CHOSEN, fixtureRows, type WorldOptions, world, writeFormat } from './world.js';

const host = nodeHost();

describe('the train stage', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ftpc-train-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  interface Done {
    readonly result: StageResult;
    readonly events: readonly StageEvent[];
    path(output: string): string;
    json(name: string): Readonly<Record<string, unknown>>;
  }

  async function trained(options: Omit<WorldOptions, 'folder'> = {}): Promise<Done> {
    const events: StageEvent[] = [];
    const context = world({ folder, ...options, emit: (event) => events.push(event) });
    const result = await run(context);
    const path = (output: string): string => join(context.output.path, output);
    return { result, events, path, json: (name) => JSON.parse(readFileSync(path(name), 'utf8')) };
  }

  /** Runs in a folder of its own, is stopped in step 6, and runs again from the checkpoint. */
  async function resumedAtStep6(
    options: Pick<WorldOptions, 'settings' | 'chosen'>,
  ): Promise<ReturnType<typeof world>> {
    const other = { ...options, folder: join(folder, 'other') };
    const controller = new AbortController();
    const stopped = world({
      ...other,
      signal: controller.signal,
      emit: (event) =>
        event.type === 'stage.progress' && event.step === 6 && controller.abort(new Error('stop')),
    });
    await run(stopped).then(
      () => expect.fail('it was not stopped'),
      (error: Error) => expect(error.message).to.equal('stop'),
    );
    const resumed = world({ ...other, output: 'again' });
    await run(resumed);
    return resumed;
  }

  const notes = ({ events }: Done): string =>
    events.flatMap((event) => (event.type === 'note' ? [event.text] : [])).join('\n');

  it('writes the best and the last adapter, curves, coverage and metrics', async () => {
    const done = await trained();
    expect(done.result.outputs).to.deep.equal({
      best: 'adapter/best',
      last: 'adapter/last',
      adapter: 'adapter/best',
      report: 'report.json',
    });
    const { steps, loss, valid_loss: valid, tokens_per_second: speed } = done.result.metrics;
    expect([steps, loss, valid, speed].every((value) => (value ?? 0) > 0)).to.equal(true);
    expect(steps).to.equal(12);
    for (const name of ['adapter/best', 'adapter/last']) {
      const adapter = readAdapter(host, done.path(name));
      expect(adapter.config).to.deep.include({ rank: 4, alpha: 8, dropout: 0.1 });
      expect(adapter.tensors.size).to.equal(2 * 7 * 2);
    }
    const lines = readFileSync(done.path('metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ type }) => type === 'step').map(({ step }) => step)).to.deep.equal(
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
    expect(lines.filter(({ type }) => type === 'validation').map(({ step }) => step)).to.deep.equal([
      4, 8, 12,
    ]);
    expect(Object.keys(lines[0])).to.include.members([
      'epoch',
      'loss',
      'learningRate',
      'gradNorm',
      'tokensPerSecond',
    ]);
    expect(done.json('coverage.json')).to.deep.include({ trainable: 6656, all: 60224, frozen: [] });
    expect(notes(done)).to.contain('trainable params: 6,656 || all params: 60,224 || trainable%: 11.0521');
    expect(done.json('training.json')).to.deep.include({
      method: 'lora',
      base: fixturePath('base'),
      steps: 12,
    });
    const progress = done.events.filter((event) => event.type === 'stage.progress');
    expect(progress[2]).to.deep.include({ done: 3, total: 12, unit: 'steps', step: 3 });
  });

  it('gives the same bytes again, and others for another seed', async () => {
    const bytesOf = async (output: string, seed: number, key: string): Promise<string> => {
      const done = await trained({ output, key, settings: { seed } });
      return readFileSync(done.path('adapter/last/adapter_model.safetensors'), 'base64');
    };
    const first = await bytesOf('a', 17, 'a');
    expect(await bytesOf('b', 17, 'b')).to.equal(first);
    expect(await bytesOf('c', 18, 'c')).to.not.equal(first);
  });

  it('trains the adapter over a base in four bits', async () => {
    const done = await trained({ chosen: { method: 'qlora' } });
    expect(done.json('training.json')).to.deep.include({ method: 'qlora' });
    expect(done.result.metrics['loss']).to.be.within(3, 4.5);
  });

  /** That it trains to the same bytes either way. */
  async function trainsAlike(
    ways: readonly [Partial<TrainPlan>, Partial<TrainPlan>],
    settings: WorldOptions['settings'] = {},
  ): Promise<void> {
    const [held, others] = [
      await trained({ key: 'held', output: 'held', chosen: ways[0], settings }),
      await trained({ key: 'other', output: 'other', chosen: ways[1], settings }),
    ];
    for (const output of ['adapter/best', 'adapter/last'])
      for (const file of ['adapter_model.safetensors', 'adapter_config.json'])
        expect(readFileSync(join(others.path(output), file)), `${output}/${file}`).to.deep.equal(
          readFileSync(join(held.path(output), file)),
        );
  }

  for (const [how, chosen, other] of [
    ['that stays in its files', {}, { pagedWeights: true }],
    ['that is decoded once', {}, { materialised: true }],
    ['in 4 bits that is decoded once', { method: 'qlora' }, { method: 'qlora', materialised: true }],
  ] as const)
    it(`trains over a base ${how}, with the same bytes`, () => trainsAlike([chosen, other]));

  // Blocks of every kind but Q4_K to Q6_K, rotated rows, transposed matrices, fused ones
  for (const family of ['llama', 'gemma3', 'gpt2', 'gptneox'])
    for (const method of ['lora', 'qlora'] as const)
      it(`trains ${method} over a GGUF file of ${family} that is decoded once, with the same bytes`, () => {
        const file = modelPath(`gguf/families/${family}.gguf`);
        const base = { call: 'gguf', args: { file } };
        return trainsAlike([{ method }, { method, materialised: true }], { base, stop: { steps: 4 } });
      });

  it('writes whole models under full, with the files of the base', async () => {
    const base = join(folder, 'base');
    cpSync(fixturePath('base'), base, { recursive: true });
    writeFileSync(join(base, 'tokenizer.json'), '{}');
    const settings = { base: { call: 'local', args: { folder: 'base' } } };
    const done = await trained({ chosen: { method: 'full' }, settings });
    expect(done.result.outputs).to.deep.include({
      best: 'model/best',
      last: 'model/last',
      model: 'model/best',
    });
    expect(readFileSync(done.path('model/last/tokenizer.json'), 'utf8')).to.equal('{}');
    expect(done.json('model/last/config.json')).to.include({ hidden_size: 64, torch_dtype: 'float32' });
    const model = openModel(host, done.path('model/last'));
    const name = 'model.layers.0.mlp.up_proj.weight';
    const before = openModel(host, base).loadWeights('f32').get(name).view();
    expect(model.loadWeights('f32').get(name).view()).to.not.deep.equal(before);
    expect(done.json('coverage.json')).to.deep.include({ trainable: 53568, all: 53568 });
  });

  it('trains a base with fresh weights', async () => {
    const base = { call: 'untrained', args: { folder: fixturePath('base'), seed: 5 } };
    for (const method of ['full', 'qlora'] as const) {
      const done = await trained({ key: method, output: method, chosen: { method }, settings: { base } });
      // Fresh weights know nothing: the loss starts at the logarithm of the vocabulary.
      const [first] = done.events.flatMap((event) =>
        event.type === 'stage.progress' ? [event.loss ?? 0] : [],
      );
      expect(first).to.be.closeTo(Math.log(64), 0.1);
    }
  });

  it('leaves rows out that are too long, and names them', async () => {
    const done = await trained({ chosen: { maxLength: 30 } });
    const long = fixtureRows().flatMap(({ ids }, row) => (ids.length > 30 ? [row + 1] : []));
    const report = done.json('report.json') as { dropped: { line: number; reason: string; file: string }[] };
    expect(report.dropped.map(({ line }) => line)).to.deep.equal(long);
    expect(report.dropped[0]).to.include({ file: 'rows.jsonl', reason: 'too_long' });
    expect(report).to.deep.include({ rows: 22, kept: 22 - long.length, counts: { too_long: long.length } });
    expect(done.result.dropped).to.deep.equal({ too_long: long.length });
    expect(notes(done)).to.contain(`${long.length} of 22 rows are too long`);
  });

  it('says so where no row is short enough', async () => {
    const error = await trained({ chosen: { maxLength: 3 } }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(UserError);
    expect((error as UserError).message).to.contain('all 22 rows of `train` are longer than 3 tokens');
  });

  it('names the row whose token the base does not know', async () => {
    const context = world({ folder });
    const rows = fixtureRows().map((row, index) =>
      index === 6 ? { ...row, ids: row.ids.map(() => 64) } : row,
    );
    writeFormat(join(folder, 'format'), { train: rows, valid: rows.slice(0, 2) });
    const error = await run(context).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(UserError);
    const { message, at } = (error as UserError).diagnostic;
    expect(message).to.contain('token 64').and.to.contain('has only 64 tokens');
    expect(at).to.deep.equal({ file: 'rows.jsonl', line: 7, column: 0 });
  });

  it('counts steps that were asked for alone past the default epochs', async () => {
    const settings = { stop: { epochs: 0.5, steps: 5 } };
    expect((await trained({ settings, key: 'a' })).result.metrics['steps']).to.equal(5);
    const origins = { 'stop.epochs': 'author' } as const;
    expect((await trained({ settings, origins, key: 'b' })).result.metrics['steps']).to.equal(3);
  });

  it('trains on the projections that are asked for', async () => {
    const done = await trained({
      settings: { lora: { rank: 4, alpha: 8, dropout: 0, targets: 'query_value' } },
    });
    const { tensors } = openSafetensors(host, done.path('adapter/last/adapter_model.safetensors'));
    expect([...tensors.keys()].every((name) => /q_proj|v_proj/.test(name))).to.equal(true);
    expect(tensors.size).to.equal(8);
    expect(notes(done))
      .to.match(/self_attn.q_proj +2 of 2 +4 +1,024\n/)
      .and.to.match(/k_proj +frozen\n/);
  });

  it('trains rsLoRA and DoRA in some layers, with ranks of their own, and goes on from the result', async () => {
    const lora = {
      rank: 4,
      alpha: 8,
      dropout: 0,
      targets: ['q_proj', 'mlp.up_proj', 'model.layers.0.self_attn.v_proj'],
      rslora: true,
      dora: true,
      layers: [1],
      rank_pattern: { up_proj: 2 },
    };
    const first = await trained({ output: 'first', settings: { lora } });
    const { config, tensors } = readAdapter(host, first.path('adapter/last'));
    expect(config).to.deep.include({ rslora: true, dora: true, layers: [1], rankPattern: { up_proj: 2 } });
    expect(tensors.get('model.layers.1.mlp.up_proj.lora_A.weight')?.shape).to.deep.equal([2, 64]);
    expect(first.json('coverage.json')['trained']).to.deep.equal([
      'model.layers.0.self_attn.v_proj',
      'model.layers.1.self_attn.q_proj',
      'model.layers.1.mlp.up_proj',
    ]);
    const second = await trained({
      output: 'second',
      key: 'second',
      settings: {
        start: { call: 'peft', args: { folder: first.path('adapter/last') } },
        optimizer: {
          call: 'adamw',
          args: { rate: 1e-9, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, clip: 1, loraplus_ratio: 1 },
        },
        stop: { epochs: 1, steps: 1 },
      },
    });
    const after = readAdapter(host, second.path('adapter/last'));
    expect({ ...after.config, targets: [] }).to.deep.equal({ ...config, targets: [] });
    for (const [name, { data }] of tensors) {
      const moved = after.tensors.get(name)?.data.map((value, index) => Math.abs(value - (data[index] ?? 0)));
      expect(Math.max(...(moved ?? [1]))).to.be.below(1e-7);
    }
    expect(second.json('coverage.json')['trained']).to.deep.equal(first.json('coverage.json')['trained']);
  });

  it('begins with the principal parts of the weights, and writes a plain adapter of twice the rank', async () => {
    const lora = { rank: 4, alpha: 8, dropout: 0, targets: 'all_linear', init: 'pissa' };
    for (const [key, rate, most] of [
      ['still', 1e-12, 1e-6],
      ['moved', 1e-2, Number.POSITIVE_INFINITY],
    ] as const) {
      const args = { rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, clip: 1, loraplus_ratio: 1 };
      const settings = { lora, optimizer: { call: 'adamw', args }, stop: { epochs: 1, steps: 3 } };
      const done = await trained({ key, output: key, settings });
      const { config, tensors } = readAdapter(host, done.path('adapter/last'));
      expect(config).to.include({ rank: 8, alpha: 16 }).and.not.to.have.property('pissa');
      expect(done.json('coverage.json')).to.include({ trainable: 6656 });
      const name = 'model.layers.1.mlp.down_proj';
      const [a, b] = ['lora_A', 'lora_B'].map((part) => tensors.get(`${name}.${part}.weight`)?.data);
      const update = Array.from({ length: 8 }, (_, k) => (a?.[k * 64] ?? 1) * (b?.[k] ?? 1));
      const sum = Math.abs(update.reduce((total, part) => total + part, 0));
      // the factors are far from 0, and what they began with is taken away again
      expect(Math.max(...update.map(Math.abs))).to.be.above(1e-3);
      if (key === 'still') expect(sum).to.be.below(most);
      else expect(sum).to.be.above(1e-5);
    }
  });

  it('trains embedding and head whole beside the adapter, as copies of their own', async () => {
    const lora = {
      rank: 4,
      alpha: 8,
      dropout: 0,
      targets: ['q_proj'],
      modules_to_save: ['embed_tokens', 'lm_head'],
    };
    const done = await trained({ settings: { lora } });
    const { config, tensors } = readAdapter(host, done.path('adapter/last'));
    expect(config).to.deep.include({ modulesToSave: ['embed_tokens', 'lm_head'] });
    const [embedding, head] = ['model.embed_tokens', 'lm_head'].map(
      (name) => tensors.get(`${name}.weight`)?.data,
    );
    const base = openModel(host, fixturePath('base'))
      .loadWeights('f32')
      .get('model.embed_tokens.weight')
      .view();
    expect(embedding).to.not.deep.equal(base);
    expect(head).to.not.deep.equal(base);
    expect(embedding).to.not.deep.equal(head);
    const trainable = 2 * 4 * (64 + 64) + 2 * 64 * 64;
    expect(done.json('coverage.json')).to.deep.include({ trainable, all: 53568 + trainable });
    expect(notes(done)).to.match(/lm_head +1 of 1 +4,096/);
  });

  it('trains a prompt, over a base in four bits too', async () => {
    for (const [method, init] of [
      ['lora', 'random'],
      ['qlora', 'vocabulary'],
    ] as const) {
      const settings = {
        prompt: { tokens: 3, init },
        lora: { rank: 16, alpha: 32, dropout: 0, targets: 'all_linear' },
      };
      const chosen = { method, rank: 0, alpha: 0 };
      const done = await trained({ key: method, output: method, settings, chosen });
      const { config, tensors } = readAdapter(host, done.path('adapter/last'));
      expect(config).to.deep.equal({ kind: 'prompt', tokens: 3 });
      expect(tensors.get('prompt_embeddings')?.shape).to.deep.equal([3, 64]);
      expect(done.json('adapter/last/adapter_config.json')).to.include({
        peft_type: 'PROMPT_TUNING',
        num_virtual_tokens: 3,
        token_dim: 64,
        num_layers: 2,
        num_attention_heads: 4,
      });
      expect(done.json('coverage.json')).to.deep.include({ trainable: 192, all: 53568 + 192, trained: [] });
      expect(notes(done)).to.match(/prompt_embeddings +1 of 1 +192/);
      const best = readAdapter(host, done.path('adapter/best')).tensors.get('prompt_embeddings')?.data;
      expect(best?.every(Number.isFinite)).to.equal(true);
    }
  });

  it('trains bottleneck adapters, over a base in four bits too, and goes on from them', async () => {
    const lora = { rank: 16, alpha: 32, dropout: 0, targets: 'all_linear' };
    const bottlenecks = { kind: 'houlsby', reduction: 8, dropout: 0.1 };
    const chosen = { rank: 0, alpha: 0 };
    const settings = { adapter: bottlenecks, lora };
    const done = await trained({
      key: 'first',
      output: 'first',
      settings,
      chosen: { ...chosen, method: 'qlora' },
    });
    const { config, tensors } = readAdapter(host, done.path('adapter/last'));
    expect(config).to.deep.equal({
      kind: 'bottleneck',
      reduction: 8,
      places: ['attention', 'mlp'],
      activation: 'silu',
      reads: 'output',
      scale: 1,
      dropout: 0.1,
    });
    expect(tensors.size).to.equal(2 * 2 * 4);
    const trainable = 2 * 2 * (2 * 64 * 8 + 64 + 8);
    expect(done.json('coverage.json')).to.deep.include({ trainable, all: 53568 + trainable });
    expect(notes(done)).to.match(/attention_adapters +2 of 2 +2,192\noutput_adapters +2 of 2 +2,192/);
    const { loss, valid_loss: valid } = done.result.metrics;
    expect([loss, valid].every((value) => (value ?? 0) > 0)).to.equal(true);

    const start = { call: 'adapterhub', args: { folder: done.path('adapter/last') } };
    const more = await trained({ key: 'more', output: 'more', settings: { start, lora }, chosen });
    const went = readAdapter(host, more.path('adapter/last'));
    expect(went.config).to.deep.equal(config);
    const name = 'model.layers.1.output_adapters.adapters.default.adapter_up.bias';
    expect(went.tensors.get(name)?.data).to.not.deep.equal(tensors.get(name)?.data);
    expect(more.result.metrics['loss'] ?? 9).to.be.below(loss ?? 0);
  });

  it('draws the same dropout of bottleneck adapters when it goes on', async () => {
    const settings = {
      adapter: { kind: 'pfeiffer', where: ['attention', 'mlp'], reduction: 4, dropout: 0.2, layers: [1] },
      lora: { rank: 16, alpha: 32, dropout: 0, targets: 'all_linear' },
    };
    const chosen = { rank: 0, alpha: 0 };
    const bytes = (path: string): string => readFileSync(join(path, 'adapter.safetensors'), 'base64');
    const whole = await trained({ key: 'whole', output: 'whole', settings, chosen });
    const resumed = await resumedAtStep6({ settings, chosen });
    expect(bytes(join(resumed.output.path, 'adapter/last'))).to.equal(bytes(whole.path('adapter/last')));
    expect(bytes(join(resumed.output.path, 'adapter/best'))).to.equal(bytes(whole.path('adapter/best')));
  });

  it('trains a prefix, with a projection, over a base in four bits, and goes on from it', async () => {
    const lora = { rank: 16, alpha: 32, dropout: 0, targets: 'all_linear' };
    const batch = { global: 4, packing: true };
    const name = 'prompt_encoder.embedding.weight';
    for (const [method, prefix, trainable] of [
      ['lora', { tokens: 3, init: 'zero' }, 3 * 128],
      ['qlora', { tokens: 3, projection: 5, init: 'random' }, 3 * 32 + 5 * 32 + 5 + 128 * 5 + 128],
    ] as const) {
      const chosen = { method, rank: 0, alpha: 0 };
      const key = `prefix-${method}`;
      const done = await trained({ key, output: key, settings: { prefix, lora, batch }, chosen });
      const { config, tensors } = readAdapter(host, done.path('adapter/last'));
      expect(config).to.deep.equal({ kind: 'prefix', tokens: 3 });
      expect(tensors.get(name)?.shape).to.deep.equal([3, 128]);
      expect(tensors.get(name)?.data.some((value) => value !== 0)).to.equal(true);
      expect(done.json('adapter/last/adapter_config.json')).to.include({
        peft_type: 'PREFIX_TUNING',
        num_virtual_tokens: 3,
        token_dim: 32,
        num_layers: 2,
        num_attention_heads: 2,
        encoder_hidden_size: 32,
        prefix_projection: false,
      });
      expect(done.json('coverage.json')).to.deep.include({ trainable, all: 53568 + trainable, trained: [] });
      expect(notes(done)).to.match(/prompt_encoder.embedding.weight +1 of 1 +\d+/);
      const start = { call: 'peft', args: { folder: done.path('adapter/last') } };
      const settings = { start, lora, batch, stop: { epochs: 1, steps: 3 } };
      const more = await trained({ key: `${key}-more`, output: `${key}-more`, settings, chosen });
      const further = readAdapter(host, more.path('adapter/last')).tensors.get(name)?.data ?? [];
      const moved = tensors.get(name)?.data.map((value, at) => Math.abs(value - (further[at] ?? 0)));
      expect(Math.max(...(moved ?? []))).to.be.within(1e-9, 0.1);
    }
  });

  it('goes on with a prefix from where it was stopped', async () => {
    const settings = {
      prefix: { tokens: 3, projection: 4, init: 'random' },
      lora: { rank: 16, alpha: 32, dropout: 0, targets: 'all_linear' },
    };
    const chosen = { rank: 0, alpha: 0 };
    const bytes = (path: string): string => readFileSync(join(path, 'adapter_model.safetensors'), 'base64');
    const whole = await trained({ key: 'whole', output: 'whole', settings, chosen });
    const resumed = await resumedAtStep6({ settings, chosen });
    for (const output of ['adapter/last', 'adapter/best'])
      expect(bytes(join(resumed.output.path, output))).to.equal(bytes(whole.path(output)));
  });

  it('goes on with trained biases from where it was stopped', async () => {
    const settings = {
      base: { call: 'local', args: { folder: fixturePath('../classification/gpt2') } },
      lora: { rank: 4, alpha: 8, dropout: 0, targets: ['c_attn'], bias: 'all' },
      label_smoothing: 0.1,
    };
    const bytes = (path: string): string => readFileSync(join(path, 'adapter_model.safetensors'), 'base64');
    const whole = await trained({ key: 'whole', output: 'whole', settings });
    const resumed = await resumedAtStep6({ settings });
    for (const output of ['adapter/last', 'adapter/best'])
      expect(bytes(join(resumed.output.path, output))).to.equal(bytes(whole.path(output)));
    const other = { ...settings, label_smoothing: 0 };
    const plain = await trained({ key: 'plain', output: 'plain', settings: other });
    expect(bytes(plain.path('adapter/last'))).to.not.equal(bytes(whole.path('adapter/last')));
  });

  it('draws the same noise on the embedded tokens when it goes on', async () => {
    const settings = {
      neftune_noise_alpha: 5,
      lora: { rank: 4, alpha: 8, dropout: 0.1, targets: 'attention' },
    };
    const bytes = (path: string): string => readFileSync(join(path, 'adapter_model.safetensors'), 'base64');
    const whole = await trained({ key: 'whole', output: 'whole', settings });
    const plain = await trained({
      key: 'plain',
      output: 'plain',
      settings: { lora: settings.lora },
    });
    expect(bytes(plain.path('adapter/last'))).to.not.equal(bytes(whole.path('adapter/last')));
    const resumed = await resumedAtStep6({ settings });
    expect(bytes(join(resumed.output.path, 'adapter/last'))).to.equal(bytes(whole.path('adapter/last')));
  });

  it('says so where no validation row is left', async () => {
    const context = world({ folder });
    writeFormat(join(folder, 'format'), { train: fixtureRows(), valid: [] });
    const said: string[] = [];
    const result = await run({ ...context, emit: (event) => event.type === 'note' && said.push(event.text) });
    expect(said.join()).to.contain('no validation row is left');
    expect(result.metrics).to.not.have.property('valid_loss');
  });

  it('without validation takes the last state for the best', async () => {
    const done = await trained({ settings: { validate: undefined as never } });
    const bytes = (name: string): Buffer =>
      readFileSync(done.path(`adapter/${name}/adapter_model.safetensors`));
    expect(bytes('best').equals(bytes('last'))).to.equal(true);
    expect(done.result.metrics).to.not.have.property('valid_loss');
  });

  it('on abort keeps a checkpoint and throws the reason', async () => {
    const controller = new AbortController();
    const reason = new Error('asked to stop');
    const context = world({
      folder,
      signal: controller.signal,
      emit: (event) => {
        if (event.type === 'stage.progress' && event.step === 6) controller.abort(reason);
      },
    });
    expect(await run(context).catch((error: unknown) => error)).to.equal(reason);
    expect(existsSync(join(folder, 'work', 'step-000006', 'state.json'))).to.equal(true);
  });

  it('goes on with less when memory runs out, from where it was', async () => {
    const events: StageEvent[] = [];
    const context = world({
      folder,
      chosen: { ...CHOSEN, microBatch: 4, accumulation: 1 },
      emit: (event) => events.push(event),
    });
    let reads = 0;
    const starving = {
      ...context,
      host: {
        ...context.host,
        readBytes: (path: string, start?: number, length?: number) => {
          if (path.endsWith('train.tokens.bin') && ++reads === 30)
            throw new RangeError('Array buffer allocation failed');
          return context.host.readBytes(path, start, length);
        },
      },
    };
    const result = await run(starving);
    expect(events.filter((event) => event.type === 'recovery').map(({ change }) => change)).to.deep.equal([
      { microBatch: 2, accumulation: 2 },
    ]);
    const steps = events.flatMap((event) => (event.type === 'stage.progress' ? [event.step] : []));
    expect(steps).to.deep.equal(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(result.metrics['steps']).to.equal(12);
  });
});
