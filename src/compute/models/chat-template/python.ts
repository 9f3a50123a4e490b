import { type Budget, VALUE } from './budget.js';
import { characterAt, FILTERS, OPERANDS, parsedFloat, parsedWhole, TESTS } from './filters.js';
import {
  BooleanValue,
  Environment,
  FloatValue,
  IntegerValue,
  Interpreter,
  type JinjaBinary,
  type JinjaCall,
  type JinjaEnvironment,
  type JinjaFilter,
  type JinjaFunction,
  type JinjaMacro,
  type JinjaMember,
  type JinjaName,
  type JinjaNode,
  type JinjaTest,
  type JinjaValue,
  StringValue,
  UndefinedValue,
} from './jinja.js';
import { equal, isList, itemsOf, type JinjaResult } from './jinja-values.js';
import { OPERATORS } from './operators.js';
import { evaluatedArguments, FILTER_PRICES, priceOfOperand } from './prices.js';
import { toJson } from './to-json.js';

/** What stands in for an expression that has been evaluated already: nothing is evaluated twice. */
export interface PrecomputedNode extends JinjaNode {
  readonly type: 'Evaluated';
  readonly result: JinjaValue;
}

export const evaluated = (result: JinjaValue): PrecomputedNode => ({ type: 'Evaluated', result });

const isEvaluated = (node: JinjaNode | undefined): node is PrecomputedNode => node?.type === 'Evaluated';

/** Filters of which the library reads one argument, and passes over others without a word. */
const ONE_ARGUMENT: ReadonlySet<string> = new Set(['join', 'int', 'float']);

const PARSERS: ReadonlyMap<string, (text: string) => JinjaResult | undefined> = new Map([
  ['int', parsedWhole],
  ['float', parsedFloat],
]);

/**
 * An interpreter in which values are Python's where the library's are JavaScript's: how numbers are divided, texts
 * counted and lists compared, what filters and tests make of them, and how far a name is known. What it cannot do as
 * Jinja does it refuses.
 */
export class PythonInterpreter extends Interpreter {
  constructor(
    environment: JinjaEnvironment,
    protected readonly budget: Budget,
  ) {
    super(environment);
  }

  override evaluate(node: JinjaNode | undefined, environment: JinjaEnvironment): JinjaValue {
    if (isEvaluated(node)) return node.result;
    const result = super.evaluate(node, environment);
    if (result.type === 'IntegerValue' && !Number.isSafeInteger(result.value))
      throw new Error('it uses a whole number beyond 2^53, which is not supported');
    return result;
  }

  override evaluateBinaryExpression(node: JinjaBinary, environment: JinjaEnvironment): JinjaValue {
    const operator = OPERATORS.get(node.operator.value);
    if (operator === undefined) return super.evaluateBinaryExpression(node, environment);
    const left = this.evaluate(node.left, environment);
    const right = this.evaluate(node.right, environment);
    const made = operator(left, right, this.budget);
    if (made !== undefined) return this.made(made);
    return super.evaluateBinaryExpression(
      { ...node, left: evaluated(left), right: evaluated(right) },
      environment,
    );
  }

  /** Characters are counted as Python does, and neither texts nor lists have a `length` for it. */
  override evaluateMemberExpression(node: JinjaMember, environment: JinjaEnvironment): JinjaValue {
    const object = this.evaluate(node.object, environment);
    const given = { ...node, object: evaluated(object) };
    if (object.type === 'ObjectValue' && node.computed && node.property.type !== 'SliceExpression')
      return this.entry(given, environment);
    if (object.type !== 'StringValue' && !isList(object))
      return super.evaluateMemberExpression(given, environment);
    if (
      !node.computed &&
      node.property.type === 'Identifier' &&
      (node.property as JinjaName).value === 'length'
    )
      return new UndefinedValue();
    if (object.type !== 'StringValue' || !node.computed || node.property.type === 'SliceExpression')
      return super.evaluateMemberExpression(given, environment);
    const property = this.evaluate(node.property, environment);
    if (property.type !== 'IntegerValue')
      return super.evaluateMemberExpression({ ...given, property: evaluated(property) }, environment);
    const character = characterAt(String(object.value), Number(property.value));
    return character === undefined ? new UndefinedValue() : new StringValue(character);
  }

  /** Under a name that is no text, a dictionary has nothing. */
  private entry(node: JinjaMember, environment: JinjaEnvironment): JinjaValue {
    const property = this.evaluate(node.property, environment);
    if (property.type !== 'StringValue') return new UndefinedValue();
    return super.evaluateMemberExpression({ ...node, property: evaluated(property) }, environment);
  }

  override evaluateTestExpression(node: JinjaTest, environment: JinjaEnvironment): JinjaValue {
    const value = this.evaluate(node.operand, environment);
    if (TESTS.get(node.test.value)?.includes(value.type)) return this.made(!node.negate);
    return super.evaluateTestExpression({ ...node, operand: evaluated(value) }, environment);
  }

