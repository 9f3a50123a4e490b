import type { Place } from '../../language/diagnostics/types.js';
import type { ModelFacts } from '../models/any-model.js';
import type { RowPrompt } from '../models/training-prompt.js';
import { turnEnd } from '../models/turn-end.js';
import type { ChatMessage, ChatTemplate, RenderOptions, Tokenizer } from '../models/types.js';
import { promptTooLong, unknownToken } from './evaluation-diagnostics.js';
import { type DrawSettings, type EndReason, samplingOf, stopsOf } from './generation/settings.js';
import type { LanguageModel } from './language-model.js';

export interface AnswerOptions extends DrawSettings {
  /** Longest answer in tokens. Default {@link LONGEST}. */
  readonly maxTokens?: number;
  readonly repetitionPenalty?: number;
  /** Texts that end the answer. */
  readonly stop?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly text: string;
  readonly reason: EndReason;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

export type Prompt = readonly ChatMessage[] | string;

interface PlacedPrompt {
  readonly prompt: Prompt;
  /** Where it was read, for what is wrong with it. */
  readonly at?: Place;
}

/** Prompts that are sorted into batches together: what is lost at most where it ends half-way. */
export const TOGETHER = 64;
/** Tokens of an answer at most, where nobody says. */
export const LONGEST = 256;

/** A model that answers messages. */
export interface Answerer {
  /** What it was opened from, for people. */
  readonly label: string;
  /** Has a chat template. Without one, messages are continued as a text of their lines. */
  readonly chats: boolean;
  /** How the rows asked that it was trained on, where that is known. */
  readonly training?: RowPrompt;
  /**
   * Answers messages, or continues a text, which the tokenizer starts with its begin token.
   * Calls must not overlap. Throws a `UserError` for a prompt that fills the model.
   */
  answer(prompt: Prompt, options?: AnswerOptions, onText?: (piece: string) => void): Promise<Answer>;
  /**
   * Answers of many prompts in their order, {@link TOGETHER} at a time. Throws a `UserError` before any is answered.
   */
  answerAll(prompts: readonly PlacedPrompt[], options?: AnswerOptions): AsyncGenerator<Answer>;
  release(): Promise<void>;
}

/** What prompts become tokens with, and what an answerer says of itself. */
export interface AskedModel {
  readonly label: string;
  readonly tokenizer: Tokenizer;
  readonly template?: ChatTemplate;
  readonly training?: RowPrompt;
}

export interface AnswererParts extends AskedModel {
  readonly model: LanguageModel;
}

/**
 * Answers prompts together, in their order. `first`: index of the first among all, which its draws follow. `onText` gets what
 * is to be shown of a single one, piece by piece.
 */
export type Answering = (
  prompts: readonly Int32Array[],
  first: number,
  options: AnswerOptions,
  onText?: (piece: string) => void,
) => Promise<readonly Answer[]>;

/** Answers with a model. `label` is what errors call it. */
export function answerer(parts: AnswererParts): Answerer {
  const { model, tokenizer, template, training } = parts;
  const stopIds = endIds(model.facts, tokenizer, template);
  const decode = (ids: readonly number[]): string => tokenizer.decode(ids, { skipSpecial: true });
  return answererBy(parts, model.facts, {
    async answering(prompts, first, options, onText) {
      const { maxTokens = LONGEST, repetitionPenalty, signal } = options;
      const texts = [...(training?.stop ?? []), ...(options.stop ?? [])];
      const stops = stopsOf(tokenizer, texts);
      const stream = textStream(texts);
      const generated = await model.generate(prompts, {
        maxTokens,
        stopIds: [...stopIds, ...stops.ids],
        text: { decode, stops: stops.texts, onText: onText && ((_, text) => onText(stream.push(text))) },
        repetitionPenalty,
        sampling: samplingOf(options),
        streams: prompts.map((_, i) => first + i),
        signal,
      });
      onText?.(stream.end());
      return generated.map(({ ids, reason, text }, i) => ({
        text,
        reason,
        promptTokens: prompts[i]?.length ?? 0,
        answerTokens: ids.length,
      }));
    },
    release: () => model.release(),
  });
}

/** Answers with whatever reads tokens and gives texts. */
export function answererBy(
  { label, tokenizer, template, training }: AskedModel,
  limits: Pick<ModelFacts, 'maxPositions' | 'vocabSize'>,
  { answering, release }: { readonly answering: Answering; readonly release: () => Promise<void> },
): Answerer {
  const idsOf = ({ prompt, at }: PlacedPrompt): Int32Array => {
    const ids = promptIds(prompt, tokenizer, template);
    checkPrompt(label, ids, tokenizer, limits, at);
    return ids;
  };
  return {
    label,
    chats: template !== undefined,
    training,
    async answer(prompt, options = {}, onText) {
      const show = onText && ((piece: string): void => (piece === '' ? undefined : onText(piece)));
      const [answer] = await answering([idsOf({ prompt })], 0, options, show);
      if (answer === undefined) throw new Error('one prompt has one answer');
      return answer;
    },
    async *answerAll(prompts, options = {}) {
      const all = prompts.map(idsOf);
      for (let first = 0; first < all.length; first += TOGETHER)
        yield* await answering(all.slice(first, first + TOGETHER), first, options);
    },
    release,
  };
}

/** The tokens that end an answer: of a text, and that of a template's turn. */
export function endIds(
  { eosTokenIds }: Pick<ModelFacts, 'eosTokenIds'>,
  tokenizer: Tokenizer,
  template: ChatTemplate | undefined,
): readonly number[] {
  const turn = template === undefined ? undefined : turnEnd(template, tokenizer);
  return turn === undefined ? eosTokenIds : [...eosTokenIds, turn.id];
}

/** Throws a `UserError` for what the model cannot read: it needs a position beyond a prompt to answer at. */
export function checkPrompt(
  label: string,
  prompt: Int32Array,
  tokenizer: Tokenizer,
  { maxPositions, vocabSize }: Pick<ModelFacts, 'maxPositions' | 'vocabSize'>,
  at: Place | undefined,
): void {
  if (prompt.length === 0 || prompt.length >= maxPositions)
    throw promptTooLong(label, prompt.length, maxPositions, at);
  const foreign = prompt.find((id) => id >= vocabSize);
  if (foreign !== undefined)
    throw unknownToken(label, { token: tokenizer.tokenOf(foreign) ?? '', id: foreign, vocab: vocabSize }, at);
}

/** A template writes the token that begins a text itself. */
export function promptIds(
  asked: Prompt,
  tokenizer: Tokenizer,
  template: ChatTemplate | undefined,
  tools?: RenderOptions['tools'],
): Int32Array {
  if (typeof asked !== 'string' && template !== undefined)
    return tokenizer.encode(template.render(asked, { addGenerationPrompt: true, tools }));
  const text = typeof asked === 'string' ? asked : asked.map(({ content }) => content).join('\n');
  return beginning(tokenizer.encode(text), tokenizer);
}

/** With the token that the tokenizer puts before a text. */
export const beginning = (ids: Int32Array, { beginId }: Pick<Tokenizer, 'beginId'>): Int32Array =>
  beginId === undefined || ids[0] === beginId || ids.length === 0 ? ids : Int32Array.of(beginId, ...ids);

interface TextStream {
  /** The whole text so far; gives what can be shown now and never has to be taken back. */
  push(text: string): string;
  /** What was held back. */
  end(): string;
}

/**
 * Cuts a growing text into pieces to show: characters that are not complete yet (U+FFFD at the end) and what may be
 * the beginning of a stop string are held back.
 */
export function textStream(stopStrings: readonly string[] = []): TextStream {
  let shown = 0;
  let whole = '';
  return {
    push(text) {
      whole = text;
      const safe = text.length - heldBack(text, stopStrings);
      if (safe <= shown) return '';
      const piece = text.slice(shown, safe);
      shown = safe;
      return piece;
    },
    end() {
      const piece = whole.slice(shown);
      shown = whole.length;
      return piece;
    },
  };
}

function heldBack(text: string, stopStrings: readonly string[]): number {
  const incomplete = /\uFFFD+$/.exec(text)?.[0].length ?? 0;
  const complete = text.slice(0, text.length - incomplete);
  for (let length = Math.max(0, ...stopStrings.map((stop) => stop.length - 1)); length > 0; length--) {
    const end = complete.slice(-length);
    if (end.length === length && stopStrings.some((stop) => stop.startsWith(end))) return incomplete + length;
  }
  return incomplete;
}
