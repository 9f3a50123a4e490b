export { NoNumberError } from './answer.js';
export { generate } from './generate.js';
export type { Generated } from './types.js';
