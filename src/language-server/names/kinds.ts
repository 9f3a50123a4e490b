import type { StageKind } from '../../ir/types.js';
import { budgetSettings } from '../../stages/budget.js';
import type { Setting } from '../../stages/schema.js';
import { schemas } from '../../stages/schemas.js';

/** `undefined` for a budget, and for what is no kind. */
export const schemaOf = (kind: string) =>
  Object.hasOwn(schemas, kind) ? schemas[kind as StageKind] : undefined;

/** What may be set in a block of this kind. */
export const settingsIn = (kind: string): Readonly<Record<string, Setting>> =>
  kind === 'budget' ? budgetSettings : (schemaOf(kind)?.settings ?? {});
