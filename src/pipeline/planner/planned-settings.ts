/** What the planner sets of a train stage and no block can say, by path. */
import type { Setting } from '../../language/schemas/schema.js';
import { recordFields } from '../../language/schemas/setting-paths.js';
import { schemas } from '../../language/schemas/stages/index.js';
import { FIELDS } from '../stages/train-plan/fields.js';

function isInSchema(path: string): boolean {
  const names = path.split('.');
  const leaf = names.pop() ?? '';
  const fields = names.reduce<Readonly<Record<string, Setting>> | undefined>(
    (outer, name) => recordFields(outer?.[name]?.type),
    schemas.train.settings,
  );
  return fields !== undefined && Object.hasOwn(fields, leaf);
}

export const PLANNED_SETTINGS: Readonly<Record<string, Setting>> = Object.fromEntries(
  FIELDS.filter(({ setting }) => !isInSchema(setting)).map(({ setting, type, doc }) => [
    setting,
    { type, doc, required: false },
  ]),
);
