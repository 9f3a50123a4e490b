/** `matrix rate: Number = [1e-4, 2e-4]`: the values of each, and their combinations. */
import * as errors from '../diagnostics/catalogue/params.js';
import { emptyDraw, rangeWithoutSearch } from '../diagnostics/catalogue/search.js';
import type { Value } from '../ir/program.js';
import { isCall } from '../ir/values.js';
import type { SettingType } from '../schemas/schema.js';
import { lookUp } from '../source/look-up.js';
import type { Span } from '../source/span.js';
import { type SourceText, spanText } from '../source/text.js';
import type { Expression, Matrix } from '../syntax/ast.js';
import type { Context } from './context.js';
import { type DrawnRange, isWhole, valueAt } from './draws.js';
import { wrongType } from './nouns.js';
import { given, measured, type Overrides } from './overrides.js';
import { declaredType, narrowed } from './params.js';
import type { Constant, MatrixSymbol } from './scope.js';
import { evaluate } from './setting-value.js';
import { formatQuantity } from './units.js';

interface MatrixValue {
  readonly constant: Constant;
  /** How names of stages show it: `1e-4`. */
  readonly label: string;
  /** As it is in the file: what `-p` takes. */
  readonly written: string;
}

/** The value of each matrix in one combination, by name. */
export type Binding = ReadonlyMap<string, MatrixValue>;

/** What is said about one matrix. */
export interface Axis {
  readonly name: string;
  readonly span: Span;
  readonly values: readonly MatrixValue[];
  /** Of a range: the value at a share of it, from 0 to 1. */
  readonly drawn?: (share: number) => MatrixValue;
}

/** Stages that a matrix may lead to: more is a mistake, or a week of training. */
const MOST = 64;

export const matrixSymbol = (
  declaration: Matrix,
  context: Context,
  binding: Binding | undefined,
): MatrixSymbol => ({
  kind: 'matrix',
  declaration,
  type: declaredType(declaration.type, context),
  isOpen: binding === undefined,
  constant: () => binding?.get(declaration.name.text)?.constant,
});

/** The values of a matrix, of which `-p` chooses one; none if they are invalid, which has been reported. */
export function axisOf(
  declaration: Matrix,
  source: SourceText,
  context: Context,
  overrides: Overrides,
): Axis {
  const { name, value: list } = declaration;
  const axis = { name: name.text, span: name.span };
  const declared = declaredType(declaration.type, context);
  if (declared === undefined) return { ...axis, values: [] };
  const type = narrowed(declared, declaration, context);
  if (list.kind === 'call' && isRange(list.callee.text))
    return rangeAxis(axis, declaration, type, context, overrides);
  const found = evaluate(list, { kind: 'list', of: type, min: 1 }, context, undefined);
  if (found === undefined || list.kind !== 'list') return { ...axis, values: [] };
  const values = labelled(
    (found as readonly Value[]).map((value, index) => ({
      constant: measured(value, type, list.items[index]?.span),
      written: spanText(source, list.items[index]?.span ?? list.span).replace(/\s+/g, ' '),
    })),
  );
  for (const [index, { constant, written }] of values.entries()) {
    const first = values.findIndex((other) => isEqual(other.constant, constant));
    const [at, firstAt] = [list.items[index]?.span, list.items[first]?.span];
    if (first < index && at !== undefined && firstAt !== undefined)
      context.report(errors.equalValues(at, written, firstAt));
  }
  const override = lookUp(overrides, name.text);
  if (override === undefined) return { ...axis, values };
  const wanted = given(override, declaration, type, context);
  if (wanted === undefined) return { ...axis, values: [] };
  const chosen = values.filter(({ constant }) => isEqual(constant, wanted));
  if (chosen.length === 0)
    context.report(
      errors.noSuchCombination(
        override.given,
        name.text,
        values.map(({ written }) => written),
      ),
    );
  return { ...axis, values: chosen };
}

