export { diffRuns, type RunDiff } from './diff.js';
export { diffText } from './text.js';
