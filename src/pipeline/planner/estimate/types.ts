/** What estimates of every kind of stage are made of. */
import type { Stage } from '../../../language/ir/program.js';
import type { WeightResidency } from '../../../language/ir/runtimes.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import type { PlanContext } from '../plan-context.js';
import type { BudgetLimit, Pace, Peak, Publication, Seconds } from '../plan-json.js';
import type { TrainFacts } from '../train-stage.js';

/** What a stage needs. */
export interface Estimate {
  readonly peak: Peak | null;
  readonly seconds: Seconds | null;
  readonly diskBytes: number;
  /** Stages that train nothing: where they have a model's weights. */
  readonly residency?: WeightResidency;
  /** Format stages: threads that encode rows next to the stage itself. */
  readonly encoders?: number;
  /** Deploy stages. */
  readonly publishes?: Publication;
  /** Trainings on the accelerate engine: what its rate is kept under. */
  readonly pace?: Pace;
  /** Without the budget, they would be held another way. */
  readonly decides?: true;
}

export interface EstimateInput {
  readonly context: PlanContext;
  readonly stage: Stage;
  /** Train stages. */
  readonly trainPlan?: TrainPlan;
  readonly facts?: TrainFacts;
  /** What a budget allows the process. */
  readonly limit?: BudgetLimit;
  /** False for a cached stage: nothing is read or measured for it. */
  readonly look: boolean;
}

export type Estimator = (input: EstimateInput) => Promise<Estimate>;

/** Of a stage of which too little is known. */
export const NOTHING: Estimate = { peak: null, seconds: null, diskBytes: 0 };
