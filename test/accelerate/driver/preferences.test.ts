/**
 * Preferences on ranks, against recorded trainings of TRL 1.16: losses and rewards within 1e-5, tensors within 1e-4 of
 * their largest.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ModelSpec, OtherModelSpec, TrainSpec } from '../../../src/compute/accelerate/spec.js';
import { openModel } from '../../../src/compute/models/load.js';
import { writeAdapter } from '../../../src/compute/packaging/adapters.js';
import type { TrainingSettings } from '../../../src/compute/training/index.js';
import type { TrainingState } from '../../../src/compute/training/state.js';
import { writePreferences } from '../../../src/pipeline/stages/train/accelerate/preference-files.js';
import type { TrainPlan } from '../../../src/pipeline/stages/train-plan/plan.js';
import { outputFolder } from '../../../src/pipeline/store/index.js';
import { float32Tensors, host } from '../../compute/training/fixture.js';
import {
  finalOf,
  folder as fixtures,
  objectiveOf,
  otherOf,
  type RecordedRun,
  recorded,
  rowsFor,
  startOf,
} from '../../compute/training/objectives/recorded.js';
import { CHOSEN } from '../../pipeline/stages/train/world.js';
import { PYTHON, withPython } from '../python.js';
import { testFolders } from '../train/trained.js';
import { driven, stateOf } from './drive.js';

type Ranks = Pick<TrainSpec, 'world' | 'sharding'>;

const shared = (kind: 'none' | 'ddp' | 'fsdp', world = kind === 'none' ? 1 : 2): Ranks => ({
  world,
  sharding: { kind, offload: false },
});

/** On two ranks, the last batch of a pass leaves one of them less, or nothing. */
const CASES: readonly (readonly [family: string, run: string, ranks: Ranks, microBatch: number])[] = [
  ['qwen2', 'dpo-sft', shared('fsdp'), 1],
  ['qwen2', 'kto', shared('ddp'), 1],
  ['qwen2', 'orpo', shared('ddp'), 3],
  ['qwen2', 'reward', shared('fsdp'), 3],
  ['gpt2', 'dpo', shared('ddp'), 3],
  ['gpt2', 'kto-weighted', shared('fsdp'), 3],
  ['gpt2', 'orpo', shared('fsdp'), 1],
  ['gpt2', 'reward', shared('ddp'), 1],
  ['qwen2', 'dpo-reference', shared('fsdp'), 3],
  ['gpt2', 'kto-reference', shared('ddp'), 1],
];

/** Whether what is in a folder has come to what was recorded. */
function expectRecorded(folder: string, state: TrainingState, family: string, name: string): void {
  expectEqual(state, recordedRun(family, name));
  expect(tensorsApart(folder, finalOf(family, name)), 'tensors').to.be.below(1e-4);
}

function recordedRun(family: string, name: string): RecordedRun {
  const run = recorded.families[family]?.[name];
  if (run === undefined) throw new Error(`no ${name} of ${family} was recorded`);
  return run;
}

withPython('preferences on ranks, against TRL', () => {
  const folder = testFolders();

  describe('every objective, on one rank', () => {
    const folders = new Map<string, string>();
    const runs = Object.entries(recorded.families).flatMap(([family, all], first) =>
      Object.keys(all).map((name, index) => ({
        family,
        name,
        microBatch: (first + index) % 2 === 0 ? 1 : 3,
      })),
    );
    const keyOf = ({ family, name }: { readonly family: string; readonly name: string }): string =>
      `${family}: ${name}`;

    before(() => {
      for (const run of runs) {
        const own = folder(run.name);
        folders.set(keyOf(run), own);
        const { family, microBatch } = run;
        writeSpecification(own, family, recordedRun(family, run.name), shared('none'), microBatch);
      }
      trainInOneProcess([...folders.values()]);
    });

    for (const run of runs)
      it(keyOf(run), () => {
        const own = folders.get(keyOf(run)) ?? '';
        expectRecorded(own, stateOf(own), run.family, run.name);
      });
  });

  for (const [family, name, ranks, microBatch] of CASES) {
    const { sharding, world } = ranks;
    it(`${family}: ${name}, ${world} ranks, ${sharding.kind}`, async () => {
      const own = folder(name);
      writeSpecification(own, family, recordedRun(family, name), ranks, microBatch);
      expectRecorded(own, await driven(own, world), family, name);
    });
  }
});

