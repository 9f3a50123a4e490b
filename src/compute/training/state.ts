/** The state of a training except its tensors: plain JSON, whole in every checkpoint. */
import * as v from 'valibot';
import { figure, type JsonOf, record } from '../../language/host/json.js';

/** Means over the rows of a batch of preferences. */
const PREFERENCE_FIGURES = v.object({
  /** Rewards of chosen and of rejected, or of good and of bad answers; absent where there are none. */
  chosen: v.optional(figure),
  rejected: v.optional(figure),
  /** Share of the pairs whose chosen answer has the higher reward. */
  accuracy: v.optional(figure),
  /** How far the model is from the reference by answers to other prompts, in nats each. */
  kl: v.optional(figure),
});
export type PreferenceFigures = JsonOf<typeof PREFERENCE_FIGURES>;

export const STEP_RECORD = v.object({
  /** From 1. */
  step: figure,
  /** Passes over the rows after this step. */
  epoch: figure,
  /** Mean over the supervised tokens of the global batch, in nats. */
  loss: figure,
  /** The rate that this step used. */
  learningRate: figure,
  /** Before clipping. */
  gradNorm: figure,
  /** Tokens without padding. */
  tokens: figure,
  seconds: figure,
  /** Of preferences. */
  preference: v.optional(PREFERENCE_FIGURES),
});
export type StepRecord = JsonOf<typeof STEP_RECORD>;

/** What is measured of the answers to the rows of a validation. */
const ANSWERS_MEASURED = v.object({
  /** By metric. */
  metrics: record(figure),
  /**
   * Where that is watched: the share of what answers say that they have said before, that of the references, and
   * whether it is too much.
   */
  repetition: v.optional(v.object({ share: figure, usual: figure, tooMuch: v.boolean() })),
});
export type AnswersMeasured = JsonOf<typeof ANSWERS_MEASURED>;

/** A step, and its mean loss over all supervised tokens, in nats. */
export const VALIDATION = v.object({
  step: figure,
  loss: figure,
  ...v.partial(ANSWERS_MEASURED).entries,
});
export type Validation = JsonOf<typeof VALIDATION>;

export const TRAINING_STATE = v.object({
  /** Optimiser steps taken. */
  step: figure,
  /** The last step after which validation and checkpoint were done. */
  checked: figure,
  /** The best validation: the one with the lowest loss, or the best by the metric that was chosen. */
  best: v.nullable(VALIDATION),
  /** Validations since the best one. */
  stale: figure,
  /** Time spent so far, over all runs. */
  seconds: figure,
  steps: v.array(STEP_RECORD),
  validations: v.array(VALIDATION),
});
export type TrainingState = JsonOf<typeof TRAINING_STATE>;

/** The state as the loop changes it. */
export type RunningState = v.InferInput<typeof TRAINING_STATE>;

/** Before the first step. */
export function freshState(): RunningState {
  return { step: 0, checked: 0, best: null, stale: 0, seconds: 0, steps: [], validations: [] };
}

/** 0 where no time was measured. */
export function tokensPerSecond(tokens: number, seconds: number): number {
  return seconds > 0 ? tokens / seconds : 0;
}
