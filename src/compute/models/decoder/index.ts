export { createDecoder } from './create.js';
export * from './types.js';
