import { RUNTIME_CHOICES } from '../../ir/runtimes.js';
import { type MetricSchema, optional, t } from '../schema.js';

/** What a `budget` block sets besides what it requires: the machine's part of the pipeline. No key of a stage has it. */
export const budgetSettings = {
  runtime: optional(
    t.enum(...RUNTIME_CHOICES),
    'The tensor runtime, unless `--runtime` is given; default: `auto`.',
  ),
  device_memory: optional(
    t.quantity('bytes', { min: 1 }),
    'Maximum memory for tensors on the device of `tensorflow`, `webgpu` or `wasm`. If `FTPC_DEVICE_MEMORY` is set too, the smaller of the two applies.',
  ),
};

/** What a `require` in a `budget` block may refer to; the planner predicts it, the run measures it. */
export const budgetMetrics: Readonly<Record<string, MetricSchema>> = {
  peak_memory: {
    doc: 'Peak resident memory of any stage.',
    unit: 'bytes',
    known: 'plan',
  },
  wall_time: { doc: 'Time of the whole run.', unit: 'seconds', known: 'plan' },
};

/** What can be said about any one stage, before it runs and after: `adapter.peak_memory`. */
export const stageMetrics: Readonly<Record<string, MetricSchema>> = {
  peak_memory: {
    doc: 'Peak resident memory of the stage.',
    unit: 'bytes',
    known: 'plan',
  },
  wall_time: { doc: 'Time of the stage.', unit: 'seconds', known: 'plan' },
};
