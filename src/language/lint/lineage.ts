/** What comes from what: the questions that several rules ask about the graph. */
import { referenceIn } from '../check/stage-settings.js';
import type { CheckedStage } from '../check/stages.js';
import { modelUnder } from '../check/tokenizers.js';
import { isMadeUp } from '../schemas/functions/source.js';
import { LABELLED } from '../schemas/functions/template.js';
import { settingsOf } from '../schemas/stages/settings.js';
import type { Pipeline } from './types.js';

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

/** Rows that are made up, for plans and benchmarks: what the guides say of data does not hold. */
export const hasMadeUpRows = ({ stage }: CheckedStage): boolean =>
  [settingsOf(stage, 'data').source].flat().every(isMadeUp);

/** Random weights to start with: what the guides say of fine-tuning does not hold. */
export const isFromScratch = (checked: CheckedStage, { stages }: Pipeline): boolean =>
  modelUnder(checked, stages)?.call === 'untrained';

/** An adapter is trained, not every weight; where the planner chooses, it chooses LoRA or QLoRA. */
export const isAdapter = ({ stage }: CheckedStage): boolean => stage.preset !== 'full';

/** Rank, alpha and targets are not this stage's: those of an adapter that was trained before, or none, under virtual tokens, in bottlenecks and where a head alone is trained. */
export const hasNoFactors = ({ stage }: CheckedStage): boolean =>
  stage.settings['start'] !== undefined ||
  isVirtual({ stage }) ||
  hasBottlenecks({ stage }) ||
  isHead({ stage });

/** A head alone is trained, which begins with random numbers. */
export const isHead = ({ stage }: Pick<CheckedStage, 'stage'>): boolean => stage.preset === 'head';

const templateOf = (format: CheckedStage | undefined): string | undefined =>
  format && settingsOf(format.stage, 'format').template.call;

/** Whether the rows that a stage reads have labels: what is trained on them is a classifier. */
export const readsLabels = (checked: CheckedStage, pipeline: Pipeline): boolean =>
  templateOf(readFrom(checked, 'dataset', pipeline)) === LABELLED;

/** Virtual tokens are trained: they move at rates of their own. */
export const isVirtual = ({ stage }: Pick<CheckedStage, 'stage'>): boolean =>
  stage.settings['prompt'] !== undefined || stage.settings['prefix'] !== undefined;

/** Bottleneck adapters are trained, for which the guides have no range of rates. */
export const hasBottlenecks = ({ stage }: Pick<CheckedStage, 'stage'>): boolean =>
  stage.settings['adapter'] !== undefined || settingsOf(stage, 'train').start?.call === 'adapterhub';

/** The stages that a stage's model comes from: itself, what it merges or trains on, and so on. */
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

/** As it is in the file: the instances of a matrix have names that nobody wrote. */
export const blockName = (stage: string, pipeline: Pipeline): string =>
  pipeline.stage(stage)?.block.name.text ?? stage;
