export { type RunOutcome, type RunRequest, runPipeline } from './run.js';
