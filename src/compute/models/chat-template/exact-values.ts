/**
 * Values of a template that JSON of JavaScript does not hold: whole floats, long whole numbers, and objects in the
 * order of their text.
 */
import { entriesOf, LongWhole, WholeFloat } from '../../../language/host/exact-json.js';
import {
  ArrayValue,
  BooleanValue,
  FloatValue,
  IntegerValue,
  type JinjaValue,
  NullValue,
  ObjectValue,
  StringValue,
} from './jinja.js';

/** A value as a template sees it; JavaScript's numbers are floats where they are not whole. */
export function jinjaValue(value: unknown): JinjaValue {
  if (value instanceof WholeFloat) return new FloatValue(value.value);
  if (value instanceof LongWhole) return new IntegerValue(value.exact);
  if (typeof value === 'string') return new StringValue(value);
  if (typeof value === 'number')
    return Number.isInteger(value) ? new IntegerValue(value) : new FloatValue(value);
  if (Array.isArray(value)) return new ArrayValue(value.map(jinjaValue));
  const entries = entriesOf(value);
  if (entries !== undefined)
    return new ObjectValue(new Map(entries.map(([name, inner]) => [name, jinjaValue(inner)])));
  return typeof value === 'boolean' ? new BooleanValue(value) : new NullValue();
}
