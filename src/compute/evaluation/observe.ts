import type { Tokenizer } from '../models/types.js';
import type { TokenRows } from '../training/batch.js';
import type { CountedTexts } from '../training/index.js';
import { EVALUATION_SHAPES } from './evaluation-decoder.js';
import { NoNumberError } from './generation/answer.js';
import { type GeneratedAnswer, type GenerationOptions, stopsOf } from './generation/settings.js';
import type { LanguageModel } from './language-model.js';
import type { RowLoss } from './losses.js';
import type { MeasuredRow } from './metrics/types.js';

/** What a format stage says about a row besides its tokens. */
export interface RowText {
  readonly prompt: string;
  /** The reference, without an end token. */
  readonly answer: string;
  readonly file: string;
  readonly line: number;
  /** What sort of row it is, where the data says so: the report breaks the metrics down by it. */
  readonly kind?: string;
  /** Whether the row asks for harm, where the data says so, and what it asks. */
  readonly harm?: { readonly asked: boolean; readonly request: string };
  /** Where the row is one choice of a question: which one of how many, whether it is right, and its characters. */
  readonly choice?: {
    readonly at: number;
    readonly of: number;
    readonly right: boolean;
    readonly text: string;
    readonly characters: number;
  };
  /** Where the row is one answer of a preference: which one, and its text. */
  readonly preference?: { readonly side: 'chosen' | 'rejected'; readonly answer: string };
}

/** The rows that models are measured on. */
export interface HeldOut {
  readonly tokens: TokenRows;
  text(row: number): RowText;
  /** Tokens before the first supervised one: what a model gets to answer. */
  promptTokens(row: number): number;
  /** Ids that end an answer. */
  readonly stopIds: readonly number[];
  readonly padId: number;
  /** Of labelled rows: their labels by the numbers that are in the rows. */
  readonly labels?: readonly string[];
  /** Of preferences: whether each has two answers, which follow each other, or one that is judged. */
  readonly preferences?: 'pairs' | 'judged';
  /** Of pairs, how long they are. */
  readonly pairs?: CountedTexts;
}

/** How rows are answered. */
export interface AnswerSettings
  extends Pick<GenerationOptions, 'maxTokens' | 'sampling' | 'repetitionPenalty'> {
  /** Texts that end an answer. */
  readonly stop?: readonly string[];
}

interface ObserveOptions {
  readonly heldOut: HeldOut;
  /** Whether losses are wanted. */
  readonly losses: boolean;
  /** Whether rows next to each other begin alike, as the choices of a question do. */
  readonly sharesPrefixes?: boolean;
  /** Rows to answer. */
  readonly answer: readonly number[];
  readonly generation: AnswerSettings;
  readonly onProgress?: (done: number, what: 'losses' | 'answers') => void;
  readonly signal?: AbortSignal;
}

/** What one model makes of the rows. */
export interface Observation {
  readonly losses?: readonly RowLoss[];
  /** Answers by row. */
  readonly answers: ReadonlyMap<number, string>;
  /** Tokens of each of them, without what ended it. */
  readonly answerTokens?: ReadonlyMap<number, number>;
  /** The answers in tokens, without what ended them, and whether they have come to an end. */
  readonly answerIds?: ReadonlyMap<number, { readonly ids: readonly number[]; readonly ended: boolean }>;
  /** What judges and reward models say of the answers, by row. */
  readonly judged?: ReadonlyMap<number, NonNullable<MeasuredRow['judged']>>;
  /** Of labelled rows: the classes that they have and are given. */
  readonly classes?: readonly NonNullable<MeasuredRow['classes']>[];
  /** Of preferences: the reward of every row's answer. */
  readonly rewards?: readonly number[];
}

/** Losses of all rows and answers to the chosen ones. */
export async function observe(
  model: LanguageModel,
  tokenizer: Tokenizer,
  options: ObserveOptions,
): Promise<Observation> {
  const { heldOut, onProgress, signal } = options;
  const losses = options.losses
    ? await model.losses(heldOut.tokens, {
        padId: heldOut.padId,
        sharesPrefixes: options.sharesPrefixes,
        pairs: heldOut.pairs,
        onProgress: (done) => onProgress?.(done, 'losses'),
        signal,
      })
    : undefined;
  // the likeliest of several can be told only of numbers
  if (options.sharesPrefixes && losses?.every(({ sum }) => Number.isFinite(sum)) === false)
    throw new NoNumberError();
  const prompts = options.answer.map((row) =>
    heldOut.tokens.read(row).ids.slice(0, heldOut.promptTokens(row)),
  );
  const { maxTokens, sampling, repetitionPenalty, stop = [] } = options.generation;
  const stops = stopsOf(tokenizer, stop);
  const generated = await model.generate(prompts, {
    maxTokens,
    sampling,
    repetitionPenalty,
    // a row has its draws whatever other rows are answered
    streams: options.answer,
    stopIds: [...heldOut.stopIds, ...stops.ids],
    text: { decode: (ids) => tokenizer.decode(ids, { skipSpecial: true }), stops: stops.texts },
    together: EVALUATION_SHAPES.together,
    onProgress: (done) => onProgress?.(done, 'answers'),
    signal,
  });
  const byRow = <Value>(of: (answer: GeneratedAnswer) => Value): ReadonlyMap<number, Value> =>
    new Map(generated.map((answer, i) => [options.answer[i] as number, of(answer)]));
  return {
    losses,
    answers: byRow(({ text }) => text),
    answerTokens: byRow(({ ids }) => ids.length),
    answerIds: byRow(({ ids, reason }) => ({ ids, ended: reason === 'stop' })),
  };
}
