import type { Decoder } from '../models/decoder/types.js';
import { tidyHeap } from '../tensor/garbage.js';
import { OutOfMemoryError, translateHostError } from '../tensor/out-of-memory.js';
import type { Packing, TokenRows } from './batch.js';
import type { Checkpoints } from './checkpoint.js';
import { createUpdater } from './create-updater.js';
import { diverged, StepOutOfMemoryError } from './failures.js';
import type { PreferenceLearning } from './objectives/learning.js';
import { preferenceStep } from './objectives/step.js';
import {
  OPTIMIZERS,
  type OptimizerName,
  type OptimizerOptions,
  offloading,
  type StateOffload,
} from './optimizers/index.js';
import type { Updater } from './optimizers/optimizer.js';
import { globalBatches, type RowOrder } from './order.js';
import { rateOf, type Schedule } from './schedule.js';
import {
  freshState,
  type RunningState,
  type StepRecord,
  type TrainingState,
  type Validation,
} from './state.js';
import { optimiserStep } from './step.js';
import {
  type MeasureAnswers,
  repeats,
  type ValidationSettings,
  validate,
  validatesAt,
} from './validation.js';
import { lossWatch } from './watch.js';

export interface TrainingSettings extends OptimizerOptions, ValidationSettings {
  readonly optimizer: OptimizerName;
  readonly rate: number;
  readonly schedule: Schedule;
  /** Largest global norm of the gradient. Default: not clipped. */
  readonly clip?: number;
  /** α of NEFTune: noise on the embedded tokens, in training only. Default: none. */
  readonly noise?: number;
  readonly totalSteps: number;
  readonly globalBatch: number;
  readonly microBatch: number;
  /** Rows of a step share sequences of at most so many tokens. */
  readonly packing?: number;
  readonly order: RowOrder;
  readonly seed: number;
  /** Steps between two checkpoints; one is saved after every validation, and after the last step too. */
  readonly every: number;
  /** Validations without a better loss before training ends. */
  readonly patience?: number;
  /** Seconds at most, counted over all runs of this training. */
  readonly wall?: number;
  /** Training that diverges ends with an error. Default: it goes on, with a note. */
  readonly endsDiverging?: boolean;
}

export type TrainingEvent =
  | { readonly type: 'step'; readonly record: StepRecord; readonly total: number }
  | ({ readonly type: 'validation'; readonly best: boolean } & Validation)
  | { readonly type: 'checkpoint'; readonly step: number; readonly path: string }
  | { readonly type: 'note'; readonly text: string };

export interface TrainOptions {
  readonly decoder: Decoder;
  readonly rows: TokenRows;
  readonly validation?: TokenRows;
  /** What is learned instead of `rows`, and watched instead of `validation`. */
  readonly preferences?: PreferenceLearning;
  /** Answers rows of the validation, and measures the answers. */
  readonly measureAnswers?: MeasureAnswers;
  readonly padId: number;
  readonly settings: TrainingSettings;
  readonly checkpoints: Checkpoints;
  /** Where the optimiser's state is offloaded to; left out, all is in memory. The caller closes its file. */
  readonly offload?: StateOffload;
  /** Milliseconds of a clock that nobody sets. */
  clock(): number;
  readonly signal: AbortSignal;
  emit(event: TrainingEvent): void;
}

/** `repetition`: the answers of a validation repeat themselves. */
export type Ending = 'steps' | 'patience' | 'wall' | 'repetition';

export interface TrainingResult {
  readonly state: TrainingState;
  readonly ending: Ending;
}

/**
 * Trains from the newest checkpoint, or from the start, to the end; the parameters of the decoder are then those of the
 * last step. Order, dropout and rate are functions of the step alone, so a run that was killed and resumed ends with
 * the bytes of one that was not. On abort the state is saved and the signal's reason thrown. Throws a `UserError` when
 * a number stops being finite or training diverges, and {@link StepOutOfMemoryError}, after saving the state, when a step finds no memory.
 */
export async function train(options: TrainOptions): Promise<TrainingResult> {
  const { decoder, settings, checkpoints, signal, emit } = options;
  const updater = updaterOf(options);
  const resumed = checkpoints.resume(decoder.parameters, updater);
  decoder.parametersChanged();
  const state: RunningState =
    resumed === undefined
      ? freshState()
      : { ...resumed, steps: [...resumed.steps], validations: [...resumed.validations] };
  if (state.step > 0) emit({ type: 'note', text: `resuming from the checkpoint of step ${state.step}` });
  const spent = stopwatch(options.clock, state.seconds);
  const saving = checkpointSaver(options, state, updater, spent);
  const pause = async (): Promise<void> => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    tidyHeap();
    signal.throwIfAborted();
  };
  const advance = stepTaker(options, state, updater, pause);
  try {
    for (;;) {
      const ending = endingOf(state, settings, spent());
      const validates = ending !== undefined || validatesAt(state.step, settings);
      if (state.step > state.checked && (validates || state.step % settings.every === 0)) {
        if (validates) await validate(options, state, pause);
        state.checked = state.step;
        await saving.save();
        continue;
      }
      if (ending !== undefined) {
        await saving.settled();
        return { state, ending };
      }
      saving.check();
      await advance();
    }
  } catch (error) {
    const failure = translateHostError(error);
    const starved = failure instanceof OutOfMemoryError;
    if (starved || (signal.aborted && error === signal.reason)) await saving.saveNewer();
    await saving.settled();
    throw starved ? new StepOutOfMemoryError(state.step + 1, failure) : error;
  } finally {
    await updater.release();
  }
}

