export { type Checked, checked } from './checked.js';
export { CONFIG_FILE } from './config.js';
export { type LintReport, lint, lintReport, type Suppressed } from './lint.js';
export { type Mended, mend } from './mend.js';
export { ruleIds, rules } from './rules.js';
export { LEVELS, type Level, type Rule } from './types.js';
