import { Budget, nodesIn, PLACE, sizeOf, TemplateLimitError } from './budget.js';
import { capitalized, found, lettersTitled, stripped, wordsOf } from './filters.js';
import {
  Environment,
  type JinjaCall,
  type JinjaEnvironment,
  type JinjaLoop,
  type JinjaMacro,
  type JinjaMember,
  type JinjaName,
  type JinjaNode,
  type JinjaValue,
} from './jinja.js';
import { type JinjaResult, textOf, wholeNumber } from './jinja-values.js';
import { evaluatedArguments, METHOD_PRICES, type PricedArguments } from './prices.js';
import { evaluated, type PrecomputedNode, PythonInterpreter } from './python.js';

/** A method of Python's `str`; `undefined` leaves the call to the library. */
type TextMethod = (text: string, args: readonly unknown[]) => JinjaResult | readonly string[] | undefined;

function asText(method: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new Error(`${method}() takes a text`);
  return value;
}

/** How often a text is split: as often as it can be where the number is negative. */
function times(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isInteger(value)) throw new Error('split() takes a whole number');
  return Number(value) < 0 ? undefined : Number(value);
}

const strip =
  (start: boolean, end: boolean): TextMethod =>
  (text, [characters]) =>
    stripped(text, asText('strip', characters), { start, end });

/** What the library lacks, or has in another form. */
const TEXT_METHODS: ReadonlyMap<unknown, TextMethod> = new Map<unknown, TextMethod>([
  ['strip', strip(true, true)],
  ['lstrip', strip(true, false)],
  ['rstrip', strip(false, true)],
  ['find', (text, args) => wholeNumber(found('find', text, args))],
  ['rfind', (text, args) => wholeNumber(found('rfind', text, args))],
  [
    'split',
    (text, [separator, most]) =>
      separator === undefined || separator === null ? wordsOf(text, times(most)) : undefined,
  ],
  ['capitalize', capitalized],
  ['title', lettersTitled],
]);

/** `break` or `continue`, on its way to the loop that it leaves. */
class Leaving extends Error {
  /** What the iteration has written before. */
  text = '';
  constructor(readonly node: JinjaNode) {
    super(`{% ${node.type.toLowerCase()} %} is outside a loop`);
  }
}

interface RunningLoop {
  readonly body: readonly JinjaNode[];
  /** What was written by iterations that were left, and is not yet part of the loop's text. */
  text: string;
}

const MAKES_LISTS: ReadonlySet<string> = new Set(['BinaryExpression', 'FilterExpression', 'CallExpression']);

/** Whether the value of a node may be a list of its own. */
const mayBeNew = (node: JinjaNode | undefined): boolean =>
  node !== undefined &&
  (MAKES_LISTS.has(node.type) || (isMember(node) && node.property.type === 'SliceExpression'));

/** What is between `{%` and `%}`, or outside: its result is not written. */
const STATEMENTS: ReadonlySet<string> = new Set([
  ...['Program', 'Set', 'If', 'For', 'Macro', 'CallStatement', 'FilterStatement'],
  ...['Break', 'Continue', 'Comment'],
]);

/**
 * An interpreter that stops hostile templates by counting, so that the same template always ends the same way. It also
 * does what Jinja does and the library does not: it keeps what an iteration has written before a `break` or `continue`,
 * forgets what an iteration has set, goes through the characters of a text, has `find` and `rfind`, strips the characters
 * that a template names, and writes values as Python does.
 */
export class LimitedInterpreter extends PythonInterpreter {
  /** The loops that run, by their bodies and by what they do without an item. */
  private readonly loops = new Map<readonly JinjaNode[], RunningLoop>();

  constructor(environment: JinjaEnvironment, messages: number, inputCharacters: number) {
    super(environment, new Budget(messages, inputCharacters));
  }

  override evaluate(node: JinjaNode | undefined, environment: JinjaEnvironment): JinjaValue {
    const { budget } = this;
    budget.count(1);
    if (node?.type === 'Break' || node?.type === 'Continue') throw new Leaving(node);
    budget.enter();
    try {
      const result =
        node?.type === 'CallExpression'
          ? this.call(node as JinjaCall, environment)
          : super.evaluate(isMember(node) ? this.member(node, environment) : node, environment);
      if (typeof result.value === 'string') budget.spend(result.value.length);
      else if (mayBeNew(node)) budget.spend(PLACE * sizeOf(result));
      return result;
    } finally {
      budget.leave();
    }
  }

  /** A list that is unpacked may have any length. */
  override evaluateArguments(
    args: readonly JinjaNode[],
    environment: JinjaEnvironment,
  ): [JinjaValue[], Map<string, JinjaValue>] {
    const [placed, named] = super.evaluateArguments(args, environment);
    this.budget.spend(PLACE * (placed.length + named.size));
    return [placed, named];
  }

  override evaluateMacro(node: JinjaMacro, environment: JinjaEnvironment): JinjaValue {
    this.budget.count(nodesIn(node));
    return super.evaluateMacro(node, environment);
  }

  override evaluateCallStatement(node: JinjaNode, environment: JinjaEnvironment): JinjaValue {
    this.budget.count(nodesIn(node));
    return super.evaluateCallStatement(node, environment);
  }

  override evaluateFor(node: JinjaLoop, environment: JinjaEnvironment): JinjaValue {
    const blocks = [node.body, node.defaultBlock];
    // a macro may call itself in its own loop
    const outer = blocks.map((block) => this.loops.get(block));
    const loop: RunningLoop = { body: node.body, text: '' };
    for (const block of blocks) this.loops.set(block, loop);
    try {
      const { value } = super.evaluateFor(this.withItems(node, environment), environment);
      return this.made(`${String(value)}${loop.text}`);
    } finally {
      blocks.forEach((block, i) => {
        const before = outer[i];
        if (before === undefined) this.loops.delete(block);
        else this.loops.set(block, before);
      });
    }
  }

