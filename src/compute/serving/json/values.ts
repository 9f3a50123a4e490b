/** JSON values of any kind, and the white space between their parts. */
import {
  characters,
  choice,
  type Item,
  later,
  literal,
  NOTHING,
  optional,
  repeat,
  sequence,
} from './items.js';
import { anyString } from './strings.js';

const digits = (least: number, most: number): Item => repeat(characters([[0x30, 0x39]]), least, most);

const WHOLE = sequence(
  optional(literal('-')),
  choice(literal('0'), sequence(characters([[0x31, 0x39]]), digits(0, 14))),
);

/** Numbers without bounds have no more digits than a float64, so that they end. */
export const INTEGER = WHOLE;
export const NUMBER = sequence(
  WHOLE,
  optional(sequence(literal('.'), digits(1, 15))),
  optional(
    sequence(choice(literal('e'), literal('E')), optional(choice(literal('-'), literal('+'))), digits(1, 2)),
  ),
);

export const BOOLEAN = choice(literal('true'), literal('false'));
export const NULL = literal('null');

/** Between the parts of an object or a list: nothing, a space, or a new line with its indentation; it ends, as answers must. */
const GAP = choice(NOTHING, literal(' '), sequence(literal('\n'), repeat(literal(' '), 0, 16)));
const COLON = sequence(literal(':'), optional(literal(' ')));

export const property = (name: Item, value: Item): Item => sequence(name, COLON, value);

/** Between an opening and a closing mark; `parts` begins with the first part. */
export const enclosed = (open: string, parts: Item, close: string): Item =>
  sequence(literal(open), GAP, parts, GAP, literal(close));
export const empty = (open: string, close: string): Item => sequence(literal(open), GAP, literal(close));

export const COMMA = sequence(literal(','), GAP);

export const ANY_OBJECT: Item = later(() => OBJECT);
export const ANY: Item = later(() => VALUE);

const MEMBER = property(anyString(), ANY);
const OBJECT = choice(
  empty('{', '}'),
  enclosed('{', sequence(MEMBER, repeat(sequence(COMMA, MEMBER), 0)), '}'),
);
const LIST = choice(empty('[', ']'), enclosed('[', sequence(ANY, repeat(sequence(COMMA, ANY), 0)), ']'));
const VALUE = choice(NUMBER, anyString(), BOOLEAN, NULL, OBJECT, LIST);

/** A value as `JSON.stringify` writes it. */
export const exactly = (value: unknown): Item => literal(JSON.stringify(value));
