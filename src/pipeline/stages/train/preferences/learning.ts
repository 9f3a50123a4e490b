/** What a training with an objective for preferences is told besides its decoder. */
import { vocabularyShardSize } from '../../../../compute/models/decoder/chunks.js';
import { createDecoder, type Decoder } from '../../../../compute/models/decoder/index.js';
import type { DecoderOptions } from '../../../../compute/models/decoder/types.js';
import { residentStorage } from '../../../../compute/models/weights/load.js';
import { collect } from '../../../../compute/tensor/garbage.js';
import type { PreferenceLearning, References, TrainingSettings } from '../../../../compute/training/index.js';
import type { TrainPlan } from '../../train-plan/plan.js';
import { precisionOf } from '../precision.js';
import { askedEvent } from '../stage-events.js';
import type { TrainTask } from '../train-task.js';
import { type AskedOfReference, askedOfReference, keptName } from './asked.js';
import { references } from './references.js';

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
  const asked = askedOfReference(preferences, settings);
  if (asked === undefined) return learning;
  const base = openedLater(task, plan);
  try {
    const trained = await referencesOf(task, plan, base, asked.train);
    if (asked.valid === undefined) return { ...learning, references: trained };
    const watched = await referencesOf(task, plan, base, asked.valid);
    return { ...learning, references: trained, validationReferences: watched };
  } finally {
    await base.release();
    collect();
  }
}

interface Base {
  open(): Promise<Decoder>;
  release(): Promise<void>;
}

/** The model that an objective names, or the base without an adapter. */
function asked({ reference, model, ...task }: TrainTask, plan: TrainPlan): Asked {
  if (reference === undefined)
    return {
      config: model.config,
      weights: plan.method === 'full' ? model.loadWeights('stored') : task.weights(plan),
      vocabularyShard: plan.vocabularyShard,
    };
  const { config } = reference.model;
  const residency = plan.pagedWeights === true ? 'paged' : 'stored';
  const storage = residentStorage(residency, config, reference.named.storage);
  return {
    config,
    weights: reference.model.loadWeights(storage),
    ...(reference.adapter && { adapter: reference.adapter.load() }),
    ...(plan.vocabularyShard !== undefined && { vocabularyShard: vocabularyShardSize(config) }),
  };
}

type Asked = Pick<DecoderOptions, 'config' | 'weights' | 'adapter' | 'vocabularyShard'>;

/** Opened when something of it is asked. */
function openedLater(task: TrainTask, plan: TrainPlan): Base {
  let opened: Promise<Decoder> | undefined;
  const open = async (): Promise<Decoder> =>
    createDecoder({
      ...asked(task, plan),
      runtime: await task.runtime(),
      trainable: 'none',
      checkpointedBlocks: 0,
      logitsChunk: plan.logitsChunk,
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
  { context, reference }: TrainTask,
  plan: TrainPlan,
  base: Base,
  asked: AskedOfReference,
): Promise<References> {
  const { host, work, stage, emit, signal } = context;
  return references({
    ...{ host, work, microBatch: plan.microBatch, padId: asked.source.padId },
    ...asked,
    // what is exact for the base need not be for another model: its windows and positions may be others
    source: { ...asked.source, sharesPrompts: reference === undefined && asked.source.sharesPrompts },
    name: keptName(plan, asked),
    decoder: () => base.open(),
    progress: (done, total) => emit(askedEvent(stage.name, done, total)),
    async pause() {
      await new Promise<void>((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    },
  });
}
