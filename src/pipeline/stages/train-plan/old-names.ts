/** Names in files of earlier versions: outputs, saved plans, snapshots, records of the store, pipeline tests. */
import { FIELDS } from './fields.js';

export const newFieldName = (name: string): string =>
  FIELDS.find(({ formerly }) => formerly === name)?.name ?? name;

/** `head_chunk` → `logits_chunk`: the same name as that of a setting, or in a test. */
export const newSettingName = (name: string): string =>
  settingName(newFieldName(name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())));

/** `logitsChunk` → `logits_chunk` */
export const settingName = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** `chosen.headChunk` → `chosen.logitsChunk`: the same name as that of a part of a key. */
export const newPartName = (name: string): string =>
  name.startsWith(CHOSEN) ? CHOSEN + newFieldName(name.slice(CHOSEN.length)) : name;

const CHOSEN = 'chosen.';

/** The same fields under the names that `rename` gives them. */
export const renamed = <T>(
  fields: Readonly<Record<string, T>>,
  rename: (name: string) => string,
): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [rename(name), value]));
