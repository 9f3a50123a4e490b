export { createDecoder } from './create.js';
export { planDecoder } from './plan.js';
export * from './types.js';
