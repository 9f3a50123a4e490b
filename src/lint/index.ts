export { type Checked, checked } from './checked.js';
export { CONFIG_FILE } from './config.js';
export { applyFixes, type Fixed } from './fix.js';
export { type LintReport, lint, lintReport, type Suppressed } from './lint.js';
export { ruleIds, rules } from './rules.js';
export { LEVELS, type Level, type Rule } from './types.js';
