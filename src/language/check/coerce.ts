/** A constant as the value of a setting: kind, unit, range, and the form of a string. */
import { badRepository, badRevision } from '../diagnostics/catalogue/hub.js';
import * as errors from '../diagnostics/catalogue/values.js';
import { replace } from '../diagnostics/make.js';
import type { Value } from '../ir/program.js';
import { isCall } from '../ir/values.js';
import { isRepositoryId, isRevision } from '../schemas/repositories.js';
import type { SettingType } from '../schemas/schema.js';
import type { Span } from '../source/span.js';
import type { Context } from './context.js';
import { constantNoun, typeNoun } from './nouns.js';
import type { Constant } from './scope.js';
import { formatNumber, formatQuantity, needsUnit, suffixesOf } from './units.js';

type Of<K extends SettingType['kind']> = Extract<SettingType, { kind: K }>;

export function coerce(
  constant: Constant,
  type: SettingType,
  span: Span,
  context: Context,
): Value | undefined {
  const { value } = constant;
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(constant, type, span, context);
    case 'string':
      return typeof value === 'string' ? value : mismatch(constant, type, span, context);
    case 'none':
      return value === null ? value : mismatch(constant, type, span, context);
    case 'integer':
    case 'number':
      return number(constant, type, span, context);
    case 'quantity':
      return quantity(constant, type, span, context);
    case 'enum':
      if (typeof value === 'string' && type.values.includes(value)) return value;
      return typeof value === 'string'
        ? context.report(errors.unknownChoice(span, value, type.values))
        : mismatch(constant, type, span, context);
    case 'call':
      return isCall(value) ? value : mismatch(constant, type, span, context);
    default:
      return mismatch(constant, type, span, context);
  }
}

function number(
  constant: Constant,
  type: Of<'integer' | 'number'>,
  span: Span,
  context: Context,
): number | undefined {
  const { value, unit } = constant;
  // A share is a number: `90%` is 0.9.
  const fits = unit === undefined || (unit === 'ratio' && type.kind === 'number');
  if (typeof value !== 'number' || !fits) return mismatch(constant, type, span, context);
  if (type.kind === 'integer' && !Number.isInteger(value))
    return context.report(errors.notInteger(span, `\`${value}\``));
  if (type.kind === 'integer' && !Number.isSafeInteger(value)) return beyondWhole(value, span, context);
  if (!Number.isFinite(value)) return context.report(errors.outOfRange(span, `\`${value}\``, 'finite'));
  return inRange(constant, value, { ...type, show: formatNumber }, span, context);
}

function quantity(constant: Constant, type: Of<'quantity'>, span: Span, context: Context): Value | undefined {
  const { value } = constant;
  if (typeof value !== 'number') return mismatch(constant, type, span, context);
  // Nothing is nothing in every unit.
  const unit = constant.unit ?? (value === 0 ? type.units[0] : undefined);
  if (unit === undefined) return context.report(needsUnit(value, type.units, span));
  if (!type.units.includes(unit))
    return context.report(
      errors.wrongUnit(span, constantNoun(constant), typeNoun(type), suffixesOf(type.units)),
    );
  if ((unit === 'tokens' || unit === 'steps') && !Number.isInteger(value))
    return context.report(errors.notInteger(span, constantNoun(constant)));
  if ((unit === 'tokens' || unit === 'steps') && !Number.isSafeInteger(value))
    return beyondWhole(value, span, context);
  const bounds =
    type.min === undefined && type.max === undefined && type.units.length > 1
      ? { min: 0, max: unit === 'ratio' ? 1 : undefined }
      : type;
  const show = (bound: number): string => formatQuantity(bound, unit);
  const kept = inRange(constant, value, { ...bounds, show }, span, context);
  if (kept === undefined) return undefined;
  return type.units.length === 1 ? kept : { unit, value: kept };
}

/** Further whole numbers are not told apart: `9007199254740993` would silently be another one. */
const beyondWhole = (value: number, span: Span, context: Context): undefined =>
  context.report(
    errors.outOfRange(
      span,
      'this whole number',
      value > 0 ? `at most ${Number.MAX_SAFE_INTEGER}` : `at least ${Number.MIN_SAFE_INTEGER}`,
    ),
  );

interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
  readonly below?: number;
  /** A bound as it would be written. */
  readonly show: (bound: number) => string;
}

function inRange(
  { written, at }: Constant,
  value: number,
  { min, max, above, below, show }: Range,
  span: Span,
  context: Context,
): number | undefined {
  const low = min !== undefined && value < min;
  const high = (max !== undefined && value > max) || (below !== undefined && value >= below);
  if (!low && !high && !(above !== undefined && value <= above)) return value;
  const range =
    min !== undefined && max !== undefined
      ? `from ${show(min)} to ${show(max)}`
      : min !== undefined && below !== undefined
        ? `at least ${show(min)} and below ${show(below)}`
        : min !== undefined
          ? `at least ${show(min)}`
          : max !== undefined
            ? `at most ${show(max)}`
            : `above ${show(above ?? 0)}`;
  return context.report(errors.outOfRange(span, `\`${written ?? show(value)}\``, range, at));
}

function mismatch(constant: Constant, type: SettingType, span: Span, context: Context): undefined {
  const { value } = constant;
  const numeric = type.kind === 'integer' || type.kind === 'number' || type.kind === 'quantity';
  const isQuotedNumber =
    numeric && typeof value === 'string' && /^\d+(\.\d+)?([eE][+-]?\d+)?\S*$/.test(value);
  return context.report(
    errors.typeMismatch(
      span,
      typeNoun(type),
      constantNoun(constant),
      isQuotedNumber
        ? {
            help: 'numbers are written without quotes',
            fixes: [replace('remove the quotes', span, value, 'maybe_incorrect')],
          }
        : {},
    ),
  );
}

const badPattern = (at: Span, pattern: string) => errors.badPattern(at, pattern, patternFault(pattern) ?? '');

const FORMS = {
  repository: { holds: isRepositoryId, wrong: badRepository },
  revision: { holds: isRevision, wrong: badRevision },
  filled: { holds: (text: string) => text !== '', wrong: errors.emptyText },
  pattern: { holds: (text: string) => patternFault(text) === undefined, wrong: badPattern },
} as const;

/** What is wrong with a regular expression, as JavaScript says it; `undefined`: nothing. */
function patternFault(pattern: string): string | undefined {
  if (pattern === '') return 'it is empty';
  try {
    new RegExp(pattern, 'u');
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.slice(message.lastIndexOf(': ') + 2);
  }
}

/** The text as written, where it has the form. */
export function checkForm(
  text: string,
  form: keyof typeof FORMS,
  span: Span,
  context: Context,
): string | undefined {
  const { holds, wrong } = FORMS[form];
  return holds(text) ? text : context.report(wrong(span, text));
}
