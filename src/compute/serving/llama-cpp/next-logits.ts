/** What llama.cpp gives of the logits after a text: it holds them, and hands over only the likeliest tokens at little cost. */
import { discarded } from '../../tensor/garbage.js';
import type { AnswerConstraint } from '../constraint.js';
import type { Distribution } from '../logprobs.js';
import type { CompletionRequest } from '../types.js';
import type { LlamaModel, LogitChanges, LogitsHandle } from './model.js';

/**
 * Tokens that are handed over where one is drawn or logits are changed: what is less likely is never chosen. All of a
 * vocabulary take 20 ms and more per token.
 */
const LIKELIEST = 1024;
/** Bytes of a token on its way, as numbers of JavaScript: those of a large vocabulary are collected before others come. */
const HANDED_OVER = 32;

/** Logits of a request's next token, in part. */
interface PartialLogits {
  /** `[vocab]`, less than the true ones by one number; those that were not handed over are −Infinity. */
  readonly logits: Float32Array;
  /** Natural logarithm of Σ exp over all logits; left out where nobody asks for log-probabilities. */
  readonly total?: number;
}

/** One buffer `[vocab]`, which all requests of a model use in turn. */
export class NextLogits {
  private readonly scratch: Float32Array;
  private filled: readonly number[] | Int32Array = [];

  constructor(
    private readonly model: LlamaModel,
    private readonly vocabSize: number,
  ) {
    this.scratch = new Float32Array(vocabSize).fill(Number.NEGATIVE_INFINITY);
  }

  /** Until it is called again. `known`: prompt and answer so far. */
  async of(
    handle: LogitsHandle,
    request: CompletionRequest,
    known: Int32Array,
    constraint?: AnswerConstraint,
  ): Promise<PartialLogits> {
    const changes = { ...biasOf(request), ...repetitionOf(request, known) };
    if (isPlain(request) && request.logprobs === undefined) {
      const logits = this.write([await this.model.greedy(handle, changes)], [0]);
      if (constraint?.leavesSome(logits) !== false) return { logits };
    }
    // a bias that is still to come can make any token the likeliest
    const count = hasBias(leftToDo(request)) ? this.vocabSize : LIKELIEST;
    const top =
      request.logprobs === undefined ? undefined : Math.log((await this.model.top(handle)).probability);
    const found = await this.likeliest(handle, count, top, changes);
    return constraint?.leavesSome(found.logits) === false && count < this.vocabSize
      ? this.likeliest(handle, this.vocabSize, top, changes)
      : found;
  }

  /** Of a prompt's token: the log-probability of the token that follows, and the likeliest ones instead. */
  async distribution(
    handle: LogitsHandle,
    next: number,
    alternatives: number,
  ): Promise<{ readonly logit: number; readonly distribution: Distribution }> {
    const most = Math.log((await this.model.top(handle)).probability);
    const few = await this.handedOver(handle, LIKELIEST);
    const isAmong = few.ids.includes(next) || few.ids.length >= this.vocabSize;
    const { ids, probabilities } = isAmong ? few : await this.handedOver(handle, this.vocabSize);
    // they sum to 1 over the tokens that were handed over
    const shift = most - Math.log(probabilities[0] ?? 1);
    const logitAt = (rank: number): number => Math.log(probabilities[rank] ?? 0) + shift;
    const top = Array.from(ids.subarray(0, alternatives), (id, rank) => ({ id, logit: logitAt(rank) }));
    return { logit: logitAt(ids.indexOf(next)), distribution: { total: 0, top } };
  }

  private async handedOver(handle: LogitsHandle, count: number, changes?: LogitChanges) {
    const found = await this.model.likeliest(handle, count, changes);
    if (count > LIKELIEST) discarded(HANDED_OVER * found.ids.length);
    return found;
  }

  private async likeliest(
    handle: LogitsHandle,
    count: number,
    top: number | undefined,
    changes: LogitChanges,
  ): Promise<PartialLogits> {
    const { ids, probabilities } = await this.handedOver(handle, count, changes);
    // they sum to 1 over the tokens that were handed over
    const shift = top === undefined ? 0 : top - Math.log(probabilities[0] ?? 1);
    const logits = this.write(
      ids,
      Float32Array.from(probabilities, (probability) => Math.log(probability) + shift),
    );
    return { logits, ...(top !== undefined && { total: 0 }) };
  }

  private write(ids: readonly number[] | Int32Array, values: readonly number[] | Float32Array): Float32Array {
    for (const id of this.filled) this.scratch[id] = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < ids.length; at++) {
      const id = ids[at] as number;
      if (id >= 0 && id < this.vocabSize) this.scratch[id] = values[at] as number;
    }
    this.filled = ids;
    return this.scratch;
  }
}

/** What is left to be done to logits that were handed over: llama.cpp applies the repetition penalty itself, and mostly biases. */
export const leftToDo = ({ penalties, bias, ...request }: CompletionRequest): CompletionRequest => ({
  ...request,
  penalties: { ...penalties, repetition: undefined },
  ...(!addsBias({ ...request, penalties }) && { bias }),
});

/**
 * Whether llama.cpp adds the biases: not where log-probabilities are asked for, which are those before them, nor where tokens
 * that they leave without a probability may be the only ones of a format, nor before a repetition penalty, which comes first.
 */
const addsBias = ({ logprobs, format, penalties }: CompletionRequest): boolean =>
  logprobs === undefined && format === undefined && (penalties?.repetition ?? 1) === 1;

const hasBias = ({ bias = {} }: CompletionRequest): boolean => Object.keys(bias).length > 0;

function biasOf(request: CompletionRequest): LogitChanges {
  if (!hasBias(request) || !addsBias(request)) return {};
  const { bias = {} } = request;
  return {
    tokenBiasKeys: Uint32Array.from(Object.keys(bias), Number),
    tokenBiasValues: Float32Array.from(Object.values(bias)),
  };
}

/** The likeliest token is chosen, whatever the others are. */
function isPlain(request: CompletionRequest): boolean {
  const { draw, penalties: { repetition = 1, presence = 0, frequency = 0 } = {} } = request;
  const isAsIs = repetition === 1 && presence === 0 && frequency === 0;
  return (draw.temperature ?? 0) === 0 && isAsIs && !hasBias(leftToDo(request));
}

/** Its sign matters, so that it needs the true logits: llama.cpp applies it. */
function repetitionOf({ penalties: { repetition = 1 } = {} }: CompletionRequest, known: Int32Array) {
  if (repetition === 1) return {};
  const seen = Uint32Array.from(new Set(known));
  return { repeatPenalty: repetition, repeatPenaltyMaxTokens: seen.length, repeatPenaltyTokens: seen };
}
