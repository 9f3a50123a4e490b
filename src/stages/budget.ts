import type { MetricSchema } from './schema.js';

/** What a `require` in a `budget` block may speak of; the planner foretells it, the run measures it. */
export const budgetMetrics: Readonly<Record<string, MetricSchema>> = {
  peak_memory: {
    doc: 'Most memory that any stage has resident in its process.',
    unit: 'bytes',
    known: 'plan',
  },
  wall_time: { doc: 'Time of the whole run.', unit: 'seconds', known: 'plan' },
};

/** What can be said of any one stage, before it runs and after: `adapter.peak_memory`. */
export const stageMetrics: Readonly<Record<string, MetricSchema>> = {
  peak_memory: {
    doc: 'Most memory that the stage has resident in its process.',
    unit: 'bytes',
    known: 'plan',
  },
  wall_time: { doc: 'Time of the stage.', unit: 'seconds', known: 'plan' },
};
