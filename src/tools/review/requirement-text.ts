import { formatQuantity } from '../../language/check/units.js';
import { expressionText } from '../../language/ir/expression-text.js';
import type { Expression } from '../../language/ir/program.js';

/** `exact_match - baseline.exact_match >= 20%` */
export const requirementText = (condition: Expression): string => expressionText(condition, formatQuantity);
