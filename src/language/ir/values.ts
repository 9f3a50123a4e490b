/** Which kind of value a setting has, told by its tag. */
import type { Call, FileValue, Quantity, Reference, SecretValue, Value, Values } from './program.js';

/** An object of any kind, tagged or not. */
export const isRecord = (value: unknown): value is Values =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

export const isList = (value: Value | undefined): value is readonly Value[] => Array.isArray(value);

export const isCall = (value: unknown): value is Call =>
  isRecord(value) && typeof value['call'] === 'string' && isRecord(value['args']);

export const isReference = (value: unknown): value is Reference =>
  isRecord(value) && typeof value['stage'] === 'string' && typeof value['port'] === 'string';

export const isQuantity = (value: unknown): value is Quantity =>
  isRecord(value) && typeof value['unit'] === 'string' && typeof value['value'] === 'number';

/** A plan has files without their text. */
export const isFile = (value: unknown): value is Pick<FileValue, 'file' | 'sha256'> =>
  isRecord(value) && typeof value['file'] === 'string' && typeof value['sha256'] === 'string';

/** A file with its text, as the compiler reads it. */
export const isReadFile = (value: unknown): value is FileValue =>
  isFile(value) && 'text' in value && typeof value.text === 'string';

export const isSecret = (value: unknown): value is SecretValue =>
  isRecord(value) && typeof value['secret'] === 'string' && typeof value['env'] === 'string';

/** A record of settings, and no tagged value. */
export const isPlainRecord = (value: unknown): value is Values =>
  isRecord(value) && ![isCall, isReference, isQuantity, isFile, isSecret].some((isTagged) => isTagged(value));