/** A process takes longer to start than it then takes for a training. */
function trainInOneProcess(folders: readonly string[]): void {
  const script = join(host.packageFolder, 'test', 'accelerate', 'driver', 'trainings.py');
  const specifications = folders.map((own) => join(own, 'spec.json'));
  execFileSync(PYTHON ?? '', [script, ...specifications], {
    env: {
      ...process.env,
      ...{ PYTHONPATH: join(host.packageFolder, 'python'), HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: '1' },
    },
    stdio: 'pipe',
  });
}

function writeSpecification(
  folder: string,
  family: string,
  run: RecordedRun,
  ranks: Ranks,
  microBatch: number,
): void {
  const { steps, globalBatch, rate, clip } = recorded;
  const output = outputFolder(folder);
  const objective = objectiveOf(run);
  const start = startOf(family, objective);
  const { config } = openModel(host, join(fixtures, family));
  writeAdapter(output, 'adapter', start, {
    base: { name: family, revision: null, transposed: family === 'gpt2', shape: config },
  });
  const rows = { ...rowsFor(objective), padId: 0, total: 0, dropped: () => [] };
  const settings = {
    ...{ rate, totalSteps: steps, globalBatch, microBatch, order: 'file', seed: 1 },
    schedule: { name: 'constant', warmupSteps: 0 },
  } as TrainingSettings;
  const plan: TrainPlan = { ...CHOSEN, microBatch };
  const model = { gguf: null, dtype: 'float32', quantisation: null, attention: 'eager' } as const;
  const other = run.reference === true ? otherSpec(family, model) : null;
  const spec: TrainSpec = {
    ...{ version: 1, folder, versions: {}, digest: 'recorded', device: 'cpu', ...ranks },
    ...{ precision: 'f32', trained: 'adapter', head: null, pissa: false },
    adapter: { folder: join(folder, 'adapter') },
    ...writePreferences(output, { objective, rows }, { plan, settings, folder, other }),
    ...{ pad_id: 0, padding: { bucket: 1, limit: 128 }, dropout: null, total_steps: steps },
    ...{ every: 20, validate_every: 20, best: null, ends_repeating: false, answers: null },
    ...{
      keep: 9,
      patience: null,
      plateau: null,
      wall: null,
      clip,
      neftune: null,
      seed: 1,
      label_smoothing: 0,
    },
    optimizer: {
      ...{ name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, momentum: 0 },
      ...{ lora_plus: 1, paged: false },
    },
    ...{ checkpointed_blocks: 1, logits_chunk: 16 },
    model: {
      ...{ ...model, folder: join(fixtures, family) },
      ...(objective.kind === 'reward'
        ? { task: 'classifier', labels: ['score'] }
        : { task: 'causal', labels: null }),
    },
  };
  output.write('spec.json', JSON.stringify(spec));
}

const otherSpec = (
  family: string,
  model: Pick<ModelSpec, 'gguf' | 'dtype' | 'quantisation' | 'attention'>,
): OtherModelSpec => ({
  model: { ...model, folder: otherOf(family), task: 'causal', labels: null },
  ...{ adapter: null, positions: 128 },
});

function expectEqual({ steps }: TrainingState, { history }: RecordedRun): void {
  expect(steps.length).to.equal(history.length);
  for (const [index, expected] of history.entries()) {
    const { loss = Number.NaN, gradNorm = Number.NaN, preference = {} } = steps[index] ?? {};
    expect(loss, `loss of step ${index + 1}`).to.be.closeTo(
      expected.loss,
      1e-5 * Math.max(expected.loss, 0.1),
    );
    expect(gradNorm).to.be.closeTo(expected.gradNorm, 2e-5 * Math.max(1, expected.gradNorm));
    for (const figure of ['chosen', 'rejected', 'accuracy', 'kl'] as const)
      if (expected[figure] != null) expect(preference[figure], figure).to.be.closeTo(expected[figure], 1e-5);
      else expect(preference, figure).to.not.have.property(figure);
  }
}

/** Of every tensor the largest difference, over the tensor's largest value. */
function tensorsApart(folder: string, expected: ReadonlyMap<string, Float32Array>): number {
  const found = new Map(
    [...float32Tensors(join(folder, 'result', 'last.safetensors'))].map(([name, data]) => [
      name.replace(/^base_model\.model\./, ''),
      data,
    ]),
  );
  expect([...found.keys()].sort()).to.deep.equal([...expected.keys()].sort());
  let worst = 0;
  for (const [name, values] of expected) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const data = found.get(name);
    for (const [at, value] of values.entries())
      worst = Math.max(worst, Math.abs(value - (data?.[at] ?? Number.NaN)) / largest);
  }
  return worst;
}
