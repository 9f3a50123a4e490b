/** The engine of llama.cpp: requests join and leave its batch between two steps. */
import type { AnswerConstraint } from '../constraint.js';
import { Intake } from '../intake.js';
import { ECHOED_TOKENS } from '../logprobs.js';
import { ClosedError, type ModelAccess, type ModelParts, modelAccess } from '../model-access.js';
import type { ServedAnswer } from '../served-answer.js';
import type {
  CompletionPrompt,
  CompletionRequest,
  ServingEngine,
  ServingInfo,
  ServingLoad,
} from '../types.js';
import type { Feed, LlamaModel, LogitsHandle } from './model.js';
import { leftToDo, NextLogits } from './next-logits.js';
import { type Sequence, Sequences } from './sequences.js';

export interface LlamaEngineParts extends ModelParts {
  readonly model: LlamaModel;
}

/** A request, and its answer while it grows. */
interface Served {
  readonly request: CompletionRequest;
  readonly answer: ServedAnswer;
  readonly constraint?: AnswerConstraint;
}

/** One that is in the batch. */
interface Row extends Served {
  readonly sequence: Sequence;
  /** Of an echoed prompt, what is known after each of its tokens. */
  readonly echo: Parameters<ServedAnswer['echo']>[0][number][];
}

/** Of a step's tokens, those that prompts may take while answers wait for their next token. */
const SHARE_OF_PROMPTS = 0.5;

export class LlamaEngine implements ServingEngine {
  readonly info: ServingInfo;
  private readonly access: ModelAccess;
  private readonly intake: Intake;
  private readonly sequences: Sequences;
  private readonly logits: NextLogits;
  private waiting: Served[] = [];
  private rows: readonly Row[] = [];
  /** Ends when nobody waits any more. */
  private running: Promise<void> | undefined;
  private generatedTokens = 0;

  constructor(private readonly parts: LlamaEngineParts) {
    const { model, facts } = parts;
    const { rows, contextTokens } = model;
    const memory = model.memory - unusedLogits(model, facts.vocabSize);
    this.access = modelAccess(parts, { engine: 'llama.cpp', rows, contextTokens, memory });
    this.info = this.access.info;
    this.intake = new Intake(this.access, leftToDo);
    this.sequences = new Sequences(rows);
    this.logits = new NextLogits(model, facts.vocabSize);
  }

  complete(request: CompletionRequest, signal: AbortSignal) {
    return this.intake.complete(request, signal, (answer, constraint) => {
      this.waiting.push({ request, answer, constraint });
      this.running ??= this.run().finally(() => {
        this.running = undefined;
      });
    });
  }

  load(): ServingLoad {
    return {
      running: this.rows.filter(({ answer }) => !answer.over).length,
      waiting: this.waiting.filter(({ answer }) => !answer.over).length,
      cacheTokens: this.sequences.tokens,
      answered: this.intake.answered,
      generatedTokens: this.generatedTokens,
    };
  }

  async tokensOf(prompt: CompletionPrompt): Promise<readonly number[]> {
    return [...this.access.idsOf(prompt)];
  }

  async close(): Promise<void> {
    this.intake.closed = true;
    for (const { answer } of [...this.waiting, ...this.rows])
      if (!answer.over) answer.fail(new ClosedError());
    await this.running;
    await this.parts.model.close();
  }

  /** Steps until nobody waits. */
  private async run(): Promise<void> {
    for (;;) {
      this.leave();
      this.join();
      if (this.rows.length === 0) return;
      try {
        await this.step();
      } catch (error) {
        this.failAll(error);
      }
    }
  }

  private leave(): void {
    for (const { answer, sequence } of this.rows) if (answer.over) this.sequences.giveBack(sequence);
    this.rows = this.rows.filter(({ answer }) => !answer.over);
    this.waiting = this.waiting.filter(({ answer }) => !answer.over);
  }

  private join(): void {
    const { model } = this.parts;
    for (const served of this.waiting.splice(0, model.rows - this.rows.length)) {
      const { request, answer } = served;
      const { sequence, common } = this.sequences.take(answer.prompt);
      // what is to be shown of the prompt must be computed
      const wanted = isEchoed(request) ? 0 : common;
      const kept = model.cut(sequence.number, wanted) ? wanted : 0;
      sequence.tokens.length = kept;
      this.rows = [...this.rows, { ...served, sequence, echo: [] }];
      answer.start(kept);
    }
  }