  override applyFilter(value: JinjaValue, filter: JinjaFilter, environment: JinjaEnvironment): JinjaValue {
    const { callee, args } =
      filter.type === 'CallExpression' ? (filter as JinjaCall) : { callee: filter, args: [] };
    const name = callee.type === 'Identifier' ? (callee as JinjaName).value : '';
    checkArguments(name, args);
    this.budget.spend(priceOfOperand(name, value));
    const price = FILTER_PRICES.get(name);
    if (price === undefined) return this.filtered(value, filter, { name, args }, environment);
    const { nodes, values } = evaluatedArguments(args, (node) => evaluated(this.evaluate(node, environment)));
    price(value, values, this.budget);
    if (name === 'tojson') return this.made(toJson(value, values));
    const given = args.length === 0 ? filter : ({ ...filter, args: nodes } as JinjaFilter);
    return this.filtered(value, given, { name, args: nodes }, environment);
  }

  private filtered(
    value: JinjaValue,
    filter: JinjaFilter,
    { name, args }: { readonly name: string; readonly args: readonly JinjaNode[] },
    environment: JinjaEnvironment,
  ): JinjaValue {
    const made = args.length === 0 ? FILTERS.get(name)?.(value, this.budget) : undefined;
    if (made !== undefined) return this.made(made);
    if (name === 'list' && isList(value)) return this.list(itemsOf(value), environment);
    if ((name === 'first' || name === 'last') && isList(value) && itemsOf(value).length === 0)
      return new UndefinedValue();
    if (name === 'unique' && isList(value))
      return this.list(distinct(itemsOf(value), this.budget), environment);
    const read = OPERANDS.get(name)?.(value, this.budget);
    if (read !== undefined)
      return super.applyFilter(
        typeof read === 'string' ? this.made(read) : this.texts(read, environment),
        filter,
        environment,
      );
    const parse = PARSERS.get(name);
    if (parse === undefined || value.type !== 'StringValue')
      return super.applyFilter(value, filter, environment);
    const parsed = parse(String(value.value));
    // without a number, the default is left
    return parsed === undefined ? super.applyFilter(this.made(''), filter, environment) : this.made(parsed);
  }

  /** A macro sees the names at its definition, not those at its call. */
  override evaluateMacro(node: JinjaMacro, environment: JinjaEnvironment): JinjaValue {
    const result = super.evaluateMacro(node, environment);
    const macro = environment.lookupVariable(node.name.value) as JinjaFunction;
    const call = macro.value;
    macro.value = (args, scope) => {
      const own = new Environment(environment);
      if (scope.variables.has(CALLER)) own.setVariable(CALLER, scope.lookupVariable(CALLER));
      return call(args, own);
    };
    return result;
  }

  /** A value of the library. */
  protected made(value: JinjaResult): JinjaValue {
    if (typeof value === 'boolean') return new BooleanValue(value);
    if (typeof value === 'string') return new StringValue(value);
    return 'int' in value ? new IntegerValue(value.int) : new FloatValue(value.float);
  }

  protected texts(texts: readonly string[], environment: JinjaEnvironment): JinjaValue {
    this.budget.spend(VALUE * texts.length);
    return this.list(
      texts.map((text) => this.made(text)),
      environment,
    );
  }

  protected list(items: readonly JinjaValue[], environment: JinjaEnvironment): JinjaValue {
    const literal = { type: 'ArrayLiteral', value: items.map(evaluated) };
    return super.evaluate(literal, environment);
  }
}

/** What a macro calls that is used with `{% call %}`. */
const CALLER = 'caller';

function checkArguments(name: string, args: readonly JinjaNode[]): void {
  const named = args.some(({ type }) => type === 'KeywordArgumentExpression');
  if (ONE_ARGUMENT.has(name) && (args.length > 1 || named))
    throw new Error(`it uses the filter \`${name}\` with arguments that are not supported`);
  const [, test] = args as readonly (JinjaNode & { readonly value?: unknown })[];
  if ((name === 'selectattr' || name === 'rejectattr') && test?.value === 'undefined')
    throw new Error(`it uses the filter \`${name}\` with the test \`undefined\`, which is not supported`);
}

/** Each value once; texts that differ in case alone are one. */
function distinct(items: readonly JinjaValue[], budget: Budget): readonly JinjaValue[] {
  const texts = new Set<string>();
  const others: JinjaValue[] = [];
  return items.filter((item) => {
    if (item.type === 'StringValue') {
      const text = String(item.value).toLowerCase();
      budget.spend(text.length);
      return !texts.has(text) && texts.add(text);
    }
    return !others.some((other) => equal(item, other, budget)) && others.push(item);
  });
}
