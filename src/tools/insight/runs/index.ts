export { damageOf } from './damage.js';
export { failedLastTime, findRun, readRuns } from './find.js';
export { readRun, runIds } from './read.js';
export type { Run, RunStage } from './run.js';