  /** Computes the next token of every answer, and parts of prompts. */
  private async step(): Promise<void> {
    const fed = feedsOf(this.rows, this.parts.model.stepTokens);
    const handles = await this.parts.model.step(fed.map(({ feed }) => feed));
    for (const [at, { row, feed }] of fed.entries()) {
      row.sequence.tokens.push(...feed.tokens);
      for (const [index, handle] of (handles[at] ?? []).entries())
        if (!row.answer.over) await this.read(row, feed.position + (feed.logitsAt[index] ?? 0), handle);
    }
  }

  /** Takes the logits after the token at `position`. */
  private async read(row: Row, position: number, handle: LogitsHandle): Promise<void> {
    const { answer, request, constraint, echo } = row;
    const next = answer.prompt[position + 1];
    if (next !== undefined) {
      echo.push(await this.logits.distribution(handle, next, request.logprobs ?? 0));
      return;
    }
    const { logits, total } = await this.logits.of(handle, request, answer.known, constraint);
    // its reader may have gone while the logits were fetched
    if (answer.over) return;
    const before = answer.answerTokens;
    if (request.echo && before === 0) answer.echo(echo);
    answer.take(logits, total);
    this.generatedTokens += answer.answerTokens - before;
  }

  /** Nothing is known of what the sequences hold now. */
  private failAll(error: unknown): void {
    for (const { answer, sequence } of this.rows) {
      answer.fail(error);
      this.parts.model.cut(sequence.number, 0);
      sequence.tokens.length = 0;
    }
  }
}

/** Bytes of a logit. */
const LOGIT = 4;

/**
 * Bytes that are reserved for logits and never written: llama.cpp's workspace has those of every token of a step, and here those
 * of each answer and of {@link ECHOED_TOKENS} are asked for, which it copies once. What a processor does not write, it does not
 * take.
 */
function unusedLogits({ device, rows, stepTokens }: LlamaModel, vocabSize: number): number {
  const used = 2 * (rows + ECHOED_TOKENS);
  return device === 'cpu' ? Math.max(0, stepTokens - used) * vocabSize * LOGIT : 0;
}

const isEchoed = ({ echo, logprobs }: CompletionRequest): boolean => echo === true && logprobs !== undefined;

/** The next token of each answer, and of prompts as much as a step has place for, the oldest first. */
function feedsOf(
  rows: readonly Row[],
  stepTokens: number,
): readonly { readonly row: Row; readonly feed: Feed }[] {
  const missing = rows.map((row) => ({ row, count: row.answer.length - row.sequence.tokens.length }));
  const answers = missing.filter(({ count }) => count === 1);
  const prompts = missing.filter(({ count }) => count > 1);
  let left = stepTokens - answers.length;
  if (answers.length > 0) left = Math.min(left, Math.ceil(SHARE_OF_PROMPTS * stepTokens));
  const fed = answers.map(({ row }) => ({ row, feed: feedOf(row, 1) }));
  let echoed = ECHOED_TOKENS;
  for (const { row, count } of prompts) {
    const isEcho = isEchoed(row.request);
    const taken = Math.min(count, left, isEcho ? echoed : left);
    if (taken <= 0) continue;
    left -= taken;
    if (isEcho) echoed -= taken;
    fed.push({ row, feed: feedOf(row, taken) });
  }
  return fed;
}

/** The next `count` tokens that the sequence of an answer does not have yet. */
function feedOf({ answer, request, sequence }: Row, count: number): Feed {
  const position = sequence.tokens.length;
  const isAnswer = position >= answer.prompt.length;
  const tokens = isAnswer
    ? Uint32Array.of(answer.last)
    : Uint32Array.from(answer.known.subarray(position, position + count));
  const every = isEchoed(request) && !isAnswer;
  const logitsAt = Array.from(tokens.keys()).filter((at) => every || position + at === answer.length - 1);
  return { sequence: sequence.number, position, tokens, logitsAt };
}
