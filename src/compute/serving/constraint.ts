/** Answers that are kept to JSON: a token is possible where the text so far can go on with it. */
import { setImmediate } from 'node:timers/promises';
import type { Tokenizer } from '../models/types.js';
import { Automaton, type State } from './json/automaton.js';
import { schemaItem } from './json/schema.js';
import { SchemaError } from './json/schema-error.js';
import { NextTokens, Vocabulary } from './json/vocabulary.js';
import { formatUnsupported } from './serving-diagnostics.js';
import type { AnswerFormat } from './types.js';

/** What an answer's text is kept to. */
export interface AnswerConstraint {
  /** Makes every token impossible that the text cannot go on with; `[vocab]` logits. */
  mask(logits: Float32Array): void;
  /** Whether that leaves a token; for logits of which only the largest are finite. */
  leavesSome(logits: Float32Array): boolean;
  /** Takes the token that was chosen. */
  accept(id: number): void;
  /** Nothing can follow: the answer ends, even for a model without an end token. */
  readonly complete: boolean;
}

/** Characters of a schema. */
const LONGEST = 200_000;
/** Formats that are held ready. */
const HELD = 16;
/** States of one automaton, which grows while texts are read; it then begins again. */
const MOST_STATES = 100_000;

const ANY_OBJECT = { type: 'object' };

export class Constraints {
  private vocabulary: Vocabulary | undefined;
  private building: Promise<void> | undefined;
  private readonly held = new Map<string, NextTokens>();

  constructor(
    private readonly tokenizer: Tokenizer,
    /** Logits of the model, and the tokens that end its answers. */
    private readonly size: number,
    private readonly endIds: readonly number[],
  ) {}

  /**
   * Reads the vocabulary, which takes a second for a large one: piece by piece, so that answers go on meanwhile. {@link of}
   * reads it at once where nobody did before.
   */
  async prepare(): Promise<void> {
    if (this.vocabulary !== undefined) return;
    this.building ??= this.build();
    await this.building;
  }

  private async build(): Promise<void> {
    const steps = Vocabulary.build(this.tokenizer, this.size);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) {
        this.vocabulary = step.value;
        return;
      }
      await setImmediate();
    }
  }

  /** Throws a `UserError` for a schema that cannot be kept to. */
  of(format: AnswerFormat | undefined): AnswerConstraint | undefined {
    if (format === undefined) return undefined;
    return new JsonConstraint(
      this.tokensOf(format.type === 'json_object' ? ANY_OBJECT : format.schema),
      this.endIds,
    );
  }

  private tokensOf(schema: unknown): NextTokens {
    const key = JSON.stringify(schema) ?? '';
    if (key.length > LONGEST) throw formatUnsupported(`it has more than ${LONGEST} characters`);
    const held = this.held.get(key);
    this.held.delete(key);
    const tokens = held !== undefined && held.automaton.size < MOST_STATES ? held : this.compiled(schema);
    this.held.set(key, tokens);
    for (const [oldest] of this.held) {
      if (this.held.size <= HELD) break;
      this.held.delete(oldest);
    }
    return tokens;
  }

  private compiled(schema: unknown): NextTokens {
    return refusing(() => {
      const automaton = new Automaton(schemaItem(schema));
      if (automaton.start.places.length === 0) throw new SchemaError('nothing fits it');
      this.vocabulary ??= atOnce(Vocabulary.build(this.tokenizer, this.size));
      return new NextTokens(this.vocabulary, automaton);
    });
  }
}

function atOnce<T>(steps: Generator<undefined, T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

/** A `UserError` for what cannot be kept to. */
function refusing<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof SchemaError ? formatUnsupported(error.message) : error;
  }
}

class JsonConstraint implements AnswerConstraint {
  private state: State;

  constructor(
    private readonly tokens: NextTokens,
    private readonly endIds: readonly number[],
  ) {
    this.state = tokens.automaton.start;
  }

  get complete(): boolean {
    return this.state.isEnd && this.state.places.length === 0;
  }

  mask(logits: Float32Array): void {
    const next = this.possible();
    const left = new Float32Array(next.length);
    for (let i = 0; i < next.length; i++) left[i] = logits[next[i] as number] as number;
    const ends = this.state.isEnd ? this.endIds.map((id) => [id, logits[id] as number] as const) : [];
    logits.fill(Number.NEGATIVE_INFINITY);
    for (let i = 0; i < next.length; i++) logits[next[i] as number] = left[i] as number;
    for (const [id, logit] of ends) logits[id] = logit;
  }

  leavesSome(logits: Float32Array): boolean {
    const isSome = (id: number): boolean =>
      (logits[id] ?? Number.NEGATIVE_INFINITY) > Number.NEGATIVE_INFINITY;
    return this.possible().some(isSome) || (this.state.isEnd && this.endIds.some(isSome));
  }

  /** Tokens that the text can go on with, besides those that end it. */
  private possible(): Int32Array {
    this.tokens.automaton.begin();
    return refusing(() => this.tokens.of(this.state));
  }

  accept(id: number): void {
    const next = refusing(() => this.tokens.after(this.state, id));
    if (next === undefined) throw new RangeError(`the text cannot go on with token ${id}`);
    this.state = next;
  }
}
