import type { Decoder } from '../models/decoder/types.js';
import { globalNorm } from './clip.js';
import { updaterOnDevice } from './device-updater.js';
import {
  createOptimizer,
  type Optimizer,
  type OptimizerOptions,
  type Rule,
  type StateAllocator,
} from './optimizers/index.js';
import type { Updater } from './optimizers/optimizer.js';

/** Whether a rule computes where tensors lie, on a runtime that keeps them on a device. */
export const isOnDevice = (rule: Rule, inFile: boolean): boolean => rule.graph !== undefined && !inFile;

/**
 * On a device, parameters, gradients and state stay there from step to step: where the rule can be said in a graph, and
 * nothing of the state is kept in a file.
 */
export function createUpdater(
  decoder: Decoder,
  rule: Rule,
  options: OptimizerOptions,
  allocate?: StateAllocator,
): Updater {
  const { onDevice } = decoder;
  if (onDevice !== undefined && rule.graph !== undefined && isOnDevice(rule, allocate !== undefined))
    return updaterOnDevice(decoder.options.runtime, onDevice, { rule, graph: rule.graph, options });
  return updaterOnHost(decoder, createOptimizer(rule, decoder.parameters, options, allocate));
}

const updaterOnHost = (decoder: Decoder, optimizer: Optimizer): Updater => ({
  state: optimizer.state,
  async norm() {
    await decoder.collectGradients();
    return globalNorm(decoder.gradients);
  },
  async update(step, rate, gradientScale) {
    optimizer.update(decoder.gradients, step, rate, gradientScale);
    decoder.parametersChanged();
  },
  async collect() {},
  forget() {},
  async release() {},
});
