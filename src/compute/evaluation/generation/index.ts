export { NoNumberError } from './answer.js';
export { generate } from './generate.js';
export type { GeneratedAnswer } from './types.js';
