export { damageOf } from './damage.js';
export { failedLastTime, findRun, readRuns } from './find.js';
export { readRun } from './read.js';
export type { Run, RunStage } from './run.js';
