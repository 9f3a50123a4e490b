/** What the library's filters and methods cost that make more of a value than it has, spent before they are called. */
import { type Budget, PLACE, sizeOf, VALUE } from './budget.js';
import type { JinjaNode, JinjaValue } from './jinja.js';
import { itemsOf } from './jinja-values.js';

/** Values of the arguments, by their place and by their name. */
export interface PricedArguments {
  readonly placed: readonly JinjaValue[];
  readonly named: ReadonlyMap<string, JinjaValue>;
}

type Price = (value: JinjaValue, args: PricedArguments, budget: Budget) => void;

const lengthOf = (value: JinjaValue | undefined): number =>
  typeof value?.value === 'string' ? value.value.length : 0;

const numberIn = (value: JinjaValue | undefined, otherwise: number): number =>
  typeof value?.value === 'number' ? Math.abs(value.value) : otherwise;

const innerOf = (value: JinjaValue): readonly JinjaValue[] =>
  value.value instanceof Map ? [...(value.value.values() as Iterable<JinjaValue>)] : itemsOf(value);

/** How often a text is in another, one of no characters before each of its characters and at its end. */
const timesIn = (text: string, part: string): number =>
  part === '' ? text.length + 1 : text.split(part).length - 1;

/** How JSON is written: characters for each character of a text, each value, and each level above it. */
interface JsonForm {
  readonly perCharacter: number;
  readonly perValue: number;
  readonly perLevel: number;
}

/** Throws for what JSON has no word for. */
function priceJson(value: JinjaValue, form: JsonForm, level: number, budget: Budget): void {
  if (value.type === 'UndefinedValue') throw new Error('Undefined is not JSON serializable');
  budget.spend(VALUE + form.perValue + form.perLevel * level + form.perCharacter * lengthOf(value));
  if (value.value instanceof Map)
    for (const name of value.value.keys()) budget.spend(form.perCharacter * String(name).length);
  budget.within(() => {
    for (const inner of innerOf(value)) priceJson(inner, form, level + 1, budget);
  });
}

function json(value: JinjaValue, { named }: PricedArguments, budget: Budget): void {
  const separators = named.get('separators');
  const perValue =
    separators === undefined ? 0 : itemsOf(separators).reduce((sum, item) => sum + lengthOf(item), 0);
  const perCharacter = named.get('ensure_ascii')?.value === true ? 6 : 2;
  priceJson(value, { perCharacter, perValue, perLevel: numberIn(named.get('indent'), 0) }, 1, budget);
}

/** Characters of all texts in a value, and values in it. */
function weightOf(value: JinjaValue, budget: Budget): number {
  budget.spend(1);
  return budget.within(() =>
    innerOf(value).reduce((sum, inner) => sum + weightOf(inner, budget), 1 + lengthOf(value)),
  );
}

const sort: Price = (value, _, budget) =>
  budget.spend(weightOf(value, budget) * Math.ceil(Math.log2(sizeOf(value) + 2)));

const replace: Price = (value, { placed: [part, other] }, budget) => {
  const [text, old] = [String(value.value), part?.value];
  if (value.type !== 'StringValue' || typeof old !== 'string') return;
  budget.search(text, old);
  budget.spend(timesIn(text, old) * lengthOf(other));
};

export const FILTER_PRICES: ReadonlyMap<string, Price> = new Map<string, Price>([
  ['tojson', json],
  [
    'join',
    (value, { placed, named }, budget) =>
      budget.spend((sizeOf(value) + lengthOf(value)) * lengthOf(placed[0] ?? named.get('separator'))),
  ],
  [
    'indent',
    (value, { placed, named }, budget) =>
      budget.spend(
        timesIn(String(value.value), '\n') * numberIn(placed[0] ?? named.get('width'), 4) +
          numberIn(placed[0] ?? named.get('width'), 4),
      ),
  ],
  ['replace', replace],
  ['sort', sort],
  ['dictsort', sort],
]);

export const METHOD_PRICES: ReadonlyMap<string, Price> = new Map<string, Price>([
  ['replace', replace],
  [
    'split',
    (value, { placed: [separator] }, budget) => {
      const text = String(value.value);
      if (typeof separator?.value !== 'string' || separator.value === '') return;
      budget.search(text, separator.value);
      budget.spend(VALUE * timesIn(text, separator.value));
    },
  ],
  ['dictsort', sort],
]);

/** Filters that look at no more than the ends of a list. */
const AT_ONCE: ReadonlySet<string> = new Set(['length', 'first', 'last', 'default']);

/** Every other filter goes through what it is given. */
export const priceOfOperand = (name: string, value: JinjaValue): number =>
  AT_ONCE.has(name) ? 0 : sizeOf(value) * PLACE;

type Named = JinjaNode & { readonly key: { readonly value: string }; readonly value: JinjaNode };

/** Arguments with their values, each evaluated once: as prices and as the library see them. */
export function evaluatedArguments(
  args: readonly JinjaNode[],
  evaluate: (node: JinjaNode) => JinjaNode & { readonly result: JinjaValue },
): { readonly nodes: readonly JinjaNode[]; readonly values: PricedArguments } {
  const placed: JinjaValue[] = [];
  const named = new Map<string, JinjaValue>();
  const nodes = args.map((arg) => {
    if (arg.type.endsWith('SpreadExpression'))
      throw new Error('it unpacks a list into arguments of a filter or a method, which is not supported');
    const isNamed = arg.type === 'KeywordArgumentExpression';
    const value = evaluate(isNamed ? (arg as Named).value : arg);
    if (isNamed) named.set((arg as Named).key.value, value.result);
    else placed.push(value.result);
    return isNamed ? { ...arg, value } : value;
  });
  return { nodes, values: { placed, named } };
}
