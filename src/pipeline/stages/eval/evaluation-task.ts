/** What is done with each model of an evaluation, and what that gives. */
import type { AnswerSettings, HeldOut, Observation } from '../../../compute/evaluation/observe.js';
import type { StageContext } from '../stage.js';
import { embeddedModels } from './embedded-models.js';
import type { ModelOpener } from './opened-models.js';
import { workerModels } from './worker-models.js';

export interface EvaluationTask {
  readonly context: StageContext;
  readonly heldOut: HeldOut;
  /** Largest token id of any row. */
  readonly highestId: number;
  readonly losses: boolean;
  readonly sharesPrefixes: boolean;
  readonly answer: readonly number[];
  readonly generation: AnswerSettings;
  /** Whether a metric is a mean over the labels. */
  readonly needsEveryLabel: boolean;
  readonly report: (label: string) => (done: number, what: 'losses' | 'answers') => void;
}

/** With the labels of a classifier, or what the rewards are. */
export interface SeenByModel extends Observation {
  readonly labels?: readonly string[];
  /** Losses are scores of a reward model. */
  readonly isScored?: boolean;
  readonly reward?: string;
}

/** The model, and its baseline if there is one. */
export type ObservedBoth = readonly [SeenByModel, SeenByModel | undefined];

/** Of the engine that computes. */
export const openModels = (context: StageContext): Promise<ModelOpener> =>
  (context.engine === undefined ? embeddedModels : workerModels)(context);
