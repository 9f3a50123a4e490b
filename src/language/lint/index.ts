export { checkFile } from './check-file.js';
export { applyFixes } from './fix.js';
export { type LintReport, lintReport, type SuppressedFinding } from './lint.js';
export { rules } from './rules.js';
