export {
  environmentDifferences,
  type PlanDifference,
  planDifferences,
  programDifferences,
} from './compare.js';
export { lockDigest, savedPlan, savedProgram, savedSecrets } from './make.js';
export type { SavedPlan } from './saved-file.js';
export { readSavedPlan } from './saved-file.js';
