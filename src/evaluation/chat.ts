import type { Decoder } from '../models/decoder/types.js';
import { turnEnd } from '../models/turn-end.js';
import type { ChatMessage, ChatTemplate, Tokenizer } from '../models/types.js';
import { generate } from './generation/generate.js';
import type { EndReason } from './generation/types.js';
import { promptTooLong } from './problems.js';
import { textStream } from './text-stream.js';

export interface AnswerOptions {
  /** Longest answer in tokens. Default 256. */
  readonly maxTokens?: number;
  /** 0 or left out: greedily. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  /** Default 17. */
  readonly seed?: number;
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
  const stopIds = [...new Set([...config.eosTokenIds, ...(turn === undefined ? [] : [turn.id])])];
  const decode = (ids: readonly number[]): string => tokenizer.decode(ids, { skipSpecial: true });
  return {
    label,
    chats: template !== undefined,
    async answer(asked, options = {}, onText) {
      const { maxTokens = 256, temperature = 0, seed = 17, stop = [], signal } = options;
      const prompt = promptIds(asked, tokenizer, template);
      if (prompt.length === 0 || prompt.length >= config.maxPositions)
        throw promptTooLong(label, prompt.length, config.maxPositions);
      const stream = textStream(stop);
      const sofar: number[] = [];
      const [generated] = await generate(decoder, [prompt], {
        maxTokens,
        stopIds,
        stopStrings: stop,
        decode,
        repetitionPenalty: options.repetitionPenalty,
        ...(temperature > 0
          ? {
              sampling: {
                temperature,
                seed,
                topK: options.topK,
                topP: options.topP,
                minP: options.minP,
              },
            }
          : {}),
        signal,
        onToken: (_, id) => {
          sofar.push(id);
          if (onText === undefined) return;
          const text = decode(sofar);
          const starts = stop.map((each) => text.indexOf(each)).filter((start) => start >= 0);
          show(stream.push(starts.length === 0 ? text : text.slice(0, Math.min(...starts))), onText);
        },
      });
      if (onText !== undefined && generated?.text === undefined) show(stream.end(), onText);
      const { ids = [], reason = 'stop' } = generated ?? {};
      return {
        text: generated?.text ?? decode(ids),
        reason,
        promptTokens: prompt.length,
        answerTokens: ids.length,
      };
    },
    release: () => decoder.release(),
  };
}

function show(piece: string, onText: (piece: string) => void): void {
  if (piece !== '') onText(piece);
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
