/** How many optimiser steps a train stage can take, if the file limits them or its rows are counted. */
import type { CheckedStage } from '../check/stages.js';
import { dataUnder } from './lineage.js';
import type { Pipeline } from './types.js';
import { numberAt } from './values.js';

/** An upper bound, since rows may be dropped. */
export function stepsOf(checked: CheckedStage, pipeline: Pipeline): number | undefined {
  const limit = numberAt(checked, 'stop.steps');
  const data = dataUnder(checked, 'dataset', pipeline);
  const rows = data === undefined ? undefined : pipeline.rows(data);
  const [epochs, global] = [numberAt(checked, 'stop.epochs'), numberAt(checked, 'batch.global')];
  if (rows === undefined || epochs === undefined || global === undefined) return limit;
  const all = Math.ceil((rows.most * rows.trainShare * epochs) / global);
  return Math.max(1, limit === undefined ? all : Math.min(limit, all));
}
