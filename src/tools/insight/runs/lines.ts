/** The lines of a journal or of a curve: what can be read of them, whatever happened to the file. */
import { anyObject, isJson, type Json, tryJson } from '../../../language/host/json.js';

interface JsonLines {
  readonly objects: readonly Json[];
  /** Of those that cannot be read, from 1. */
  readonly bad: readonly number[];
  /** The last of them is the last of the file. */
  readonly torn: boolean;
}

/** The last line and, where that was cut off, the one before it say how long a run that was killed lived. */
const ENDING = 2;

/** `skip` says which lines but the last ones are not looked at: a journal has one for every step. */
export function readLines(text: string, skip: (line: string) => boolean = () => false): JsonLines {
  const lines = text.split('\n');
  // A sound file ends with a line end.
  const last = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  const objects: Json[] = [];
  const bad: number[] = [];
  for (let index = 0; index < last; index++) {
    const line = lines[index] ?? '';
    if (line.trim() === '' || (index < last - ENDING && skip(line))) continue;
    const object = tryJson(anyObject, line);
    if (object === undefined) bad.push(index + 1);
    else objects.push(object);
  }
  return { objects, bad, torn: bad.at(-1) === last && lines.at(-1) !== '' };
}

export const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
export const asNumber = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

/** The entries of an object whose values are of one kind; `null` if it is not an object. */
export function entriesOf<T>(
  value: unknown,
  as: (value: unknown) => T | undefined,
): Readonly<Record<string, T>> | null {
  if (!isJson(value)) return null;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => {
      const found = as(field);
      return found === undefined ? [] : [[name, found] as const];
    }),
  );
}
