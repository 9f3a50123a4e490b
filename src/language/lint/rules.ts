import { adapterRules } from './rules/adapters.js';
import { dataRules } from './rules/data.js';
import { evaluationRules } from './rules/evaluation.js';
import { modelRules } from './rules/models.js';
import { preferenceRules } from './rules/preferences.js';
import { specialTokenRules } from './rules/special-tokens.js';
import { trainingRules } from './rules/training.js';

/** Every rule, in order of their codes. A new one needs an entry in one of these tables, and a page in `docs/errors`. */
export const rules = [
  ...trainingRules,
  ...adapterRules,
  ...dataRules,
  ...evaluationRules,
  ...modelRules,
  ...preferenceRules,
  ...specialTokenRules,
].sort((a, b) => (a.code < b.code ? -1 : 1));

export const ruleIds: readonly string[] = rules.map(({ id }) => id);
