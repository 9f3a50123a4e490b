export { damageOf } from './damage.js';
export { failedLastTime, findRun, type RunFilter, readRuns } from './find.js';
export { readRun, runIds } from './read.js';
export type { Damage, Run, RunStage, TrainStep, Validation } from './run.js';
