export { checked } from './checked.js';
export { applyFixes } from './fix.js';
export { type LintReport, lint, lintReport, type Suppressed } from './lint.js';
export { rules } from './rules.js';
export { LEVELS } from './types.js';
