export { type MergeDtype, mergeDtypes } from './dtypes.js';
export {
  largestDifference,
  MOST_PROBES,
  PROBE_TOKENS,
  type ProbeLogits,
  probeLogits,
  proveMerge,
} from './proof.js';
export { mergedTensors } from './tensors.js';
export { mergedCard, mergedConfig } from './texts.js';
