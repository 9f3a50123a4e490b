export {
  environmentDifferences,
  type PlanDifference,
  planDifferences,
  programDifferences,
} from './compare.js';
export { lockDigest, savedPlan, savedProgram, savedSecrets } from './make.js';
export { readSavedPlan } from './read.js';
export type { SavedPlan } from './types.js';
