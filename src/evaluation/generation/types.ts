import type { Sampling } from './sampling.js';

export interface GenerationOptions {
  /** Longest answer in tokens, the end token aside. */
  readonly maxTokens: number;
  /** Ids that end an answer; they are not part of it. */
  readonly stopIds: readonly number[];
  /** Texts that end an answer; they are not part of it. They need `decode`. */
  readonly stopStrings?: readonly string[];
  /** Text of an answer's ids. */
  readonly decode?: (ids: readonly number[]) => string;
  /** Left out: the likeliest token at each step. */
  readonly sampling?: Sampling;
  /** Above 1 discourages tokens of the prompt and the answer so far; 1 does nothing. */
  readonly repetitionPenalty?: number;
  /** Called with every token of a row's answer as it is chosen. */
  readonly onToken?: (row: number, id: number) => void;
  /** Called with the number of rows that are complete. */
  readonly onProgress?: (done: number) => void;
  /** Aborts between two tokens by throwing the signal's reason. */
  readonly signal?: AbortSignal;
  /** Bytes that the keys and values of one batch may take. Default 256 MiB. */
  readonly cacheBytes?: number;
}

/** `stop`: an end token or a stop string; `length`: `maxTokens`; `full`: the model's last position. */
export type EndReason = 'stop' | 'length' | 'full';

export interface Generated {
  readonly ids: readonly number[];
  readonly reason: EndReason;
  /** Where a stop string ended the answer: its text before that string. */
  readonly text?: string;
}
