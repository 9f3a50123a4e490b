export { junit } from './junit.js';
export { readTests, type TestFile } from './read.js';
export { matches, runTests, type TestRunner } from './run.js';
export type { FileOutcome, PlanResult, RunResult, TestOutcome, TestSettings } from './types.js';
