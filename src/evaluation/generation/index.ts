export { NoNumberError } from './answer.js';
export { generate } from './generate.js';
export type { Sampling } from './sampling.js';
export type { EndReason, Generated, GenerationOptions } from './types.js';
