/** The answers that are generated together: they join when their prompts are read, and leave when they end. */

import { noNumbers } from '../evaluation/evaluation-diagnostics.js';
import { NoNumberError } from '../evaluation/generation/answer.js';
import { cacheSize, roomFor } from '../models/decoder/caches.js';
import type { DecodeSession } from '../models/decoder/types.js';
import type { ServedAnswer } from './served-answer.js';

export class RunningBatch {
  /** In the order of the session's rows. */
  answers: readonly ServedAnswer[] = [];
  private session: DecodeSession | undefined;

  constructor(
    private readonly label: string,
    private readonly contextTokens: number,
  ) {}

  /** Tokens that its caches would have room for with so many rows, the longest of so many tokens. */
  tokensWith(rows: number, longest: number): number {
    return rows === 0 ? 0 : roomFor(rows) * cacheSize(longest, this.contextTokens);
  }

  /** Tokens of the longest row after the next step. */
  get longest(): number {
    return Math.max(0, ...this.answers.map(({ length }) => length));
  }

  /** Takes the rows of a session whose prompts are read. */
  async join(answers: readonly ServedAnswer[], session: DecodeSession): Promise<void> {
    if (this.session === undefined) this.session = session;
    else await this.session.join(session);
    this.answers = [...this.answers, ...answers];
  }

  /** One token more for each answer. */
  async step(): Promise<void> {
    const { session, answers } = this;
    if (session === undefined || answers.length === 0) return;
    const logits = await session.append(answers.map(({ last }) => Int32Array.of(last)));
    const vocab = logits.length / answers.length;
    for (const [row, answer] of answers.entries())
      if (!answer.over) takeNext(answer, logits.subarray(row * vocab, (row + 1) * vocab), this.label);
  }

  /** Lets answers go; `leaving` is told of each, with what reads its keys and values. */
  async release(
    isLeaving: (answer: ServedAnswer) => boolean,
    leaving: (answer: ServedAnswer, read: (start: number, end: number) => Float32Array) => void,
  ): Promise<void> {
    const { session, answers } = this;
    if (session === undefined || !answers.some(isLeaving)) return;
    answers.forEach((answer, row) => {
      if (isLeaving(answer)) leaving(answer, (start, end) => session.read(row, start, end));
    });
    const kept = closedUp(answers.map((answer) => !isLeaving(answer)));
    if (kept.length === 0) return this.clear();
    await session.keep(kept);
    this.answers = kept.map((row) => answers[row] as ServedAnswer);
  }

  /** Lets all of them go, and frees the caches. */
  async clear(): Promise<void> {
    this.answers = [];
    const { session } = this;
    this.session = undefined;
    await session?.release();
  }
}

/** Gives an answer its next token; one whose logits are no numbers fails alone. */
export function takeNext(answer: ServedAnswer, logits: Float32Array, label: string): void {
  try {
    answer.take(logits);
  } catch (error) {
    answer.fail(error instanceof NoNumberError ? noNumbers(label) : error);
  }
}

/** The rows that stay; the last ones take the places of those that left, so that few move. */
function closedUp(stays: readonly boolean[]): readonly number[] {
  const kept: number[] = [];
  let last = stays.length - 1;
  for (let row = 0; row <= last; row++) {
    if (stays[row] === true) {
      kept.push(row);
      continue;
    }
    while (last > row && stays[last] !== true) last--;
    if (last > row) kept.push(last--);
  }
  return kept;
}
