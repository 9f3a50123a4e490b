import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import type { Adapter, WeightStore } from '../../../compute/models/types.js';
import { startOf } from './adapters/definition.js';
import { freshAdapter } from './adapters/kinds.js';
import type { TrainTask } from './train-task.js';

/** The adapter that training starts with: the one to continue from, or a fresh one. */
export function firstAdapter(
  { context, settings, model }: TrainTask,
  adapter: AdapterConfig,
  weights: WeightStore,
): Adapter {
  const start = startOf(settings, context);
  return start === undefined
    ? freshAdapter(model.config, adapter, settings, weights)
    : { config: adapter, tensors: start.opened.load().tensors };
}
