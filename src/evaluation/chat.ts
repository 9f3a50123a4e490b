import type { Decoder } from '../models/decoder/types.js';
import { turnEnd } from '../models/turn-end.js';
import type { ChatMessage, ChatTemplate, ModelConfig, Tokenizer } from '../models/types.js';
import { generate } from './generation/generate.js';
import { type DrawSettings, samplingOf, stopsOf } from './generation/settings.js';
import type { EndReason } from './generation/types.js';
import { promptTooLong, unknownToken } from './problems.js';
import { textStream } from './text-stream.js';

export interface AnswerOptions extends DrawSettings {
  /** Longest answer in tokens. Default 256. */
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

/** A model that answers messages. */
export interface Answerer {
  /** What it was opened from, for people. */
  readonly label: string;
  /** Has a chat template. Without one, messages are continued as a text of their lines. */
  readonly chats: boolean;
  /**
   * Answers messages, or goes on from a text, before which the tokenizer puts the token that it begins texts with.
   * Calls must not overlap. Throws a `UserError` for a prompt that fills the model.
   */
  answer(
    prompt: readonly ChatMessage[] | string,
    options?: AnswerOptions,
    onText?: (piece: string) => void,
  ): Promise<Answer>;
  release(): Promise<void>;
}

export interface AnswererParts {
  readonly label: string;
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  readonly template?: ChatTemplate;
}

export function answerer({ label, decoder, tokenizer, template }: AnswererParts): Answerer {
  const { config } = decoder.options;
  const turn = template === undefined ? undefined : turnEnd(template, tokenizer);
  const stopIds = [...config.eosTokenIds, ...(turn === undefined ? [] : [turn.id])];
  const decode = (ids: readonly number[]): string => tokenizer.decode(ids, { skipSpecial: true });
  return {
    label,
    chats: template !== undefined,
    async answer(asked, options = {}, onText) {
      const { maxTokens = 256, signal } = options;
      const prompt = promptIds(asked, tokenizer, template);
      checkPrompt(label, prompt, tokenizer, config);
      const stops = stopsOf(tokenizer, options.stop ?? []);
      const stream = textStream(stops.texts);
      const [generated] = await generate(decoder, [prompt], {
        maxTokens,
        stopIds: [...stopIds, ...stops.ids],
        text: {
          decode,
          stops: stops.texts,
          onText: onText && ((_, text) => show(stream.push(text), onText)),
        },
        repetitionPenalty: options.repetitionPenalty,
        sampling: samplingOf(options),
        signal,
      });
      if (generated === undefined) throw new Error('one prompt has one answer');
      const { ids, reason, text } = generated;
      if (onText !== undefined) show(stream.end(), onText);
      return { text, reason, promptTokens: prompt.length, answerTokens: ids.length };
    },
    release: () => decoder.release(),
  };
}

function show(piece: string, onText: (piece: string) => void): void {
  if (piece !== '') onText(piece);
}

/** Throws a `UserError` for what the model cannot read. */
function checkPrompt(
  label: string,
  prompt: Int32Array,
  tokenizer: Tokenizer,
  { maxPositions, vocabSize }: ModelConfig,
): void {
  if (prompt.length === 0 || prompt.length >= maxPositions)
    throw promptTooLong(label, prompt.length, maxPositions);
  const foreign = prompt.find((id) => id >= vocabSize);
  if (foreign !== undefined) throw unknownToken(label, tokenizer.tokenOf(foreign) ?? '', foreign, vocabSize);
}

/** A template writes the token that begins a text itself. */
function promptIds(
  asked: readonly ChatMessage[] | string,
  tokenizer: Tokenizer,
  template: ChatTemplate | undefined,
): Int32Array {
  if (typeof asked !== 'string' && template !== undefined)
    return tokenizer.encode(template.render(asked, { addGenerationPrompt: true }));
  const text = typeof asked === 'string' ? asked : asked.map(({ content }) => content).join('\n');
  const ids = tokenizer.encode(text);
  const { beginId } = tokenizer;
  return beginId === undefined || ids[0] === beginId || ids.length === 0
    ? ids
    : Int32Array.of(beginId, ...ids);
}
