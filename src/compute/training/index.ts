export type { TokenRow, TokenRows } from './batch.js';
export { paddedLength } from './batch.js';
export { type Checkpoints, checkpoints } from './checkpoint.js';
export { isDivergence, isNotFinite } from './failures.js';
export {
  type Ending,
  type TrainingEvent,
  type TrainingResult,
  type TrainingSettings,
  train,
} from './loop.js';
export { answerSums, pairSums, type References } from './objectives/batch-loss.js';
export {
  type AlikeTexts,
  answerLosses,
  joinedAnswers,
  joinedLength,
  sharedTokens,
} from './objectives/joined.js';
export type { PreferenceLearning } from './objectives/learning.js';
export { rewardOf } from './objectives/rewards.js';
export {
  type Mismatch,
  mismatchedText,
  neighbours,
  type PreferenceRows,
  promptLength,
} from './objectives/rows.js';
export { hasReference, isPaired } from './objectives/rules.js';
export { type CountedTexts, joinsExactly, sharesPrompts } from './objectives/sharing.js';
export { scoredLabels, textLabels, textsIn } from './objectives/texts.js';
export type { DpoObjective, PreferenceObjective } from './objectives/types.js';
export * from './optimizers/index.js';
export { globalBatches, totalSteps } from './order.js';
export { isDecayShape, isScheduleName, type Schedule, type Setback, stepsIn } from './schedule.js';
export { freshState, type TrainingState, tokensPerSecond } from './state.js';
export { type MeasureAnswers, takeIn } from './validation.js';
