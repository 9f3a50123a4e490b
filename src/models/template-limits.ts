import { Interpreter, type JinjaEnvironment, type JinjaNode, type JinjaValue } from './jinja.js';

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

/** An interpreter that stops hostile templates by counting, so that the same template always ends the same way. */
export class LimitedInterpreter extends Interpreter {
  readonly #maxEvaluations: number;
  readonly #maxCharacters: number;
  #evaluations = 0;
  #characters = 0;

  constructor(environment: JinjaEnvironment, messages: number, inputCharacters: number) {
    super(environment);
    this.#maxEvaluations = MIN_EVALUATIONS + EVALUATIONS_PER_MESSAGE * messages;
    this.#maxCharacters = MIN_CHARACTERS + MAX_GROWTH * inputCharacters;
  }

  override evaluate(node: JinjaNode | undefined, environment: JinjaEnvironment): JinjaValue {
    if (++this.#evaluations > this.#maxEvaluations) {
      throw new TemplateLimitError(`it evaluates more than ${this.#maxEvaluations} expressions`);
    }
    const result = super.evaluate(node, environment);
    if (typeof result.value === 'string') {
      this.#characters += result.value.length;
      if (this.#characters > this.#maxCharacters) {
        throw new TemplateLimitError(`it builds more than ${this.#maxCharacters} characters of text`);
      }
    }
    return result;
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
