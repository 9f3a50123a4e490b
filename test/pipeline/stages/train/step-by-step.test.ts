/** A whole pipeline over rows that are tokens already, beside transformers' Trainer and PEFT: test/fixtures/training/record.py. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { LoraConfig } from '../../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../../src/compute/models/adapters/kinds.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { openSafetensors } from '../../../../src/compute/models/safetensors/read.js';
import { adapterFiles } from '../../../../src/compute/packaging/adapters.js';
import type { Stage, StageKind } from '../../../../src/language/ir/program.js';
import { run as runData } from '../../../../src/pipeline/stages/data/run.js';
import { run as runFormat } from '../../../../src/pipeline/stages/format/run.js';
import type { Artefact, RunStage, StageContext } from '../../../../src/pipeline/stages/stage.js';
import { run as runTrain } from '../../../../src/pipeline/stages/train/run.js';
import { outputFolder } from '../../../../src/pipeline/store/index.js';
import { fixturePath, host, recordedRun, recordedTensors } from '../../../compute/training/fixture.js';
import { fixtureRows, world } from './world.js';

const LOSS = 1e-5;
const TENSOR = 1e-4;

describe('a run in the order of the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ftpc-step-by-step-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const expected = recordedRun('lora');
  const base = { call: 'local', args: { folder: 'base' } };

  /** The recorded base with some tokenizer, the recorded rows, and the adapter with which the recorded run began. */
  function prepare(): void {
    cpSync(fixturePath('base'), join(folder, 'base'), { recursive: true });
    const tokenizer = join(host.packageFolder, 'test/fixtures/format/bytes');
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      cpSync(join(tokenizer, name), join(folder, 'base', name));
    const lines = fixtureRows().map(({ ids, labels }) => JSON.stringify({ input_ids: ids, labels }));
    writeFileSync(join(folder, 'rows.jsonl'), `${lines.join('\n')}\n`);
    const model = openModel(host, join(folder, 'base'));
    const targets = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
    const lora: LoraConfig = { kind: 'lora', rank: 4, alpha: 8, dropout: 0, targets };
    const { tensors } = initAdapter(model.config, lora, { seed: 0, weights: model.loadWeights('stored') });
    const recorded = recordedTensors('lora-initial.safetensors');
    for (const [name, { data }] of tensors) data.set(recorded.get(name) ?? []);
    mkdirSync(join(folder, 'first'));
    const of = { base: { name: 'base', revision: null, transposed: false } };
    for (const [name, content] of Object.entries(adapterFiles({ config: lora, tensors }, of)))
      writeFileSync(
        join(folder, 'first', name),
        typeof content === 'string' ? content : Buffer.concat([...content]),
      );
  }

  async function stage(
    kind: StageKind,
    name: string,
    run: RunStage,
    settings: Stage['settings'],
    inputs: StageContext['inputs'],
  ): Promise<Artefact> {
    const path = join(folder, name);
    mkdirSync(path);
    const context = world({ folder, settings });
    const made = {
      ...context.stage,
      kind,
      name,
      settings: kind === 'train' ? context.stage.settings : settings,
    };
    const result = await run({
      ...context,
      stage: made,
      inputs,
      output: outputFolder(path),
      trainPlan: {
        method: 'lora',
        microBatch: 2,
        accumulation: 2,
        maxLength: 64,
        rank: 4,
        alpha: 8,
        checkpointedBlocks: 1,
        logitsChunk: 64,
      },
    });
    return { stage: made, path, key: name, result };
  }

  let dialogs: Artefact;
  before(async () => {
    prepare();
    const source = { call: 'jsonl', args: { files: 'rows.jsonl' } };
    const rows = await stage('data', 'rows', runData, { source, dedupe: [], contradictions: 'warn' }, {});
    dialogs = await stage(
      'format',
      'dialogs',
      runFormat,
      {
        from: { stage: 'rows', port: '' },
        template: { call: 'tokens', args: {} },
        model: base,
        max_length: 64,
        overflow: 'drop',
        loss_on: 'assistant',
      },
      { rows },
    );
  });

  const trained = (name: string, packing: boolean): Promise<Artefact> =>
    stage(
      'train',
      name,
      runTrain,
      {
        base,
        start: { call: 'peft', args: { folder: 'first' } },
        validate: null,
        lora: { kind: 'lora', rank: 16, alpha: 32, dropout: 0, targets: 'all_linear' },
        optimizer: {
          call: 'adamw',
          args: {
            rate: expected.rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: expected.decay,
            schedule: {
              call: expected.schedule,
              args: { warmup: { unit: 'ratio', value: expected.warmup } },
            },
            clip: expected.clip,
            loraplus_ratio: 1,
          },
        },
        batch: { global: expected.global, micro: expected.micro, packing },
        stop: { epochs: 1000, steps: expected.steps },
        order: 'file',
      },
      { dialogs },
    );

  for (const packing of [false, true])
    it(`has the losses, norms, rates and last adapter of transformers and PEFT, short last steps included${packing ? ', when they are packed' : ''}`, async () => {
      const adapter = await trained(packing ? 'packed' : 'adapter', packing);
      const steps = readFileSync(join(adapter.path, 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { loss: number; gradNorm: number; learningRate: number });
      expect(steps.length).to.equal(expected.steps);
      steps.forEach(({ loss, gradNorm, learningRate }, step) => {
        expect(learningRate).to.be.closeTo(expected.history[step]?.learningRate ?? Number.NaN, 1e-15);
        expect(Math.abs(loss / (expected.history[step]?.loss ?? 0) - 1)).to.be.below(LOSS);
        expect(Math.abs(gradNorm / (expected.history[step]?.gradNorm ?? 0) - 1)).to.be.below(LOSS);
      });
      const last = openSafetensors(host, join(adapter.path, 'adapter/last/adapter_model.safetensors'));
      for (const [name, values] of recordedTensors('lora-final.safetensors')) {
        const entry = last.tensors.get(`base_model.model.${name}`);
        if (entry === undefined) throw new Error(`${name} is missing`);
        const bytes = last.read(entry);
        const found = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const worst = values.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - (found[i] ?? Number.NaN))),
          0,
        );
        expect(worst, name).to.be.below(TENSOR * largest);
      }
    });
});
