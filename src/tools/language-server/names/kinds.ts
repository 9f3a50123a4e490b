import type { StageKind } from '../../../language/ir/types.js';
import type { Setting } from '../../../language/schemas/schema.js';
import { budgetSettings } from '../../../language/schemas/stages/budget.js';
import { schemas } from '../../../language/schemas/stages/index.js';

/** `undefined` for a budget, and for what is no kind. */
export const schemaOf = (kind: string) =>
  Object.hasOwn(schemas, kind) ? schemas[kind as StageKind] : undefined;

/** What may be set in a block of this kind. */
export const settingsIn = (kind: string): Readonly<Record<string, Setting>> =>
  kind === 'budget' ? budgetSettings : (schemaOf(kind)?.settings ?? {});
