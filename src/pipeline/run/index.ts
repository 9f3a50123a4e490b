export { type Prepared, type RunOutcome, type RunRequest, runPipeline } from './run.js';
