/** The embedded engine: requests join a running batch of this program's own decoder, and leave it. */
import { setImmediate } from 'node:timers/promises';
import { cacheSize } from '../models/decoder/caches.js';
import type { Decoder } from '../models/decoder/types.js';
import { Intake } from './intake.js';
import { ClosedError, type ModelAccess, type ModelParts, modelAccess } from './model-access.js';
import { PrefixCache } from './prefix-cache.js';
import { PIECE, promptGroup } from './prompt-group.js';
import { PromptRead } from './prompt-read.js';
import { RunningBatch, takeNext } from './running-batch.js';
import type { ServedAnswer } from './served-answer.js';
import type { CompletionRequest, ServingEngine, ServingInfo, ServingLoad } from './types.js';

export interface EmbeddedParts extends ModelParts {
  readonly decoder: Pick<Decoder, 'session' | 'release'>;
  /** Sequences at most in a batch. */
  readonly rows: number;
  /** Tokens of a prompt and its answer, at most. */
  readonly contextTokens: number;
  /** Tokens whose keys and values the batch may hold, at least {@link contextTokens}; and those of finished prompts. */
  readonly batchTokens: number;
  readonly prefixTokens: number;
  /** Bytes that all of it takes. */
  readonly memory: number;
}

/**
 * Pieces of prompts that are read before the first step of answers that come together: a step of a few takes more than half as
 * long as one of all.
 */
const PIECES_AT_FIRST = 8;

export class EmbeddedEngine implements ServingEngine {
  readonly info: ServingInfo;
  private readonly access: ModelAccess;
  private readonly intake: Intake;
  private readonly prefixes: PrefixCache;
  private readonly batch: RunningBatch;
  private waiting: ServedAnswer[] = [];
  private reading: PromptRead | undefined;
  private wake: (() => void) | undefined;
  private readonly ended: Promise<void>;
  private generatedTokens = 0;

  constructor(private readonly parts: EmbeddedParts) {
    const { label, rows, contextTokens, memory } = parts;
    this.access = modelAccess(parts, { engine: 'embedded', rows, contextTokens, memory });
    this.info = this.access.info;
    this.intake = new Intake(this.access);
    this.prefixes = new PrefixCache(parts.prefixTokens);
    this.batch = new RunningBatch(label, contextTokens);
    this.ended = this.run();
  }

  complete(request: CompletionRequest, signal: AbortSignal) {
    return this.intake.complete(request, signal, (answer) => {
      this.waiting.push(answer);
      this.wake?.();
    });
  }

  load(): ServingLoad {
    const going = (answers: readonly ServedAnswer[]) => answers.filter(({ over }) => !over);
    const answers = going(this.batch.answers);
    const held = answers.reduce((sum, { length }) => sum + length, 0) + (this.reading?.tokens ?? 0);
    return {
      running: answers.length + going(this.reading?.answers ?? []).length,
      waiting: going(this.waiting).length,
      cacheTokens: held + this.prefixes.tokens,
      answered: this.intake.answered,
      generatedTokens: this.generatedTokens,
    };
  }

  async tokensOf(prompt: CompletionRequest['prompt']): Promise<readonly number[]> {
    return [...this.access.idsOf(prompt)];
  }

  async close(): Promise<void> {
    this.intake.closed = true;
    this.wake?.();
    await this.ended;
  }

  private async run(): Promise<void> {
    while (!this.intake.closed) {
      const isIdle =
        this.waiting.length === 0 && this.batch.answers.length === 0 && this.reading === undefined;
      if (isIdle) await new Promise<void>((resolve) => (this.wake = resolve));
      this.wake = undefined;
      try {
        await this.turn();
      } catch (error) {
        await this.failAll(error);
      }
      // requests and aborts are heard between two turns, however fast these are
      await setImmediate();
    }
    await this.failAll(new ClosedError());
    for (const answer of this.waiting.splice(0)) answer.fail(new ClosedError());
    this.prefixes.clear();
    await this.parts.decoder.release();
  }

