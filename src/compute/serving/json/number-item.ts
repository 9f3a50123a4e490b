import type { Json } from '../../../language/host/json.js';
import type { Item, NumberBounds } from './items.js';
import { mayBecomeNumber } from './numbers.js';
import { SchemaError } from './schema-error.js';
import { INTEGER, NUMBER } from './values.js';

const BOUNDS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'] as const;

/** `number` and `integer`. */
export function numberItem(schema: Json, at: string, isInteger: boolean): Item {
  const [least, most, above, below] = BOUNDS.map((name) => {
    const value = schema[name];
    if (value === undefined || typeof value === 'number') return value;
    throw new SchemaError(`\`${name}\` at \`${at}\` is no number`);
  });
  if ([least, most, above, below].every((bound) => bound === undefined)) return isInteger ? INTEGER : NUMBER;
  const bounds: NumberBounds = {
    isInteger,
    least: Math.max(least ?? Number.NEGATIVE_INFINITY, above ?? Number.NEGATIVE_INFINITY),
    most: Math.min(most ?? Number.POSITIVE_INFINITY, below ?? Number.POSITIVE_INFINITY),
    aboveLeast: above !== undefined && above >= (least ?? above),
    belowMost: below !== undefined && below <= (most ?? below),
  };
  if (!['', '-'].some((text) => mayBecomeNumber(text, bounds)))
    throw new SchemaError(`no number of 15 digits is within the bounds at \`${at}\``);
  return { kind: 'number', bounds, text: '' };
}
