/** What each kind of stage needs in memory, time and disk, once it is known what it will do. */
import type { StageKind } from '../../../language/ir/program.js';
import { deployEstimate } from './deploy.js';
import { evalEstimate } from './evaluate.js';
import { mergeEstimate } from './merge.js';
import { dataEstimate, formatEstimate } from './rows.js';
import { trainEstimate } from './train.js';
import type { Estimate, EstimateInput, Estimator } from './types.js';

export type { EstimateInput } from './types.js';

const ESTIMATORS: Readonly<Record<StageKind, Estimator>> = {
  data: dataEstimate,
  format: formatEstimate,
  train: trainEstimate,
  eval: evalEstimate,
  merge: mergeEstimate,
  deploy: deployEstimate,
};

export const estimate = (input: EstimateInput): Promise<Estimate> => ESTIMATORS[input.stage.kind](input);
