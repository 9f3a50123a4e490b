/** Quantities: from what is written to base units, and back to words. */
import { UNITS, type UnitSuffix, unitsMeantBy } from '../../../grammar/units.js';
import * as errors from '../diagnostics/catalogue/values.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Unit } from '../ir/program.js';
import type { SettingType } from '../schemas/schema.js';
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
  ratio: 'a percentage',
  bandwidth: 'a bandwidth',
  rate: 'a number of operations per second',
  price: 'a price',
  hourly_price: 'a price per hour',
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
  const steps = STEPS[unit];
  const suffix = steps.find((step) => Math.abs(value) >= UNITS[step].factor) ?? steps.at(-1) ?? 'B';
  return `${trim(value / UNITS[suffix].factor)}${suffix}`;
}

/** Suffixes from the largest. */
const STEPS: Readonly<Record<Exclude<Unit, 'ratio' | 'tokens' | 'steps'>, readonly UnitSuffix[]>> = {
  bytes: ['TiB', 'GiB', 'MiB', 'KiB', 'B'],
  seconds: ['d', 'h', 'm', 's', 'ms'],
  bandwidth: ['TB/s', 'GB/s', 'MB/s'],
  rate: ['TFLOPS', 'GFLOPS'],
  price: ['usd'],
  hourly_price: ['usd/h'],
};

const trim = (value: number): string => `${Number(value.toPrecision(6))}`;

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
  'GB/s': '10^9 bytes per second',
  'TB/s': '10^12 bytes per second',
  GFLOPS: '10^9 operations per second',
  TFLOPS: '10^12 operations per second',
  TOPS: '10^12 operations per second',
  usd: 'US dollars',
  'usd/h': 'US dollars per hour',
};

/** `24gb`: names the units that are meant; `units` is what the place takes, where that is known. */
export function unknownUnit(
  expression: Extract<Expression, { kind: 'bad_quantity' }>,
  units: readonly Unit[] | undefined,
): Diagnostic {
  const { digits, suffix, span } = expression;
  const fits = (candidate: UnitSuffix): boolean =>
    units === undefined || units.length === 0 || units.includes(UNITS[candidate].measure);
  const meant = unitsMeantBy(suffix).filter(fits);
  const known = units === undefined || units.length === 0 ? SUFFIXES : suffixesOf(units);
  const sum = runTogether(`${digits}${suffix}`);
  if (sum !== undefined) return errors.unitsRunTogether(span, `${digits}${suffix}`, sum);
  return errors.unknownUnit(
    span,
    `${digits}${suffix}`,
    meant.length > 0
      ? meant.map((unit) => ({ text: `${digits}${unit}`, says: SAYS[unit] ?? unit }))
      : prefixed(digits, suffix, fits),
    known,
  );
}

/** `0x10`, `0b101`, `0o17`. */
const BASED = /^0(?:x[0-9a-f]+|b[01]+|o[0-7]+)$/i;

/** `10k`, where no unit is wanted. */
const POWERS: Readonly<Record<string, number>> = { k: 1e3, K: 1e3, M: 1e6 };

/** A number as other languages write it, where a value of `type` is wanted. */
export function foreignNumber(
  { digits, suffix, span }: Extract<Expression, { kind: 'bad_quantity' }>,
  type: SettingType | undefined,
): Diagnostic | undefined {
  const written = `${digits}${suffix}`;
  const own = /^(?:_\d+)+([A-Za-z%]*)$/.exec(suffix)?.[1];
  if (own === '' || (own !== undefined && Object.hasOwn(UNITS, own)))
    return errors.digitSeparators(span, written, written.replaceAll('_', ''));
  // Each type of a union is asked for itself.
  if (type?.kind === 'union') return undefined;
  const power = type?.kind === 'integer' || type?.kind === 'number' ? POWERS[suffix] : undefined;
  if (power !== undefined) return errors.notDecimal(span, written, `${Number(digits) * power}`);
  if (!BASED.test(written)) return undefined;
  const unit = type?.kind === 'quantity' ? type.units[0] : undefined;
  return errors.notDecimal(span, written, `${Number(written)}${unit === undefined ? '' : LIKELY[unit]}`);
}

/** `1h30m`: quantities of one measure, run together, as one of the smallest unit. */
function runTogether(written: string): string | undefined {
  const parts = [...written.matchAll(/(\d+(?:\.\d+)?)([A-Za-z]+)/g)];
  const known = parts.flatMap(([, digits = '', suffix = '']) =>
    SUFFIXES.filter((unit) => unit === suffix).map((unit) => ({
      value: Number(digits),
      unit,
      ...UNITS[unit],
    })),
  );
  const whole = parts.map(([text]) => text).join('') === written && known.length === parts.length;
  const [first, last] = [known[0], known.at(-1)];
  if (!whole || first === undefined || last === undefined || first === last) return undefined;
  if (known.some(({ measure }) => measure !== first.measure)) return undefined;
  const sum = known.reduce((total, { value, factor }) => total + value * factor, 0);
  return `${trim(sum / last.factor)}${last.unit}`;
}

/** `2ktok`, `4k`: how many, with a letter for a thousand (or 1024) or a million of them. */
const PREFIXED = /^(?:(k)|(m))(tok|tokens?|steps?)?$/i;

function prefixed(digits: string, suffix: string, fits: (unit: UnitSuffix) => boolean) {
  const [found, thousand, , word] = PREFIXED.exec(suffix) ?? [];
  const unit = SUFFIXES.find((known) => known === (word?.startsWith('s') === true ? 'steps' : 'tok'));
  if (found === undefined || unit === undefined || !fits(unit)) return [];
  const power = thousand === undefined ? 2 : 1;
  return [1000, 1024].map((base) => ({
    text: `${Number(digits) * base ** power}${unit}`,
    says: `of ${base ** power} each`,
  }));
}

const LIKELY: Readonly<Record<Unit, UnitSuffix>> = {
  bytes: 'GiB',
  seconds: 'm',
  tokens: 'tok',
  steps: 'steps',
  ratio: '%',
  bandwidth: 'GB/s',
  rate: 'TFLOPS',
  price: 'usd',
  hourly_price: 'usd/h',
};

/** A bare number where a unit is needed. */
export function needsUnit(value: number, units: readonly Unit[], span: Span): Diagnostic {
  const unit = units[0] ?? 'tokens';
  if (unit === 'ratio' && units.length === 1)
    return errors.shareNeeded(span, `${value}`, Math.abs(value) <= 1 ? `${trim(value * 100)}%` : `${value}%`);
  // A share below 1 is one: `0.05` of the steps is `5%` of them.
  const isShare = units.includes('ratio') && value > 0 && value < 1;
  const forms = isShare
    ? [`${trim(value * 100)}%`]
    : suffixesOf(units.filter((one) => one !== 'steps' || Number.isInteger(value))).map(
        (suffix) => `${value}${suffix}`,
      );
  const other = units.find((one) => one !== 'ratio') ?? unit;
  const likely = units.length > 1 && Number.isInteger(value) ? other : unit;
  return errors.unitNeeded(span, `${value}`, forms, isShare ? forms : [`${value}${LIKELY[likely]}`]);
}
