/** Values of a template that JSON of JavaScript does not hold: whole floats, and objects in the order of their text. */
import { entriesOf, WholeFloat } from '../../../language/host/exact-json.js';
import { Environment, Interpreter, type JinjaNode, type JinjaValue } from './jinja.js';

/** A value as a template sees it; JavaScript's numbers are floats where they are not whole. */
export const jinjaValue = (value: unknown): JinjaValue => {
  const scope = new Environment();
  for (const [name, word] of WORDS) scope.set(name, word);
  return new Interpreter(scope).evaluate(literal(value), scope);
};

const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['none', null],
]);

/** What a template would say to make the value. */
function literal(value: unknown): JinjaNode & { readonly value: unknown } {
  if (value instanceof WholeFloat) return { type: 'FloatLiteral', value: value.value };
  if (typeof value === 'string') return { type: 'StringLiteral', value };
  if (typeof value === 'number')
    return { type: Number.isInteger(value) ? 'IntegerLiteral' : 'FloatLiteral', value };
  if (Array.isArray(value)) return { type: 'ArrayLiteral', value: value.map(literal) };
  const entries = entriesOf(value);
  if (entries !== undefined)
    return {
      type: 'ObjectLiteral',
      value: new Map(entries.map(([name, inner]) => [literal(name), literal(inner)])),
    };
  return { type: 'Identifier', value: typeof value === 'boolean' ? String(value) : 'none' };
}
