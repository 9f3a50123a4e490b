/** What a training with an objective for preferences is told besides its decoder. */
import { createDecoder, type Decoder } from '../../../../compute/models/decoder/index.js';
import type { WeightStore } from '../../../../compute/models/types.js';
import { collect } from '../../../../compute/tensor/garbage.js';
import {
  globalBatches,
  hasReference,
  type PreferenceLearning,
  type References,
  type TrainingSettings,
} from '../../../../compute/training/index.js';
import type { TrainPlan } from '../../train-plan/plan.js';
import { precisionOf } from '../precision.js';
import type { TrainTask } from '../train-task.js';
import type { PreferenceSplit } from './preference-rows.js';
import { type ReferenceOptions, references } from './references.js';

/** Computes what is asked of the reference first, and lets it go before anything is trained. */
export async function preferenceLearning(
  task: TrainTask,
  plan: TrainPlan,
  settings: TrainingSettings,
): Promise<PreferenceLearning | undefined> {
  const { preferences } = task;
  if (preferences === undefined) return undefined;
  const { objective, rows, validation } = preferences;
  const learning = { objective, rows, validation };
  if (!hasReference(objective)) return learning;
  const base = openedLater(task, plan);
  const withOthers = objective.kind === 'kto';
  try {
    const batches = globalBatches({ ...settings, rows: rows.count, lengthOf: (row) => rows.lengthOf(row) });
    const visited = () => steps(settings.totalSteps, (step) => batches.rowsOf(step));
    const own = new Set<number>();
    for (const batch of visited()) for (const row of batch) own.add(row);
    const trained = await referencesOf(task, plan, base, {
      ...{ name: 'train', source: rows, rows: [...own].sort((a, b) => a - b) },
      batches: withOthers ? visited() : [],
      total: withOthers ? own.size + settings.totalSteps * settings.globalBatch : 2 * own.size,
    });
    if (validation === undefined) return { ...learning, references: trained };
    const held = Uint32Array.from({ length: validation.count }, (_, row) => row);
    const watched = await referencesOf(task, plan, base, {
      ...{ name: 'valid', source: validation, rows: held },
      batches: withOthers ? [held] : [],
      total: 2 * held.length,
    });
    return { ...learning, references: trained, validationReferences: watched };
  } finally {
    await base.release();
    collect();
  }
}

/** `at` counts from 1. */
function* steps<T>(count: number, at: (step: number) => T): Iterable<T> {
  for (let step = 1; step <= count; step++) yield at(step);
}

interface Base {
  open(): Promise<Decoder>;
  release(): Promise<void>;
}

/** The base without an adapter, opened when something of it is asked. */
function openedLater(task: TrainTask, plan: TrainPlan): Base {
  let opened: Promise<Decoder> | undefined;
  const weights = (): WeightStore =>
    plan.method === 'full' ? task.model.loadWeights('stored') : task.weights(plan);
  const open = async (): Promise<Decoder> =>
    createDecoder({
      runtime: await task.runtime(),
      config: task.model.config,
      weights: weights(),
      trainable: 'none',
      checkpointedBlocks: 0,
      logitsChunk: plan.logitsChunk,
      vocabularyShard: plan.vocabularyShard,
      precision: precisionOf(task.settings),
    });
  return {
    open() {
      opened ??= open();
      return opened;
    },
    async release() {
      const decoder = await opened;
      // whoever asked keeps a way to open it, and with that all that is reachable from it
      opened = undefined;
      await decoder?.release();
    },
  };
}

function referencesOf(
  { context }: TrainTask,
  { microBatch, method, maxLength }: TrainPlan,
  base: Base,
  asked: Pick<ReferenceOptions, 'name' | 'rows' | 'batches' | 'total'> & { readonly source: PreferenceSplit },
): Promise<References> {
  const { host, work, stage, emit, signal } = context;
  const said = { unit: 'rows', label: 'asking the reference' };
  return references({
    ...{ host, work, microBatch, padId: asked.source.padId },
    ...asked,
    // a choice that is changed for want of memory may change the rows and the base
    name: `${method}-${maxLength}-${asked.name}`,
    decoder: () => base.open(),
    progress: (done, total) => emit({ type: 'stage.progress', stage: stage.name, done, total, ...said }),
    async pause() {
      await new Promise<void>((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    },
  });
}