/** Values that a search draws, of which `-p` may give one. */
function rangeAxis(
  axis: Pick<Axis, 'name' | 'span'>,
  declaration: Matrix,
  type: SettingType,
  context: Context,
  overrides: Overrides,
): Axis {
  const { value: written } = declaration;
  const range = written.kind === 'call' ? rangeOf(written, type, context) : undefined;
  if (range === undefined) return { ...axis, values: [] };
  const override = lookUp(overrides, axis.name);
  const asValue = (constant: Constant): MatrixValue => {
    const label = labelOf(constant);
    return { constant, label, written: label };
  };
  if (override === undefined)
    return { ...axis, values: [], drawn: (at) => asValue(measured(valueAt(range, at), type, written.span)) };
  const wanted = given(override, declaration, type, context);
  return { ...axis, values: wanted === undefined ? [] : [asValue(wanted)] };
}

const RANGES = ['uniform', 'log_uniform'];
const isRange = (callee: string): boolean => RANGES.includes(callee);

/** `log_uniform(1e-5, 1e-3)`, whose ends are values of the matrix. */
function rangeOf(
  written: Extract<Expression, { kind: 'call' }>,
  type: SettingType,
  context: Context,
): DrawnRange | undefined {
  const call = evaluate(written, { kind: 'call', family: 'range' }, context, undefined);
  if (call === undefined) return undefined;
  const isOrdered = type.kind === 'integer' || type.kind === 'number' || type.kind === 'quantity';
  if (!isOrdered) return wrongType(written, { kind: 'list', of: type }, context);
  const ends = { low: 0, high: 0 };
  for (const [index, { name, value }] of written.args.entries()) {
    const end = evaluate(value, type, context, undefined);
    if (typeof end !== 'number') return undefined;
    ends[(name?.text ?? (index === 0 ? 'low' : 'high')) === 'low' ? 'low' : 'high'] = end;
  }
  const isLog = written.callee.text === 'log_uniform';
  if (ends.low >= ends.high)
    return context.report(emptyDraw(written.span, 'the lower end is not below the upper one'));
  if (isLog && ends.low <= 0) return context.report(emptyDraw(written.span, '0 and less have no logarithm'));
  return { ...ends, isLog, isWhole: isWhole(type) };
}

const isEqual = (a: Constant, b: Constant): boolean => JSON.stringify(a.value) === JSON.stringify(b.value);

/** Labels tell the values apart, also where two of them would be shown alike. */
function labelled(values: readonly Omit<MatrixValue, 'label'>[]): readonly MatrixValue[] {
  const taken = new Map<string, number>();
  return values.map((value) => {
    const label = labelOf(value.constant);
    const before = taken.get(label) ?? 0;
    taken.set(label, before + 1);
    return { ...value, label: before === 0 ? label : `${label}-${before + 1}` };
  });
}

/** Every combination, the last matrix changing fastest; one empty one if there is no matrix. `isGrid`: a search asks for them. */
export function combinations(axes: readonly Axis[], context: Context, isGrid: boolean): readonly Binding[] {
  const [first] = axes;
  const range = axes.find(({ drawn }) => drawn !== undefined);
  if (range !== undefined) context.report(rangeWithoutSearch(range.span, range.name, isGrid));
  const counts = axes.map(({ values }) => values.length).filter((count) => count > 1);
  if (first !== undefined && counts.reduce((product, count) => product * count, 1) > MOST) {
    context.report(errors.tooManyCombinations(first.span, counts, MOST));
    return [new Map(axes.flatMap(({ name, values: [value] }) => (value ? [[name, value] as const] : [])))];
  }
  return axes.reduce<readonly Binding[]>(
    (found, { name, values }) =>
      values.length === 0
        ? found
        : found.flatMap((binding) => values.map((value) => new Map([...binding, [name, value] as const]))),
    [new Map()],
  );
}

/** `1e-4`, `16`, `512tok`, `starter`, `local-models-llama`. */
function labelOf({ value, unit }: Constant): string {
  if (typeof value === 'number') return formatQuantity(value, unit);
  if (isCall(value)) {
    const args = Object.values(value.args).filter((arg) => typeof arg === 'string');
    return plain([value.call, ...args].join('-'));
  }
  return plain(String(value));
}

/** A folder's last part tells more than its first. */
const LONGEST = 40;

const plain = (text: string): string =>
  text
    .replace(/[^\p{L}\p{N}._%+]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(-LONGEST) || '-';
