import type { Decoder } from '../models/decoder/types.js';
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
  readonly tokens: number;
}

/** A model that answers messages. */
export interface Answerer {
  /** What it was opened from, for people. */
  readonly label: string;
  /**
   * Answers messages, or goes on from a text as it stands. Calls must not overlap. Throws a `UserError` for a prompt
   * that fills the model.
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
  /** Left out: the messages' texts are continued as they stand. */
  readonly template?: ChatTemplate;
}

export function answerer({ label, decoder, tokenizer, template }: AnswererParts): Answerer {
  const { config } = decoder.options;
  const stopIds = [
    ...new Set([...config.eosTokenIds, ...(template === undefined ? [] : turnEnd(template, tokenizer))]),
  ];
  const decode = (ids: readonly number[]): string => tokenizer.decode(ids, { skipSpecial: true });
  return {
    label,
    async answer(asked, options = {}, onText) {
      const { maxTokens = 256, temperature = 0, seed = 17, stop = [], signal } = options;
      const prompt = tokenizer.encode(promptText(asked, template));
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
        tokens: ids.length,
      };
    },
    release: () => decoder.release(),
  };
}

function show(piece: string, onText: (piece: string) => void): void {
  if (piece !== '') onText(piece);
}

function promptText(asked: readonly ChatMessage[] | string, template: ChatTemplate | undefined): string {
  if (typeof asked === 'string') return asked;
  return template === undefined
    ? asked.map(({ content }) => content).join('\n')
    : template.render(asked, { addGenerationPrompt: true });
}

/** A text that no template writes by itself. */
const MARK = 'q7Zx';

/** The special token that the template puts after an assistant's answer, which is where the answer ends. */
export function turnEnd(template: ChatTemplate, tokenizer: Tokenizer): readonly number[] {
  const turn = template.render([
    { role: 'user', content: 'q' },
    { role: 'assistant', content: MARK },
  ]);
  const after = turn.slice(turn.lastIndexOf(MARK) + MARK.length).trimStart();
  const [first] = tokenizer.encode(after);
  if (first === undefined) return [];
  const special = tokenizer.decode([first]) !== '' && tokenizer.decode([first], { skipSpecial: true }) === '';
  return special ? [first] : [];
}
