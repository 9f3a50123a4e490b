export { hubCalls } from './calls.js';
export { fetchForStage } from './fetch.js';
export { type PinnedProgram, type PinOptions, pinProgram } from './pin.js';
