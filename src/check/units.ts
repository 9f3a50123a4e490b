/** Quantities: from what is written to base units, and back to words. */
import { UNITS, type UnitSuffix } from '../../grammar/units.js';
import * as errors from '../diagnostics/catalogue/values.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Unit } from '../ir/types.js';
import type { Span } from '../source/span.js';
import type { Expression } from '../syntax/ast.js';

const SUFFIXES = Object.keys(UNITS) as readonly UnitSuffix[];

export const suffixesOf = (units: readonly Unit[]): readonly string[] =>
  SUFFIXES.filter((suffix) => units.includes(UNITS[suffix].measure));

/** `5%` → 0.05 of unit ratio. Divides where the factor is a fraction, so that decimal literals stay exact. */
export function baseValue(value: number, suffix: string): { readonly value: number; readonly unit: Unit } {
  const { measure, factor } = UNITS[suffix as UnitSuffix];
  return { value: factor < 1 ? value / Math.round(1 / factor) : value * factor, unit: measure };
}

const NOUNS: Readonly<Record<Unit, string>> = {
  bytes: 'a size in bytes',
  seconds: 'a time',
  tokens: 'a number of tokens',
  steps: 'a number of steps',
  ratio: 'a share in percent',
};

export const unitNoun = (unit: Unit): string => NOUNS[unit];

/** One spelling a number, whichever the file has: `0.0001` is `1e-4`. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e9) ? value.toExponential().replace('+', '') : `${value}`;
}

/** A value in base units as a person would write it. */
export function formatQuantity(value: number, unit: Unit | 'number' | undefined): string {
  if (unit === undefined || unit === 'number') return formatNumber(value);
  if (unit === 'ratio') return `${trim(value * 100)}%`;
  if (unit === 'tokens') return `${value}tok`;
  if (unit === 'steps') return `${value}steps`;
  const steps: readonly UnitSuffix[] =
    unit === 'bytes' ? ['TiB', 'GiB', 'MiB', 'KiB', 'B'] : ['d', 'h', 'm', 's', 'ms'];
  const suffix = steps.find((step) => Math.abs(value) >= UNITS[step].factor) ?? steps.at(-1) ?? 'B';
  return `${trim(value / UNITS[suffix].factor)}${suffix}`;
}

const trim = (value: number): string => `${Number(value.toPrecision(6))}`;

/** Words that people use for units, by what they mean. */
const MEANT: Readonly<Record<string, readonly UnitSuffix[]>> = {
  k: ['KB', 'KiB'],
  kb: ['KB', 'KiB'],
  mb: ['MB', 'MiB'],
  g: ['GB', 'GiB'],
  gb: ['GB', 'GiB'],
  gig: ['GB', 'GiB'],
  tb: ['TB', 'TiB'],
  kib: ['KiB'],
  mib: ['MiB'],
  gib: ['GiB'],
  tib: ['TiB'],
  b: ['B'],
  byte: ['B'],
  bytes: ['B'],
  ms: ['ms'],
  msec: ['ms'],
  sec: ['s'],
  secs: ['s'],
  second: ['s'],
  seconds: ['s'],
  min: ['m'],
  mins: ['m'],
  minute: ['m'],
  minutes: ['m'],
  hr: ['h'],
  hrs: ['h'],
  hour: ['h'],
  hours: ['h'],
  day: ['d'],
  days: ['d'],
  t: ['tok'],
  tk: ['tok'],
  toks: ['tok'],
  token: ['tok'],
  tokens: ['tok'],
  step: ['steps'],
  pct: ['%'],
  percent: ['%'],
};

const SAYS: Partial<Readonly<Record<UnitSuffix, string>>> = {
  KB: '10^3 bytes',
  MB: '10^6 bytes',
  GB: '10^9 bytes',
  TB: '10^12 bytes',
  KiB: '2^10 bytes',
  MiB: '2^20 bytes',
  GiB: '2^30 bytes',
  TiB: '2^40 bytes',
  B: 'bytes',
  ms: 'milliseconds',
  s: 'seconds',
  m: 'minutes',
  h: 'hours',
  d: 'days',
  tok: 'tokens',
  steps: 'steps',
  '%': 'percent',
};

/** `24gb`: names the units that are meant; `units` is what the place takes, where that is known. */
export function unknownUnit(
  expression: Extract<Expression, { kind: 'bad_quantity' }>,
  units: readonly Unit[] | undefined,
): Diagnostic {
  const { digits, suffix, span } = expression;
  const fits = (candidate: UnitSuffix): boolean =>
    units === undefined || units.length === 0 || units.includes(UNITS[candidate].measure);
  const lower = suffix.toLowerCase();
  const meant = (
    (Object.hasOwn(MEANT, lower) ? MEANT[lower] : undefined) ??
    SUFFIXES.filter((known) => known.toLowerCase() === lower)
  ).filter(fits);
  const known = units === undefined || units.length === 0 ? SUFFIXES : suffixesOf(units);
  return errors.unknownUnit(
    span,
    `${digits}${suffix}`,
    meant.map((unit) => ({ text: `${digits}${unit}`, says: SAYS[unit] ?? unit })),
    known,
  );
}

const LIKELY: Readonly<Record<Unit, UnitSuffix>> = {
  bytes: 'GiB',
  seconds: 'm',
  tokens: 'tok',
  steps: 'steps',
  ratio: '%',
};

/** A bare number where a unit is needed. */
export function needsUnit(value: number, units: readonly Unit[], span: Span): Diagnostic {
  const unit = units[0] ?? 'tokens';
  if (unit === 'ratio' && units.length === 1)
    return errors.shareNeeded(span, `${value}`, Math.abs(value) <= 1 ? `${trim(value * 100)}%` : `${value}%`);
  const likely = unit === 'ratio' && Number.isInteger(value) ? (units[1] ?? unit) : unit;
  return errors.unitNeeded(span, `${value}`, suffixesOf(units), `${value}${LIKELY[likely]}`);
}
