export { type PlanDifference, planDifferences, programDifferences } from './compare.js';
export { environmentDifferences } from './environment.js';
export { lockDigest, savedDevice, savedPlan, savedProgram, savedSecrets } from './make.js';
export type { SavedPlan } from './saved-file.js';
export { readSavedPlan } from './saved-file.js';
