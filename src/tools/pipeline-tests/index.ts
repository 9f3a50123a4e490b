export { junit } from './junit.js';
export { readTests, type TestFile } from './read.js';
export { matches, runTests, type TestWorld } from './run.js';
export type { FileOutcome, Planned, Ran, TestOutcome, TestSettings } from './types.js';