function updaterOf({ decoder, settings, offload }: TrainOptions): Updater {
  const rule = OPTIMIZERS[settings.optimizer];
  const all = [...decoder.parameters].map(([name, { shape }]) => rule.slots(shape, name));
  return createUpdater(decoder, rule, settings, offload && offloading(offload, all));
}

/** Takes one optimiser step after another. */
function stepTaker(
  options: TrainOptions,
  state: RunningState,
  updater: Updater,
  pause: () => Promise<void>,
): () => Promise<void> {
  const { decoder, preferences, settings, padId, emit } = options;
  const watch = lossWatch(state.steps, decoder.options.config.vocabSize);
  const { count, lengthOf } = preferences?.rows ?? options.rows;
  const batches = globalBatches({ ...settings, rows: count, lengthOf });
  const packing = packingOf(options);
  return async () => {
    const step = state.step + 1;
    const losses = state.validations.map(({ loss }) => loss);
    const rate = rateOf(settings.schedule, settings.rate, { step, total: settings.totalSteps, losses });
    const start = options.clock();
    const batch = { ...settings, decoder, updater, rows: batches.rowsOf(step), padId, step, rate, pause };
    const output =
      preferences === undefined
        ? await optimiserStep({ ...batch, source: options.rows, packing })
        : await preferenceStep({ ...batch, ...preferences, source: preferences.rows, rows: batch.rows });
    const epoch = step / batches.stepsPerEpoch;
    const seconds = (options.clock() - start) / 1000;
    const record: StepRecord = { step, epoch, learningRate: rate, ...output, seconds };
    state.step = step;
    state.steps.push(record);
    emit({ type: 'step', record, total: settings.totalSteps });
    const { warning, divergence } = watch.look(record);
    if (divergence !== undefined && settings.endsDiverging) throw diverged(divergence, step, rate);
    if (warning !== undefined) emit({ type: 'note', text: warning });
  };
}

/**
 * `save` resolves when the state is taken, and what was saved before is on the disk; `saveNewer` does so if there were
 * steps since the last time.
 */
function checkpointSaver(
  { checkpoints, decoder, emit }: TrainOptions,
  state: RunningState,
  updater: Updater,
  spent: () => number,
) {
  const { begin, check, settled } = backgroundTask();
  let saved = state.step;
  const save = async (): Promise<void> => {
    await settled();
    await updater.collect();
    state.seconds = spent();
    const { step } = state;
    saved = step;
    const written = checkpoints.save(state, decoder.parameters, updater);
    updater.forget();
    begin(written.then((path) => emit({ type: 'checkpoint', step, path })));
  };
  return { check, settled, save, saveNewer: async () => (saved < state.step ? save() : undefined) };
}

/**
 * Work that runs alongside the steps, one piece at a time. `check` throws what the work has failed with, once; `settled`
 * waits for it first.
 */
function backgroundTask() {
  let work: Promise<void> = Promise.resolve();
  let failure: { readonly error: unknown } | undefined;
  const check = (): void => {
    const found = failure;
    failure = undefined;
    if (found !== undefined) throw found.error;
  };
  return {
    begin(begun: Promise<void>): void {
      work = begun.catch((error: unknown) => {
        failure = { error };
      });
    },
    check,
    async settled(): Promise<void> {
      await work;
      check();
    },
  };
}

function endingOf(state: TrainingState, settings: TrainingSettings, seconds: number): Ending | undefined {
  if (repeats(state, settings)) return 'repetition';
  if (state.step >= settings.totalSteps) return 'steps';
  if (settings.patience !== undefined && state.stale >= settings.patience) return 'patience';
  if (settings.wall !== undefined && state.step > 0 && seconds >= settings.wall) return 'wall';
  return undefined;
}

function packingOf({ settings, rows }: TrainOptions): Packing | undefined {
  if (settings.packing === undefined) return undefined;
  let longestText = 1;
  for (let row = 0; row < rows.count; row++) longestText = Math.max(longestText, rows.lengthOf(row));
  return { capacity: settings.packing, longestText };
}

/** Seconds since now, and those spent before. */
function stopwatch(clock: () => number, before: number): () => number {
  const start = clock();
  return () => before + (clock() - start) / 1000;
}
