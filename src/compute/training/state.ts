/** The state of a training except its tensors: plain JSON, whole in every checkpoint. */
export interface TrainingState {
  /** Optimiser steps taken. */
  readonly step: number;
  /** The last step after which validation and checkpoint were done. */
  readonly checked: number;
  /** The step with the lowest validation loss. */
  readonly best: { readonly step: number; readonly loss: number } | null;
  /** Validations since the best one. */
  readonly stale: number;
  /** Time spent so far, over all runs. */
  readonly seconds: number;
  readonly steps: readonly StepRecord[];
  readonly validations: readonly ValidationRecord[];
}

export interface StepRecord {
  /** From 1. */
  readonly step: number;
  /** Passes over the rows after this step. */
  readonly epoch: number;
  /** Mean over the supervised tokens of the global batch, in nats. */
  readonly loss: number;
  /** The rate that this step used. */
  readonly learningRate: number;
  /** Before clipping. */
  readonly gradNorm: number;
  /** Tokens without padding. */
  readonly tokens: number;
  readonly seconds: number;
}

interface ValidationRecord {
  readonly step: number;
  /** Mean over all supervised tokens, in nats. */
  readonly loss: number;
}

/** The state as the loop changes it. */
export interface RunningState extends Omit<TrainingState, 'steps' | 'validations'> {
  step: number;
  checked: number;
  best: TrainingState['best'];
  stale: number;
  seconds: number;
  steps: StepRecord[];
  validations: ValidationRecord[];
}

export function freshState(): RunningState {
  return { step: 0, checked: 0, best: null, stale: 0, seconds: 0, steps: [], validations: [] };
}

export function tokensPerSecond(tokens: number, seconds: number): number {
  return seconds > 0 ? tokens / seconds : 0;
}
