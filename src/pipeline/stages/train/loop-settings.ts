import { metrics } from '../../../compute/evaluation/metrics/table.js';
import {
  isDecayShape,
  isOptimizerName,
  isScheduleName,
  type OptimizerName,
  type Schedule,
  type Setback,
  stepsIn,
  type TrainingSettings,
  totalSteps,
} from '../../../compute/training/index.js';
import type { Stage, Value } from '../../../language/ir/program.js';
import { isCall, isQuantity } from '../../../language/ir/values.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import { stopAfter, type TrainSettings } from '../../../language/schemas/stages/train.js';
import type { TrainPlan } from '../train-plan/plan.js';

/** The optimiser's name in the table of the training room. */
export function optimizerName({ optimizer: { call } }: Pick<TrainSettings, 'optimizer'>): OptimizerName {
  if (!isOptimizerName(call)) throw new Error(`no optimiser is named ${call}`);
  return call;
}

/** Whether the optimiser's state may be in a file. */
export const isPaged = ({ optimizer: { args } }: Pick<TrainSettings, 'optimizer'>): boolean =>
  args['paged'] === true;

/** What the loop is told; `rows` are those that are trained on, `setbacks` those of this training so far. */
export function loopSettings(
  stage: Pick<Stage, 'kind' | 'settings' | 'origins'>,
  plan: TrainPlan,
  rows: number,
  setbacks: readonly Setback[] = [],
): TrainingSettings {
  const settings = settingsOf(stage, 'train');
  const { args } = settings.optimizer;
  // an optimiser has no argument for what it does not use
  const number = (name: string): number => Number(args[name] ?? 0);
  const total = totalSteps(rows, settings.batch.global, stopAfter(settings.stop, stage.origins));
  return {
    optimizer: optimizerName(settings),
    rate: number('rate'),
    beta1: number('beta1'),
    beta2: number('beta2'),
    epsilon: number('epsilon'),
    decay: number('decay'),
    momentum: number('momentum'),
    loraplusRatio: number('loraplus_ratio'),
    clip: (args['clip'] as number | null | undefined) ?? undefined,
    noise: settings.neftune_noise_alpha,
    schedule: { ...scheduleOf(args['schedule'], total), ...(setbacks.length > 0 && { setbacks }) },
    totalSteps: total,
    globalBatch: settings.batch.global,
    microBatch: plan.microBatch,
    ...(settings.batch.packing ? { packing: plan.maxLength } : {}),
    order: settings.order,
    seed: settings.seed,
    every: settings.checkpoint.every,
    ...validationSettings(settings),
    patience: settings.stop.patience,
    wall: settings.stop.wall,
    endsDiverging: settings.watch?.divergence !== 'warn',
  };
}

/** How validations are judged. */
export function validationSettings({
  validation,
  watch,
  validate,
}: TrainSettings): Pick<TrainingSettings, 'validateEvery' | 'best' | 'endsRepeating'> {
  if (validate == null) return {};
  const by = validation?.best ?? 'loss';
  return {
    validateEvery: validation?.every,
    ...(by === 'loss' ? {} : { best: { metric: by, higherIsBetter: metrics[by].higherIsBetter } }),
    ...(watch?.repetition === 'stop' ? { endsRepeating: true } : {}),
  };
}

/** By default, the rate is constant from the first step on. */
function scheduleOf(value: Value | undefined, total: number): Schedule {
  if (!isCall(value)) return { name: 'constant', warmupSteps: 0 };
  const { call, args } = value;
  if (!isScheduleName(call)) throw new Error(`no schedule is named ${call}`);
  const numbers = ['power', 'end', 'cycles', 'min'].filter((name) => args[name] !== undefined);
  const steps = (name: string): number => {
    const share = args[name];
    return isQuantity(share) ? stepsIn(share, total) : 0;
  };
  return {
    name: call,
    warmupSteps: steps('warmup'),
    ...Object.fromEntries(numbers.map((name) => [name, Number(args[name])])),
    ...(args['decay'] !== undefined && { decaySteps: steps('decay') }),
    ...(isDecayShape(args['shape']) && { shape: args['shape'] }),
    ...(args['patience'] !== undefined && {
      plateau: {
        factor: Number(args['factor']),
        patience: Number(args['patience']),
        threshold: Number(args['threshold']),
      },
    }),
  };
}
