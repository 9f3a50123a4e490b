/** One request on its way: its prompt, its answer while it grows, and the pieces of it that were not taken yet. */
import { textStream } from '../evaluation/chat.js';
import { type GrowingAnswer, growingAnswer } from '../evaluation/generation/answer.js';
import { samplingOf, stopsOf } from '../evaluation/generation/settings.js';
import type { Tokenizer } from '../models/types.js';
import { adjustmentOf } from './adjustments.js';
import type { AnswerConstraint } from './constraint.js';
import { type Distribution, distributionOf, type logprobWriter } from './logprobs.js';
import { PieceQueue } from './piece-queue.js';
import type { CompletionPiece, CompletionRequest, TokenLogprob } from './types.js';

/** What all answers of an engine have in common. */
export interface AnswerParts {
  readonly tokenizer: Tokenizer;
  readonly contextTokens: number;
  /** Tokens, and texts of training, that end every answer. */
  readonly endIds: readonly number[];
  readonly stops: readonly string[];
  readonly writeLogprob: ReturnType<typeof logprobWriter>;
  /** Milliseconds of a clock that nobody sets. */
  readonly clock: () => number;
}

export class ServedAnswer {
  readonly pieces = new PieceQueue<CompletionPiece>();
  /** Nobody waits for it any more, or it has ended. */
  over = false;
  private readonly growing: GrowingAnswer;
  private readonly ids: number[] = [];
  private readonly text: ReturnType<typeof textStream>;
  private readonly adjustment: ReturnType<typeof adjustmentOf>;
  /** Of tokens that were not given yet, as their text may still become something else. */
  private pending: { readonly tokens: number[]; readonly logprobs: TokenLogprob[]; text: string } = {
    ...{ tokens: [], logprobs: [], text: '' },
  };
  private started: number | undefined;

  constructor(
    private readonly parts: AnswerParts,
    readonly request: CompletionRequest,
    readonly prompt: Int32Array,
    /** Its place among all requests: the youngest gives way. */
    readonly number: number,
    private readonly constraint: AnswerConstraint | undefined,
  ) {
    const { tokenizer, contextTokens } = parts;
    const room = contextTokens - prompt.length;
    const stops = stopsOf(tokenizer, [...parts.stops, ...request.stop]);
    this.text = textStream(stops.texts);
    this.adjustment = adjustmentOf(request);
    this.growing = growingAnswer(0, prompt, room, {
      maxTokens: request.maxTokens ?? room,
      stopIds: [...parts.endIds, ...stops.ids],
      sampling: samplingOf(request.draw),
      streams: [request.stream ?? 0],
      repetitionPenalty: request.penalties?.repetition,
      adjust: (_, logits) => {
        this.adjustment?.apply(logits);
        this.constraint?.mask(logits);
      },
      onToken: (_, id) => {
        this.ids.push(id);
        this.adjustment?.count(id);
        this.pending.tokens.push(id);
      },
      text: {
        decode: (ids) => tokenizer.decode(ids, { skipSpecial: true }),
        stops: stops.texts,
        onText: (_, text) => {
          this.pending.text += this.text.push(text);
        },
      },
    });
  }

  /** The prompt, and the answer so far. */
  get known(): Int32Array {
    const whole = new Int32Array(this.prompt.length + this.ids.length);
    whole.set(this.prompt);
    whole.set(this.ids, this.prompt.length);
    return whole;
  }

  get length(): number {
    return this.prompt.length + this.ids.length;
  }

  /** The token chosen last. */
  get last(): number {
    return this.growing.last;
  }

  /** Whether the prompt is part of what is given: then all of it is computed. */
  get echoes(): boolean {
    return this.request.echo === true && this.ids.length === 0;
  }

  get answerTokens(): number {
    return this.ids.length;
  }

  /** Its prompt is being read. */
  start(cachedTokens: number): void {
    if (this.started !== undefined) return;
    this.started = this.parts.clock();
    this.pieces.push({ type: 'start', promptTokens: this.prompt.length, cachedTokens });
  }

  /**
   * Gives the prompt as the beginning of the answer; `every`: the distribution after each of its tokens, and the logit
   * of the next.
   */
  echo(every: readonly { readonly logit: number; readonly distribution: Distribution }[]): void {
    const { tokenizer, writeLogprob } = this.parts;
    const unknown = { logit: Number.NaN, distribution: { total: 0, top: [] } };
    const logprobs = Array.from(this.prompt, (id, at) => {
      const { logit, distribution } = (at === 0 ? undefined : every[at - 1]) ?? unknown;
      return writeLogprob(id, logit, distribution);
    });
    const { prompt } = this.request;
    // as it was asked: the tokens of a text may begin with one that is not in it
    const text = 'text' in prompt ? prompt.text : tokenizer.decode(this.prompt);
    this.pieces.push({
      ...{ type: 'text', text, tokens: [...this.prompt] },
      ...(this.request.logprobs !== undefined && { logprobs }),
    });
  }

  /**
   * Chooses the next token from `[vocab]` logits, which it changes; `total`: log Σ exp of all of them, where only the largest
   * are given. Throws a `NoNumberError`.
   */
  take(logits: Float32Array, total?: number): void {
    if (this.request.maxTokens === 0) {
      this.end('length');
      return;
    }
    const { logprobs } = this.request;
    const seen = logprobs === undefined ? undefined : { raw: logits.slice(), count: this.ids.length };
    this.growing.take(logits);
    const chosen = this.ids.length > (seen?.count ?? this.ids.length) ? this.ids.at(-1) : undefined;
    if (seen !== undefined && chosen !== undefined) {
      const distribution = distributionOf(seen.raw, logprobs ?? 0, total);
      this.pending.logprobs.push(this.parts.writeLogprob(chosen, seen.raw[chosen] ?? 0, distribution));
    }
    if (!this.growing.ended) this.constraint?.accept(this.last);
    const isComplete = this.constraint?.complete === true;
    if (!this.growing.ended && !isComplete) {
      if (this.pending.text !== '') this.flush();
      return;
    }
    const reason = isComplete ? 'stop' : this.growing.result().reason;
    this.pending.text += this.text.end();
    if (this.pending.tokens.length > 0) this.flush();
    this.end(reason === 'stop' ? 'stop' : 'length');
  }

  /** Ends it with an error, or because nobody waits any more. */
  fail(error: unknown): void {
    this.over = true;
    this.pieces.end({ error });
  }

  private end(reason: 'stop' | 'length'): void {
    const { clock } = this.parts;
    this.over = true;
    this.pieces.push({
      ...{ type: 'end', reason, promptTokens: this.prompt.length, answerTokens: this.ids.length },
      seconds: (clock() - (this.started ?? clock())) / 1000,
    });
    this.pieces.end();
  }

  private flush(): void {
    const { text, tokens, logprobs } = this.pending;
    const isAsked = this.request.logprobs !== undefined;
    this.pieces.push({ type: 'text', text, tokens, ...(isAsked && { logprobs }) });
    this.pending = { tokens: [], logprobs: [], text: '' };
  }
}
