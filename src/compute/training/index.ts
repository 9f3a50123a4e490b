export { paddedLength } from './batch.js';
export { type Checkpoints, checkpoints } from './checkpoint.js';
export {
  type Ending,
  type TrainingEvent,
  type TrainingResult,
  type TrainingSettings,
  type TrainOptions,
  train,
} from './loop.js';
export { isNotFinite } from './not-finite.js';
export * from './optimizers/index.js';
export { type StopAfter, stepsPerEpoch, totalSteps } from './order.js';
export { StepOutOfMemoryError } from './out-of-memory.js';
export { isScheduleName, rateOf, type ScheduleName, warmupSteps } from './schedule.js';
export { type StepRecord, type TrainingState, tokensPerSecond } from './state.js';
export type { TokenRow, TokenRows } from './token-rows.js';
