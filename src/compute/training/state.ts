/** The state of a training except its tensors: plain JSON, whole in every checkpoint. */
import * as v from 'valibot';
import { figure, type JsonOf } from '../../language/host/json.js';

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
});
export type StepRecord = JsonOf<typeof STEP_RECORD>;

/** A step, and its mean loss over all supervised tokens, in nats. */
const VALIDATION = v.object({ step: figure, loss: figure });

export const TRAINING_STATE = v.object({
  /** Optimiser steps taken. */
  step: figure,
  /** The last step after which validation and checkpoint were done. */
  checked: figure,
  /** The step with the lowest validation loss. */
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

export function freshState(): RunningState {
  return { step: 0, checked: 0, best: null, stale: 0, seconds: 0, steps: [], validations: [] };
}

export function tokensPerSecond(tokens: number, seconds: number): number {
  return seconds > 0 ? tokens / seconds : 0;
}