  /** Some tokens of the prompts that wait, then one of every answer that runs. */
  private async turn(): Promise<void> {
    const pieces = this.batch.answers.length > 0 ? 1 : PIECES_AT_FIRST;
    for (let piece = 0, isMore = true; piece < pieces && isMore && !this.intake.closed; piece++) {
      if (piece > 0) await setImmediate();
      await this.leave(({ over }) => over);
      this.waiting = this.waiting.filter(({ over }) => !over);
      isMore = await this.readPrompts();
    }
    await this.giveWay();
    const before = this.batch.answers.reduce((sum, { answerTokens }) => sum + answerTokens, 0);
    await this.batch.step();
    this.generatedTokens += this.batch.answers.reduce((sum, { answerTokens }) => sum + answerTokens, -before);
  }

  /** Gives whether there may be more to read. */
  private async readPrompts(): Promise<boolean> {
    for (let left = PIECE; left > 0; ) {
      this.reading ??= this.nextRead(left);
      const { reading } = this;
      if (reading === undefined) return left < PIECE;
      const before = reading.computed;
      const isLeft = reading.answers.every(({ over }) => over);
      const logits = isLeft ? undefined : await reading.read(left);
      left -= Math.max(1, reading.computed - before);
      if (logits === undefined && !isLeft) continue;
      this.reading = undefined;
      await this.begin(reading, logits);
    }
    return true;
  }

  /** Lets answers whose prompts were read join the batch, with their first tokens. */
  private async begin(reading: PromptRead, logits: Float32Array = new Float32Array(0)): Promise<void> {
    const { answers } = reading;
    const vocab = logits.length / answers.length;
    for (const [row, answer] of answers.entries()) {
      if (answer.over) continue;
      takeNext(answer, logits.subarray(row * vocab, (row + 1) * vocab), this.parts.label);
      this.generatedTokens += Math.min(1, answer.answerTokens);
    }
    const staying = answers.flatMap(({ over }, row) => (over ? [] : [row]));
    if (staying.length === 0) return reading.release();
    if (staying.length < answers.length) await reading.session.keep(staying);
    await this.batch.join(
      answers.filter(({ over }) => !over),
      reading.session,
    );
  }

  /** The request that waits longest, where the batch has room for it, and others that are read next to it. */
  private nextRead(tokens: number): PromptRead | undefined {
    const { batch, parts } = this;
    const fits = (more: number, longest: number): boolean => {
      const rows = batch.answers.length + more;
      // prompts are read in caches of their own, which are no larger than those of the longest
      if (more > 1 && more * cacheSize(longest, parts.contextTokens) > parts.contextTokens) return false;
      const needed = batch.tokensWith(rows, Math.max(batch.longest + 1, longest));
      return rows <= parts.rows && (rows === 1 || needed <= parts.batchTokens);
    };
    const group = promptGroup(this.waiting, this.prefixes, { tokens, most: PIECE, fits });
    if (group.length === 0) return undefined;
    const taken = new Set(group.map(({ answer }) => answer));
    this.waiting = this.waiting.filter((answer) => !taken.has(answer));
    return new PromptRead(parts, this.prefixes, group);
  }

  /** Where the batch has grown out of its memory, its youngest answers wait again: they are read again later. */
  private async giveWay(): Promise<void> {
    const { batch, parts } = this;
    const byAge = batch.answers.toSorted((a, b) => a.number - b.number);
    const staying = new Set(byAge);
    while (staying.size > 1) {
      const longest = Math.max(...[...staying].map(({ length }) => length));
      if (batch.tokensWith(staying.size, longest + 1) <= parts.batchTokens) break;
      const youngest = byAge.pop();
      if (youngest === undefined) break;
      staying.delete(youngest);
      this.waiting.unshift(youngest);
    }
    await this.leave((answer) => !staying.has(answer));
  }

  /** Lets answers leave the batch; what was read for them is held for those that begin alike. */
  private async leave(isLeaving: (answer: ServedAnswer) => boolean): Promise<void> {
    await this.batch.release(isLeaving, (answer, read) => {
      // the token chosen last was not read
      this.prefixes.add(answer.known.subarray(0, -1), read);
    });
  }

  private async failAll(error: unknown): Promise<void> {
    const failed = [...this.batch.answers, ...(this.reading?.answers ?? [])];
    for (const answer of failed) answer.fail(error);
    const { reading } = this;
    this.reading = undefined;
    await reading?.release();
    await this.batch.clear();
  }
}
