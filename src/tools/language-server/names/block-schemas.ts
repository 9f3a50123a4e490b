/** What may be set in a block, and what a `require` in it may refer to, by the kind of the block. */
import type { StageKind } from '../../../language/ir/program.js';
import type { MetricSchema, Setting } from '../../../language/schemas/schema.js';
import {
  budgetMetrics,
  budgetSettings,
  checklistMetrics,
  stageMetrics,
} from '../../../language/schemas/stages/budget.js';
import { schemas } from '../../../language/schemas/stages/index.js';
import { machineSettings } from '../../../language/schemas/stages/machine.js';

/** `undefined` for a budget, and for what is no kind. */
export const schemaOf = (kind: string) =>
  Object.hasOwn(schemas, kind) ? schemas[kind as StageKind] : undefined;

export const settingsIn = (kind: string): Readonly<Record<string, Setting>> =>
  Object.hasOwn(OTHERS, kind) ? OTHERS[kind as keyof typeof OTHERS] : (schemaOf(kind)?.settings ?? {});

/** Blocks that are no stages. */
const OTHERS = { budget: budgetSettings, machine: machineSettings } as const;

export type Metrics = Readonly<Record<string, MetricSchema>>;

/** Without a name before it; `undefined` for a kind that there is not. */
export const ownMetrics = (kind: string): Metrics | undefined =>
  kind === 'budget' ? budgetMetrics : schemaOf(kind)?.metrics;

/** After the name of a stage; in a budget its memory and time too. */
export const metricsOfStage = (inKind: string, stageKind: string): Metrics => ({
  ...schemaOf(stageKind)?.metrics,
  ...(inKind === 'budget' ? stageMetrics : {}),
});

/** `checklist.open`: of budgets, which are about the pipeline as a whole. */
export const CHECKLIST = {
  name: 'checklist',
  doc: 'How the production checklist is answered before a run begins.',
  metrics: checklistMetrics,
} as const;

export const isChecklist = (name: string, kind: string): boolean =>
  name === CHECKLIST.name && kind === 'budget';

export const hasBaseline = (kind: string): boolean => Object.hasOwn(settingsIn(kind), 'baseline');
