/** Seconds of an optimiser step of ranks that share a training: what each computes, and what they send each other. */
import type { Sharding } from '../../../language/ir/engines.js';
import type { DecoderWork } from './decoder-work.js';
import type { DeviceSpeed } from './device.js';
import {
  overlapped,
  ringSeconds,
  type TrainingPass,
  trainingSeconds,
  updateSeconds,
} from './step-seconds.js';

export interface RankStep extends TrainingPass {
  /** Micro batches of a step of all ranks. */
  readonly microBatches: number;
  readonly sharding: Sharding | undefined;
  readonly devices: number;
  readonly nodes: number;
  /** Bytes of the optimiser's state. */
  readonly state: number;
}

/** Bytes of a number of a gradient: float32. */
const GRADIENT = 4;

export function stepSeconds(work: DecoderWork, step: RankStep, device: DeviceSpeed): number {
  const { devices, nodes, sharding, isFull, trained, microBatches, weightBytes } = step;
  const world = devices * nodes;
  const isSharded = sharding === 'fsdp' && world > 1;
  const computed = trainingSeconds(work, step, device);
  // gathered for the forward and for the backward pass; gradients of sharded weights are scattered
  const gathered = 2 * work.weights * weightBytes + (isFull ? GRADIENT * work.weights : 0);
  const micro = isSharded ? overlapped(computed, ringSeconds(gathered, step, device)) : computed;
  const each = Math.ceil(microBatches / world);
  const summed = isSharded && isFull ? 0 : ringSeconds(2 * GRADIENT * trained, step, device);
  const shards = isSharded && isFull ? world : 1;
  return each * micro + summed + updateSeconds({ trained, state: step.state, shards }, device);
}
