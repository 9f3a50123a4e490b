export { type HubCall, hubCalls, secretOf } from './calls.js';
export { type FetchJob, fetchForStage } from './fetch.js';
export { type PinnedProgram, type PinOptions, pinProgram } from './pin.js';
