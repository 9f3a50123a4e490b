/** Questions about the graph of stages that several rules ask. */
import { referenceIn } from '../check/stage-settings.js';
import type { CheckedStage } from '../check/stages.js';
import { modelUnder } from '../check/tokenizers.js';
import type { Call } from '../ir/program.js';
import { isCall } from '../ir/values.js';
import { isMadeUp } from '../schemas/functions/source.js';
import { LABELLED } from '../schemas/functions/template.js';
import { settingsOf } from '../schemas/stages/settings.js';
import { stopAfter } from '../schemas/stages/train.js';
import type { Pipeline } from './rule.js';

/** `dialogs.train` → the format stage `dialogs`. */
export const readFrom = (
  checked: CheckedStage | undefined,
  key: string,
  pipeline: Pipeline,
): CheckedStage | undefined =>
  checked === undefined ? undefined : pipeline.stage(referenceIn(checked, key)?.stage);

/** The data stage under a setting that takes rows. */
export const dataUnder = (checked: CheckedStage, key: string, pipeline: Pipeline): CheckedStage | undefined =>
  readFrom(readFrom(checked, key, pipeline), 'from', pipeline);

/** The rows under a train stage, and how many of them it trains on at most; `undefined` if that is not known. */
export function trainRows(checked: CheckedStage, pipeline: Pipeline) {
  const data = dataUnder(checked, 'dataset', pipeline);
  const rows = data && pipeline.rows(data);
  return data && rows && { data, most: rows.most, train: Math.round(rows.most * rows.trainShare) };
}

/** Optimiser steps of a train stage, if the file limits them or its rows are counted: an upper bound, since rows may be dropped. */
export function stepsOf(checked: CheckedStage, pipeline: Pipeline): number | undefined {
  const settings = settingsOf(checked.stage, 'train');
  const { epochs, steps: limit } = stopAfter(settings.stop, checked.stage.origins);
  const data = dataUnder(checked, 'dataset', pipeline);
  const rows = data && pipeline.rows(data);
  if (rows === undefined || epochs === undefined) return limit;
  const perEpoch = Math.max(1, Math.ceil((rows.most * rows.trainShare) / settings.batch.global));
  const all = Math.ceil(epochs * perEpoch);
  return Math.max(1, limit === undefined ? all : Math.min(limit, all));
}

/** Synthetic rows, for plans and benchmarks: the guides' advice on data does not apply. */
export const hasSyntheticRows = ({ stage }: CheckedStage): boolean =>
  [settingsOf(stage, 'data').source].flat().every(isMadeUp);

/** Training from random weights: the guides' advice on fine-tuning does not apply. */
export const isFromScratch = (checked: CheckedStage, { stages }: Pipeline): boolean =>
  modelUnder(checked, stages)?.call === 'untrained';

/** In two bytes each, 20 million parameters. */
const SMALL_BASE_BYTES = 40e6;

/** Whether the base has a few million parameters; one that is not on this machine counts as large. */
export function hasSmallBase(checked: CheckedStage, pipeline: Pipeline): boolean {
  const model = modelUnder(checked, pipeline.stages);
  const bytes = model && pipeline.weightBytes(model);
  return bytes !== undefined && bytes <= SMALL_BASE_BYTES;
}

/** Whether an adapter is trained, not every weight; a planner that chooses the method chooses LoRA or QLoRA. */
export const isAdapter = ({ stage }: CheckedStage): boolean => stage.preset !== 'full';

/**
 * Whether the stage does not set rank, alpha and targets: it continues from an adapter, or trains virtual tokens,
 * bottlenecks or only a head.
 */
export const hasNoFactors = ({ stage }: CheckedStage): boolean =>
  stage.settings['start'] !== undefined ||
  isVirtual({ stage }) ||
  hasBottlenecks({ stage }) ||
  isHead({ stage });

/** Whether only a classification head is trained, from random weights. */
export const isHead = ({ stage }: Pick<CheckedStage, 'stage'>): boolean => stage.preset === 'head';

const templateOf = (format: CheckedStage | undefined): string | undefined =>
  format && settingsOf(format.stage, 'format').template.call;

/** Whether the rows that a stage reads have labels, so that it trains or evaluates a classifier. */
export const readsLabels = (checked: CheckedStage, pipeline: Pipeline): boolean =>
  templateOf(readFrom(checked, 'dataset', pipeline)) === LABELLED;

/** What a training learns from preferences by; `undefined` where it learns to write. */
export function objectiveOf({ stage }: Pick<CheckedStage, 'stage'>): Call | undefined {
  const { objective } = stage.settings;
  return isCall(objective) ? objective : undefined;
}

/** Whether one pass over the rows is usual: ORPO learns to write, too. */
export const learnsOnce = (checked: Pick<CheckedStage, 'stage'>): boolean => {
  const objective = objectiveOf(checked);
  return objective !== undefined && objective.call !== 'orpo';
};

/** Whether virtual tokens are trained, which need other learning rates. */
export const isVirtual = ({ stage }: Pick<CheckedStage, 'stage'>): boolean =>
  stage.settings['prompt'] !== undefined || stage.settings['prefix'] !== undefined;

/** Whether bottleneck adapters are trained, for which the guides give no range of rates. */
export const hasBottlenecks = ({ stage }: Pick<CheckedStage, 'stage'>): boolean =>
  stage.settings['adapter'] !== undefined || settingsOf(stage, 'train').start?.call === 'adapterhub';

/** The stages that a model comes from: the stage itself, its adapter or base, and so on. */
export function ancestors(start: string | undefined, pipeline: Pipeline): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (name: string | undefined): void => {
    const checked = pipeline.stage(name);
    if (name === undefined || checked === undefined || found.has(name)) return;
    found.add(name);
    for (const key of ['model', 'adapter', 'base']) visit(referenceIn(checked, key)?.stage);
  };
  visit(start);
  return found;
}

/** The name in the file: stages of a matrix have generated names. */
export const blockName = (stage: string, pipeline: Pipeline): string =>
  pipeline.stage(stage)?.block.name.text ?? stage;
