/** What a `require` may refer to, by the kind of block that it is in. */

import type { MetricSchema } from '../../../language/schemas/schema.js';
import { budgetMetrics, stageMetrics } from '../../../language/schemas/stages/budget.js';
import { schemaOf } from './kinds.js';

export type Metrics = Readonly<Record<string, MetricSchema>>;

/** Without a name before it; `undefined` for a kind that there is not. */
export const ownMetrics = (kind: string): Metrics | undefined =>
  kind === 'budget' ? budgetMetrics : schemaOf(kind)?.metrics;

/** After the name of a stage; in a budget of its memory and time too. */
export const metricsOfStage = (inKind: string, stageKind: string): Metrics => ({
  ...schemaOf(stageKind)?.metrics,
  ...(inKind === 'budget' ? stageMetrics : {}),
});

export const hasBaseline = (kind: string): boolean =>
  Object.hasOwn(schemaOf(kind)?.settings ?? {}, 'baseline');
