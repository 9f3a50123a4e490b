export { failedLastTime, findRun, newestRun, readRuns } from './find.js';
export { readRun } from './read.js';
export { damageOf, type Run, type RunStage, type TrainStep } from './run.js';
