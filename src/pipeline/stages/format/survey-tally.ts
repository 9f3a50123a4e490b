import type { ExpectedSplits } from '../data/expected-splits.js';
import type { SplitName } from '../data/split.js';
import type { EncodedRow } from './encode-row.js';
import { joinedTokens } from './preference-rows.js';
import { type Asked, answerTokens, LengthCounts } from './split-files.js';

/** Rows that were tokenized. */
interface SurveyedRows {
  /** Those that are counted below. */
  readonly sampled: number;
  /** Of every row that was tokenized, also of those that are not counted. */
  readonly longest: number;
  readonly tokens: number;
  readonly supervised: number;
  /** Supervised tokens of a row: most of them, and their standard deviation. */
  readonly answers?: { readonly most: number; readonly deviation: number };
  /** Tokens of prompts, of the rows that have one. */
  readonly prompts?: { readonly longest: number; readonly histogram: readonly number[] };
  /** Each prompt with its answer. */
  readonly asked?: readonly Asked[];
  /** By length: `histogram[i]` have at most `16 · (i + 1)` tokens. */
  readonly histogram: readonly number[];
  /** Tokens of every row in the order of the rows, where all are known. */
  readonly inOrder?: readonly number[];
  /** Of pairs of answers, where the tokens of their prompt count once. */
  readonly joined?: {
    readonly longest: number;
    readonly tokens: number;
    readonly histogram: readonly number[];
  };
}

/** Rows of all splits. */
export interface Surveyed extends SurveyedRows {
  /** Rows that the stage will put into each split, after the limit and with the general rows; a fraction at times. */
  readonly expected: ExpectedSplits;
  /** Of each split by itself, where it is known which rows it gets. */
  readonly splits?: Readonly<Record<SplitName, SurveyedRows>>;
  /** Of preferences: two answers of a pair are each a row here. */
  readonly isPaired?: boolean;
}

/** What rows are that were tokenized, by their lengths. */
export class SurveyTally {
  private readonly counts = new LengthCounts();
  private readonly joined = new LengthCounts();
  private longest = 0;
  private longestPrompt = 0;
  private readonly lengths: number[] = [];
  private readonly asked: Asked[] = [];
  /** Of pairs of answers. */
  private longestJoined = 0;

  /** What is kept of a row; nothing of one that is dropped. */
  add(kept: readonly EncodedRow[], isCounted: boolean): void {
    const tokens = joinedTokens(kept);
    if (tokens !== undefined) {
      this.longestJoined = Math.max(this.longestJoined, tokens);
      if (isCounted) this.joined.add(tokens, 0);
    }
    for (const { ids, supervised, promptTokens } of kept) {
      this.longest = Math.max(this.longest, ids.length);
      this.longestPrompt = Math.max(this.longestPrompt, promptTokens);
      if (!isCounted) continue;
      this.counts.add(ids.length, supervised, promptTokens);
      this.lengths.push(ids.length);
      const answer = answerTokens({ tokens: ids.length, supervised, prompt: promptTokens });
      if (promptTokens > 0) this.asked.push({ prompt: promptTokens, answer });
    }
  }

  get isPaired(): boolean {
    return this.longestJoined > 0;
  }

  /** `isWhole`: the rows that were counted are those that will be there, in their order. */
  found(isWhole = false): SurveyedRows {
    const { counts, joined } = this;
    return {
      sampled: counts.rows,
      longest: this.longest,
      tokens: counts.tokens,
      supervised: counts.supervised,
      answers: counts.answers(),
      prompts: { longest: this.longestPrompt, histogram: counts.prompts.histogram },
      asked: this.asked,
      histogram: counts.histogram,
      ...(isWhole && { inOrder: this.lengths }),
      ...(this.isPaired && {
        joined: { longest: this.longestJoined, tokens: joined.tokens, histogram: joined.histogram },
      }),
    };
  }
}
