export { diffRuns } from './diff.js';
export { diffText } from './text.js';
