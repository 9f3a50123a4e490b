import type { StageKind } from '../../ir/types.js';
import { schemas } from '../../stages/schemas.js';

/** `undefined` for a budget, and for what is no kind. */
export const schemaOf = (kind: string) =>
  Object.hasOwn(schemas, kind) ? schemas[kind as StageKind] : undefined;
