import { isSpecial } from '../../models/turn-end.js';
import type { Tokenizer } from '../../models/types.js';
import type { Sampling } from './sampling.js';

/** Decoding settings as a user writes them. Default: greedy. */
export interface DrawSettings {
  /** 0 or absent: greedily, whatever the other settings say. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  /** Default 17. */
  readonly seed?: number;
}

const SEED = 17;

export const samplingOf = ({ temperature = 0, seed = SEED, ...cuts }: DrawSettings): Sampling | undefined =>
  temperature === 0 ? undefined : { temperature, seed, topK: cuts.topK, topP: cuts.topP, minP: cuts.minP };

/** What ends an answer, apart by whether it is a special token, which a text is shown without, or any other text. */
export function stopsOf(
  tokenizer: Tokenizer,
  stops: readonly string[],
): { readonly ids: readonly number[]; readonly texts: readonly string[] } {
  const idOf = (stop: string): readonly number[] => {
    const id = tokenizer.idOf(stop);
    return id !== undefined && isSpecial(tokenizer, id) ? [id] : [];
  };
  return { ids: stops.flatMap(idOf), texts: stops.filter((stop) => idOf(stop).length === 0) };
}

export interface GenerationOptions {
  /** Longest answer in tokens, without the end token. */
  readonly maxTokens: number;
  /** Ids that end an answer; they are not part of it. */
  readonly stopIds: readonly number[];
  /** Default: answers are only ids. */
  readonly text?: TextOptions;
  /** Default: the likeliest token at each step. */
  readonly sampling?: Sampling;
  /** Of each row's draws, by the prompts' order, instead of its index: the same number, the same draws. */
  readonly streams?: readonly number[];
  /** Above 1 discourages tokens of the prompt and the answer so far; 1 does nothing. */
  readonly repetitionPenalty?: number;
  /** Changes the logits `[vocab]` of a row's next token, after the repetition penalty and before one is chosen. */
  readonly adjust?: (row: number, logits: Float32Array) => void;
  /** Called with every token of a row's answer as it is chosen. */
  readonly onToken?: (row: number, id: number) => void;
  /** Called with the number of rows that are complete. */
  readonly onProgress?: (done: number) => void;
  /** Aborts between two tokens by throwing the signal's reason. */
  readonly signal?: AbortSignal;
  /** Prompts that are answered together at most; default: {@link ANSWERED_TOGETHER}. A worker has a number of rows of its own. */
  readonly together?: AnswersTogether;
}

/** How many prompts are answered together at most. */
export interface AnswersTogether {
  readonly rows: number;
  /** Bytes that their keys and values may take. */
  readonly cacheBytes: number;
}

/** Where nothing else counts on less. */
export const ANSWERED_TOGETHER: AnswersTogether = { rows: 64, cacheBytes: 256 * 2 ** 20 };

interface TextOptions {
  /** Text of an answer's ids. */
  readonly decode: (ids: readonly number[]) => string;
  /** Texts that end an answer, wherever tokens begin and end in them; they are not part of it. */
  readonly stops?: readonly string[];
  /** Called with a row's text after every token, a stop string and what follows it cut off. */
  readonly onText?: (row: number, text: string) => void;
}

/** `stop`: an end token or a stop string; `length`: `maxTokens`; `full`: the model's last position. */
export type EndReason = 'stop' | 'length' | 'full';

export interface GeneratedAnswer {
  readonly ids: readonly number[];
  readonly reason: EndReason;
  /** Text of the ids before a stop string; empty if no {@link TextOptions} are given. */
  readonly text: string;
}
