import type { Value } from '../ir/program.js';
import type { SettingType } from '../schemas/schema.js';
import type { Expression } from '../syntax/ast.js';
import type { Context } from './context.js';

/** An expression as a value of one kind of type; `path` is where the value is in the stage (`lora.rank`), `undefined` inside lists. */
export type Evaluate<K extends SettingType['kind']> = (
  expression: Expression,
  type: Extract<SettingType, { kind: K }>,
  context: Context,
  path: string | undefined,
) => Value | undefined;
