/** In what format a training multiplies: as asked for, or as suits what computes. */
import type { Precision } from '../../../compute/models/decoder/types.js';
import type { RunEngine } from '../../../language/ir/engines.js';
import type { Program, Stage } from '../../../language/ir/program.js';
import { settingsOf } from '../../../language/schemas/stages/settings.js';
import type { TrainSettings } from '../../../language/schemas/stages/train.js';

/** Without native products, rounding to bfloat16 costs time and saves none. */
export const precisionFor = (asked: TrainSettings['precision'], engine: RunEngine): Precision =>
  asked !== 'auto' ? asked : engine.name === 'accelerate' && engine.multipliesBf16 === true ? 'bf16' : 'f32';

/** Where no engine has been decided on yet, it is that of any. */
export const precisionOf = ({ precision }: Pick<TrainSettings, 'precision'>): Precision =>
  precision === 'auto' ? 'f32' : precision;

/**
 * The same program with `auto` settled, so that keys, plans, ranks and evaluations go by one value; what was settled for another
 * engine is settled for this one.
 */
export const withPrecision = (program: Program, engine: RunEngine): Program => ({
  ...program,
  stages: program.stages.map((stage) => settled(stage, engine)),
});

function settled(stage: Stage, engine: RunEngine): Stage {
  if (stage.kind !== 'train') return stage;
  const isLeft = stage.origins['precision'] === 'planner' || settingsOf(stage, 'train').precision === 'auto';
  if (!isLeft) return stage;
  return {
    ...stage,
    settings: { ...stage.settings, precision: precisionFor('auto', engine) },
    origins: { ...stage.origins, precision: 'planner' },
  };
}