  override evaluateBlock(statements: readonly JinjaNode[], environment: JinjaEnvironment): JinjaValue {
    const loop = this.loops.get(statements);
    let text = loop?.text ?? '';
    if (loop !== undefined) loop.text = '';
    const scope = loop?.body === statements ? iterationOf(environment) : environment;
    try {
      for (const statement of statements) text += this.written(statement, scope);
      return this.made(text);
    } catch (error) {
      if (!(error instanceof Leaving)) throw error;
      error.text = text + error.text;
      if (loop?.body !== statements) throw error;
      loop.text = error.text;
      // the library's loop knows its own errors
      return super.evaluate(error.node, environment);
    }
  }

  private written(statement: JinjaNode, environment: JinjaEnvironment): string {
    return STATEMENTS.has(statement.type)
      ? String(super.evaluateBlock([statement], environment).value)
      : textOf(this.evaluate(statement, environment), this.budget);
  }

  /** A loop over a text goes through its characters, one over what is not defined through nothing. */
  private withItems(node: JinjaLoop, environment: JinjaEnvironment): JinjaLoop {
    const { iterable } = node;
    const list = iterable.type === 'SelectExpression' && iterable.lhs !== undefined ? iterable.lhs : iterable;
    const given = this.evaluate(list, environment);
    const { value } = given;
    if (given.type !== 'StringValue' && given.type !== 'UndefinedValue' && !isCollection(value))
      throw new Error(`it loops over \`${written(list)}\`, which is not a list`);
    const characters = typeof value === 'string' ? [...value] : [];
    // An item costs as much as an expression, whether or not the body has one.
    this.budget.count(isCollection(value) ? sizeOf(given) : characters.length);
    const items = evaluated(isCollection(value) ? given : this.texts(characters, environment));
    return { ...node, iterable: list === iterable ? items : { ...iterable, lhs: items } };
  }

  /** A call, by its own name where the template calls what there is not. */
  private call(node: JinjaCall, environment: JinjaEnvironment): JinjaValue {
    const { callee, args } = node;
    const member = isMember(callee) ? this.member(callee, environment) : undefined;
    const object = member?.object.result;
    const method =
      member === undefined || member.computed ? undefined : TEXT_METHODS.get(nameOf(member.property));
    const price =
      member === undefined || member.computed ? undefined : METHOD_PRICES.get(nameOf(member.property));
    let given = args;
    if (
      object !== undefined &&
      (price !== undefined || (object.type === 'StringValue' && method !== undefined))
    ) {
      const { nodes, values } = evaluatedArguments(args, (arg) => evaluated(this.evaluate(arg, environment)));
      price?.(object, values, this.budget);
      const result = object.type === 'StringValue' ? resultOf(method, object, values) : undefined;
      if (Array.isArray(result)) return this.texts(result, environment);
      if (result !== undefined) return this.made(result as JinjaResult);
      given = nodes;
    }
    const target = super.evaluate(member ?? callee, environment);
    if (target.type !== 'FunctionValue')
      throw new Error(`it calls \`${written(callee)}()\`, which is not supported`);
    return super.evaluate({ ...node, callee: evaluated(target), args: given } as JinjaNode, environment);
  }

  /** As in Python, what is not defined has no members, not even undefined ones. */
  private member(
    node: JinjaMember,
    environment: JinjaEnvironment,
  ): JinjaMember & { readonly object: PrecomputedNode } {
    const object = this.evaluate(node.object, environment);
    if (object.type === 'UndefinedValue') throw new Error(`'${written(node.object)}' is undefined`);
    return { ...node, object: evaluated(object) };
  }
}

function resultOf(
  method: TextMethod | undefined,
  text: JinjaValue,
  { placed, named }: PricedArguments,
): ReturnType<TextMethod> {
  if (method === undefined) return undefined;
  if (named.size > 0) throw new Error('it names arguments of a method, which is not supported');
  return method(
    String(text.value),
    placed.map(({ value }) => value),
  );
}

/** A name that is set in an iteration is forgotten with it; no loop of a chat calls itself, so that all are the first. */
function iterationOf(environment: JinjaEnvironment): JinjaEnvironment {
  const { value } = environment.lookupVariable('loop');
  if (value instanceof Map) {
    const numbers = new Environment();
    value.set('depth', numbers.set('depth', 1)).set('depth0', numbers.set('depth0', 0));
  }
  return new Environment(environment);
}

const isMember = (node: JinjaNode | undefined): node is JinjaMember => node?.type === 'MemberExpression';

const isCollection = (value: unknown): value is readonly unknown[] | ReadonlyMap<unknown, unknown> =>
  Array.isArray(value) || value instanceof Map;

const nameOf = (node: JinjaNode): string => (node.type === 'Identifier' ? (node as JinjaName).value : '…');

/** A name as the template has it, `message.content.find`, without what is computed. */
const written = (node: JinjaNode): string =>
  !isMember(node)
    ? nameOf(node)
    : node.computed
      ? `${written(node.object)}[…]`
      : `${written(node.object)}.${nameOf(node.property)}`;

/** Python's `range`, bounded. */
export function limitedRange(start: unknown, stop?: unknown, step: unknown = 1): readonly number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (!isWhole(from) || !isWhole(to) || !isWhole(step)) throw new Error('range() takes whole numbers');
  if (step === 0) throw new Error('range() step must not be zero');
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (count > 10_000) throw new TemplateLimitError(`it asks for a range of ${count} numbers`);
  return Array.from({ length: count }, (_, i) => from + i * step);
}

const isWhole = (value: unknown): value is number => Number.isInteger(value);
