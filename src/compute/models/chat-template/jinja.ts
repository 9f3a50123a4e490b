/**
 * The part of `@huggingface/jinja` that is used here. The package's own declarations import each other without file
 * endings, which Node's resolution does not follow, so the types are stated here.
 */
import * as jinja from '@huggingface/jinja';

/** A value while a template runs: `value` is the JavaScript value. */
export interface JinjaValue {
  /** `StringValue`, `UndefinedValue`, … */
  readonly type: string;
  readonly value: unknown;
}

export interface JinjaEnvironment {
  /** Names that were set in this scope itself. */
  readonly variables: ReadonlyMap<string, JinjaValue>;
  /** Sets a global from a JavaScript value; a function is called with JavaScript values. */
  set(name: string, value: unknown): JinjaValue;
  setVariable(name: string, value: JinjaValue): void;
  /** In this scope or one around it; an undefined value if there is none. */
  lookupVariable(name: string): JinjaValue;
}

/** A macro, or a function of the library. */
export interface JinjaFunction extends JinjaValue {
  value: (args: readonly JinjaValue[], scope: JinjaEnvironment) => JinjaValue;
}

/** A parsed template or a part of one. */
export interface JinjaNode {
  readonly type: string;
}

export interface JinjaName extends JinjaNode {
  readonly value: string;
}

/** `object.property`, or `object[property]` if it is computed. */
export interface JinjaMember extends JinjaNode {
  readonly object: JinjaNode;
  readonly property: JinjaNode;
  readonly computed: boolean;
}

/** `callee(args)`; the callee of a method is its object's member. */
export interface JinjaCall extends JinjaNode {
  readonly callee: JinjaNode;
  readonly args: readonly JinjaNode[];
}

export interface JinjaLoop extends JinjaNode {
  /** What it goes through; one of type `SelectExpression` is `lhs if condition`. */
  readonly iterable: JinjaNode & { readonly lhs?: JinjaNode };
  readonly body: readonly JinjaNode[];
  /** `{% else %}`: what is rendered where the loop has no iteration. */
  readonly defaultBlock: readonly JinjaNode[];
}

export interface JinjaBinary extends JinjaNode {
  readonly operator: { readonly value: string };
  readonly left: JinjaNode;
  readonly right: JinjaNode;
}

/** `operand is test`. */
export interface JinjaTest extends JinjaNode {
  readonly operand: JinjaNode;
  readonly negate: boolean;
  readonly test: JinjaName;
}

/** A name, or a call of one. */
export type JinjaFilter = JinjaNode;

export interface JinjaMacro extends JinjaNode {
  readonly name: JinjaName;
}

interface JinjaInterpreter {
  run(program: JinjaNode): JinjaValue;
  /** Called for every node of the template, however deep. */
  evaluate(node: JinjaNode | undefined, environment: JinjaEnvironment): JinjaValue;
  /** The text of some statements. */
  evaluateBlock(statements: readonly JinjaNode[], environment: JinjaEnvironment): JinjaValue;
  /** The text of a loop: that of its body, for every item. */
  evaluateFor(loop: JinjaLoop, environment: JinjaEnvironment): JinjaValue;
  evaluateBinaryExpression(node: JinjaBinary, environment: JinjaEnvironment): JinjaValue;
  evaluateMemberExpression(node: JinjaMember, environment: JinjaEnvironment): JinjaValue;
  evaluateTestExpression(node: JinjaTest, environment: JinjaEnvironment): JinjaValue;
  applyFilter(value: JinjaValue, filter: JinjaFilter, environment: JinjaEnvironment): JinjaValue;
  evaluateMacro(node: JinjaMacro, environment: JinjaEnvironment): JinjaValue;
  /** `{% call macro() %}` */
  evaluateCallStatement(node: JinjaNode, environment: JinjaEnvironment): JinjaValue;
  /** By their places, and by their names. */
  evaluateArguments(
    args: readonly JinjaNode[],
    environment: JinjaEnvironment,
  ): [JinjaValue[], Map<string, JinjaValue>];
}

interface JinjaModule {
  readonly Environment: new (around?: JinjaEnvironment) => JinjaEnvironment;
  readonly Interpreter: new (environment: JinjaEnvironment) => JinjaInterpreter;
  tokenize(
    source: string,
    options: { readonly lstrip_blocks: boolean; readonly trim_blocks: boolean },
  ): unknown;
  parse(tokens: unknown): JinjaNode;
}

export const { Environment, Interpreter, tokenize, parse } = jinja as unknown as JinjaModule;

/** The class of the values that the library makes of such a value of JavaScript. */
const classOf = (value: unknown): (new (value?: unknown) => JinjaValue) =>
  new Environment().set('sample', value).constructor as new (
    value?: unknown,
  ) => JinjaValue;

/** Classes of values, where an expression that is evaluated to make one would take many times as long. */
export const StringValue = classOf('');
export const BooleanValue = classOf(true);
export const IntegerValue = classOf(1);
export const FloatValue = classOf(0.5);
export const ArrayValue = classOf([]);
export const ObjectValue = classOf({});
export const NullValue = classOf(null);
export const UndefinedValue = classOf(undefined);
