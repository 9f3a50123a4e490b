export { failedLastTime, findRun, readRuns } from './find.js';
export { readRun } from './read.js';
export { damageOf, type Run, type RunStage } from './run.js';
