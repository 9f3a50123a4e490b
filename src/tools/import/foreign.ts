/** A settings file of another tool: its values, each with its place. */
import type { Span } from '../../language/source/span.js';
import { withoutControls } from './literals.js';

export type ForeignNode =
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null; readonly span: Span }
  | { readonly kind: 'list'; readonly items: readonly ForeignNode[]; readonly span: Span }
  | ForeignRecord;

export interface ForeignRecord {
  readonly kind: 'record';
  readonly entries: readonly ForeignEntry[];
  readonly span: Span;
}

export interface ForeignEntry {
  readonly key: string;
  /** Of the key. */
  readonly span: Span;
  readonly value: ForeignNode;
}

export const isUnset = (value: ForeignNode): boolean =>
  (value.kind === 'scalar' && (value.value === null || value.value === '')) ||
  (value.kind === 'list' && value.items.length === 0) ||
  (value.kind === 'record' && value.entries.length === 0);

export const valueIn = (record: ForeignRecord, key: string): ForeignNode | undefined =>
  record.entries.find((entry) => entry.key === key)?.value;

/** What a key may have as its value. */
export interface Reader<T> {
  /** `a number above 0`, for messages. */
  readonly expects: string;
  /** `undefined` if it is something else. */
  readonly read: (value: ForeignNode) => T | undefined;
}

const reader = <T>(expects: string, read: Reader<T>['read']): Reader<T> => ({ expects, read });

const scalarOf = (value: ForeignNode): string | number | boolean | null | undefined =>
  value.kind === 'scalar' ? value.value : undefined;

/** Python reads a number also where it is in quotes, or written `1e-4`, which YAML 1.1 takes for a text. */
function numberOf(value: ForeignNode): number | undefined {
  const scalar = scalarOf(value);
  const number =
    typeof scalar === 'number'
      ? scalar
      : typeof scalar === 'string' && /^\s*[-+]?(\d[\d_]*\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(scalar)
        ? Number(scalar.replaceAll('_', ''))
        : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

const numberWhere = (expects: string, isIn: (value: number) => boolean): Reader<number> =>
  reader(expects, (value) => {
    const number = numberOf(value);
    return number !== undefined && isIn(number) ? number : undefined;
  });

const FLAGS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
]);

const texts = reader('a text or a list of texts', (value) => {
  const items = value.kind === 'list' ? value.items.map(scalarOf) : [scalarOf(value)];
  return items.every((item) => typeof item === 'string') ? (items as readonly string[]) : undefined;
});

const isRank = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 1024;

const numbersByName = (
  expects: string,
  isIn: (value: number) => boolean,
): Reader<ReadonlyMap<string, number>> =>
  reader(expects, (value) => {
    if (value.kind !== 'record') return undefined;
    const pairs = value.entries.map((entry) => [entry.key, numberOf(entry.value) ?? Number.NaN] as const);
    return pairs.every(([, number]) => isIn(number)) ? new Map(pairs) : undefined;
  });

const names = reader('names with commas between them', (value) => {
  const items = texts.read(value)?.flatMap((text) => text.split(','));
  return items?.map((item) => item.trim()).filter((item) => item !== '');
});

const amounts = reader('numbers above 0 with commas between them', (value) => {
  const items: readonly ForeignNode[] | undefined =
    value.kind === 'list'
      ? value.items
      : (names.read(value)?.map((text) => ({ kind: 'scalar', value: text, span: value.span })) ?? [value]);
  const numbers = items.map((item) => numberOf(item) ?? 0);
  return numbers.every((number) => number > 0) ? numbers : undefined;
});

export const a = {
  positive: numberWhere('a number above 0', (value) => value > 0),
  /** At least 0. */
  amount: numberWhere('a number of at least 0', (value) => value >= 0),
  number: numberWhere('a number', () => true),
  /** 0 to below 1. */
  share: numberWhere('a number from 0 to below 1', (value) => value >= 0 && value < 1),
  count: numberWhere('a whole number of at least 1', (value) => Number.isInteger(value) && value >= 1),
  whole: numberWhere('a whole number', Number.isInteger),
  /** Of rows; a pipeline has steps of up to a million. */
  rows: numberWhere(
    'a whole number of 1 to 1000000',
    (value) => Number.isInteger(value) && value >= 1 && value <= 1e6,
  ),
  rank: numberWhere('a whole number of 1 to 1024', isRank),
  dropout: numberWhere('a number of 0 to 0.9', (value) => value >= 0 && value <= 0.9),
  seed: numberWhere('a whole number of at least 0', (value) => Number.isInteger(value) && value >= 0),
  flag: reader('`true` or `false`', (value) => FLAGS.get(scalarOf(value))),
  text: reader('a text', (value) => {
    const scalar = scalarOf(value);
    return typeof scalar === 'string' ? scalar : typeof scalar === 'number' ? `${scalar}` : undefined;
  }),
  /** A list of texts, or one text. */
  texts,
  /** Names with commas between them, or a list of names. */
  names,
  /** As names. */
  amounts,
  counts: reader('a list of whole numbers', (value) => {
    const items = value.kind === 'list' ? value.items.map(numberOf) : [numberOf(value)];
    return items.every((item) => item !== undefined && Number.isInteger(item) && item >= 0)
      ? (items as readonly number[])
      : undefined;
  }),
  /** By names that the author chose. */
  ranksByName: numbersByName('names with a rank of 1 to 1024 each', isRank),
  alphasByName: numbersByName('names with a number above 0 each', (value) => value > 0),
  record: reader('settings with their values', (value) => (value.kind === 'record' ? value : undefined)),
  records: reader('a list of settings', (value) => {
    const items = value.kind === 'list' ? value.items : [value];
    return items.every((item) => item.kind === 'record') ? (items as readonly ForeignRecord[]) : undefined;
  }),
  /** Anything at all. */
  value: reader('a value', (value: ForeignNode) => value),
} as const;

/** One of some words, in any case. */
export const oneOf = <W extends string>(...words: readonly W[]): Reader<W> =>
  reader(`one of ${words.map((word) => `\`${word}\``).join(', ')}`, (value) => {
    const scalar = scalarOf(value);
    return words.find((word) => word.toLowerCase() === String(scalar ?? '').toLowerCase());
  });

/** A value in one line, as it is shown to people: nothing in it can drive a terminal or end a comment. */
export function shown(value: ForeignNode, limit = 48): string {
  const text = JSON.stringify(plain(value)) ?? '';
  const safe = withoutControls(text);
  return safe.length <= limit ? safe : `${safe.slice(0, limit - 1)}…`;
}

/** As JSON has it; of secrets, nothing. */
export function plain(value: ForeignNode): unknown {
  if (value.kind === 'scalar') return value.value;
  if (value.kind === 'list') return value.items.map(plain);
  return Object.fromEntries(
    value.entries.map((entry) => [entry.key, isSecretKey(entry.key) ? '…' : plain(entry.value)]),
  );
}

/** Keys whose values are copied nowhere. */
export const isSecretKey = (key: string): boolean =>
  /(^|_)(hub|hf|ms|om|auth|access|api)_?(token|key)$|secret|password|webhook/i.test(key);
