import {
  Interpreter,
  type JinjaCall,
  type JinjaEnvironment,
  type JinjaLoop,
  type JinjaNode,
  type JinjaValue,
} from './jinja.js';
import { type Ends, stripped } from './template-text.js';

/** A template that does more than a chat ever needs. */
export class TemplateLimitError extends Error {
  override readonly name = 'TemplateLimitError';
}

/** Expressions that one rendering may evaluate: a template takes some tens a message, an endless loop any number. */
const MIN_EVALUATIONS = 100_000;
const EVALUATIONS_PER_MESSAGE = 2_000;
/** Characters of all strings that one rendering may make on the way, for each character that goes in. */
const MAX_GROWTH = 200;
/** Added to it, so that small chats have room. */
const MIN_CHARACTERS = 8_000_000;

/** Which ends of a text Python's methods work on. */
const ENDS: ReadonlyMap<unknown, Ends> = new Map([
  ['strip', { start: true, end: true }],
  ['lstrip', { start: true, end: false }],
  ['rstrip', { start: false, end: true }],
]);

/** `break` or `continue`, on its way to the loop that it leaves. */
class Leaving extends Error {
  /** What the iteration has written before. */
  text = '';
  constructor(readonly node: JinjaNode) {
    super(`{% ${node.type.toLowerCase()} %} stands outside of a loop`);
  }
}

interface RunningLoop {
  readonly body: readonly JinjaNode[];
  /** What was written by iterations that were left, and is not yet part of the loop's text. */
  text: string;
}

/**
 * An interpreter that stops hostile templates by counting, so that the same template always ends the same way. It also
 * does what Jinja does and the library does not: it keeps what an iteration has written before a `break` or `continue`,
 * and strips the characters that a template names.
 */
export class LimitedInterpreter extends Interpreter {
  readonly #maxEvaluations: number;
  readonly #maxCharacters: number;
  #evaluations = 0;
  #characters = 0;
  /** The loops that run, by their bodies and by what they do without an item. */
  readonly #loops = new Map<readonly JinjaNode[], RunningLoop>();

  constructor(environment: JinjaEnvironment, messages: number, inputCharacters: number) {
    super(environment);
    this.#maxEvaluations = MIN_EVALUATIONS + EVALUATIONS_PER_MESSAGE * messages;
    this.#maxCharacters = MIN_CHARACTERS + MAX_GROWTH * inputCharacters;
  }

  override evaluate(node: JinjaNode | undefined, environment: JinjaEnvironment): JinjaValue {
    if (++this.#evaluations > this.#maxEvaluations) {
      throw new TemplateLimitError(`it evaluates more than ${this.#maxEvaluations} expressions`);
    }
    if (node?.type === 'Break' || node?.type === 'Continue') throw new Leaving(node);
    const result = this.#strip(node, environment) ?? super.evaluate(node, environment);
    if (typeof result.value === 'string') {
      this.#characters += result.value.length;
      if (this.#characters > this.#maxCharacters) {
        throw new TemplateLimitError(`it builds more than ${this.#maxCharacters} characters of text`);
      }
    }
    return result;
  }

  override evaluateFor(node: JinjaLoop, environment: JinjaEnvironment): JinjaValue {
    const blocks = [node.body, node.defaultBlock];
    // a macro may call itself in its own loop
    const outer = blocks.map((block) => this.#loops.get(block));
    const loop: RunningLoop = { body: node.body, text: '' };
    for (const block of blocks) this.#loops.set(block, loop);
    try {
      const { value } = super.evaluateFor(node, environment);
      return this.#text(`${String(value)}${loop.text}`, environment);
    } finally {
      blocks.forEach((block, i) => {
        const before = outer[i];
        if (before === undefined) this.#loops.delete(block);
        else this.#loops.set(block, before);
      });
    }
  }

  override evaluateBlock(statements: readonly JinjaNode[], environment: JinjaEnvironment): JinjaValue {
    const loop = this.#loops.get(statements);
    let text = loop?.text ?? '';
    if (loop !== undefined) loop.text = '';
    try {
      for (const statement of statements) text += String(super.evaluateBlock([statement], environment).value);
      return this.#text(text, environment);
    } catch (error) {
      if (!(error instanceof Leaving)) throw error;
      error.text = text + error.text;
      if (loop?.body !== statements) throw error;
      loop.text = error.text;
      // the library's loop knows its own errors
      return super.evaluate(error.node, environment);
    }
  }

  /** `text.lstrip("\n")`: the library takes white space off, whatever the characters that are named. */
  #strip(node: JinjaNode | undefined, environment: JinjaEnvironment): JinjaValue | undefined {
    if (node?.type !== 'CallExpression') return undefined;
    const { callee, args } = node as JinjaCall;
    const ends = callee.computed === true ? undefined : ENDS.get(callee.property?.value);
    if (ends === undefined || callee.object === undefined || args[0] === undefined) return undefined;
    const text = this.evaluate(callee.object, environment).value;
    const characters = this.evaluate(args[0], environment).value;
    return typeof text === 'string' && typeof characters === 'string'
      ? this.#text(stripped(text, characters, ends), environment)
      : undefined;
  }

  #text(value: string, environment: JinjaEnvironment): JinjaValue {
    const literal: JinjaNode & { readonly value: string } = { type: 'StringLiteral', value };
    return super.evaluate(literal, environment);
  }
}

/** Python's `range`, bounded. */
export function limitedRange(start: number, stop?: number, step = 1): readonly number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (step === 0) throw new Error('range() step must not be zero');
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (count > 10_000) throw new TemplateLimitError(`it asks for a range of ${count} numbers`);
  return Array.from({ length: count }, (_, i) => from + i * step);
}
