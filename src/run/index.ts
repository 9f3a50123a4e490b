export { type Prepared, type RunOutcome, type RunRequest, runPipeline, type Watcher } from './run.js';
