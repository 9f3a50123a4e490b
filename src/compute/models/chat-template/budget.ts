/** What one rendering may cost, counted, so that the same template always ends the same way on every machine. */
import type { JinjaNode, JinjaValue } from './jinja.js';

/** A template that does more than a chat ever needs. */
export class TemplateLimitError extends Error {
  override readonly name = 'TemplateLimitError';
}

/** Expressions that one rendering may evaluate: a template takes some tens a message, an endless loop any number. */
const MIN_EVALUATIONS = 100_000;
const EVALUATIONS_PER_MESSAGE = 2_000;
/** Added for every character that goes in: a template may look at each. */
const EVALUATIONS_PER_CHARACTER = 20;
/** Characters of all strings that one rendering may make on the way, for each character that goes in. */
const MAX_GROWTH = 200;
/** Added to it, so that small chats have room. */
const MIN_CHARACTERS = 8_000_000;
/** Of long chats: a character of a book is looked at less often than one of a question. */
const LONG = { evaluations: 5_000_000, perCharacter: 4, characters: 64_000_000, growth: 40 } as const;
/** Nodes of a template above the one that is evaluated, macros that call each other included; real ones take 60. */
const MAX_DEPTH = 400;

/** Characters that a new value costs, about as much memory as it takes; and a place in a list. */
export const VALUE = 32;
export const PLACE = 8;

/** Counts down what is left of both. */
export class Budget {
  private readonly maxEvaluations: number;
  private readonly maxCharacters: number;
  private evaluations = 0;
  private characters = 0;
  private depth = 0;

  constructor(messages: number, inputCharacters: number) {
    this.maxEvaluations =
      EVALUATIONS_PER_MESSAGE * messages +
      Math.min(
        MIN_EVALUATIONS + EVALUATIONS_PER_CHARACTER * inputCharacters,
        LONG.evaluations + LONG.perCharacter * inputCharacters,
      );
    this.maxCharacters = Math.min(
      MIN_CHARACTERS + MAX_GROWTH * inputCharacters,
      LONG.characters + LONG.growth * inputCharacters,
    );
  }

  count(evaluations: number): void {
    this.evaluations += evaluations;
    if (this.evaluations > this.maxEvaluations)
      throw new TemplateLimitError(`it evaluates more than ${this.maxEvaluations} expressions`);
  }

  /** For text that is read or written: before it is made, wherever it is not made of what has been paid for. */
  spend(characters: number): void {
    this.characters += characters;
    if (this.characters > this.maxCharacters)
      throw new TemplateLimitError(`it builds more than ${this.maxCharacters} characters of text`);
  }

  /** Looks for a text in another; long ones that nearly match are looked at again and again. */
  search(text: string, part: string): void {
    if (part.length > 16 && part.length <= text.length)
      this.spend(((text.length - part.length + 1) * part.length) / 64);
  }

  enter(): void {
    if (++this.depth > MAX_DEPTH)
      throw new TemplateLimitError(`it nests expressions, macros or values more than ${MAX_DEPTH} deep`);
  }

  leave(): void {
    this.depth--;
  }

  /** As {@link enter} and {@link leave} around what a value holds. */
  within<T>(look: () => T): T {
    this.enter();
    try {
      return look();
    } finally {
      this.leave();
    }
  }
}

/** Costs of what has been made: a list has places for what it holds. */
export const sizeOf = ({ value }: JinjaValue): number =>
  Array.isArray(value) ? value.length : value instanceof Map ? value.size : 0;

const sizes = new WeakMap<object, number>();

/** Nodes below a node of a template: the library goes through a macro's at each definition. */
export function nodesIn(node: JinjaNode): number {
  const known = sizes.get(node);
  if (known !== undefined) return known;
  let nodes = 0;
  const rest: unknown[] = [node];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next !== 'object' || next === null) continue;
    nodes++;
    for (const inner of next instanceof Map ? [...next].flat() : Object.values(next)) rest.push(inner);
  }
  sizes.set(node, nodes);
  return nodes;
}
