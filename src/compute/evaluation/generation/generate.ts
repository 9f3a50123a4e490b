import type { Decoder, DecodeSession } from '../../models/decoder/types.js';
import type { ModelConfig } from '../../models/types.js';
import { tidyHeap } from '../../tensor/garbage.js';
import { type GrowingAnswer, growingAnswer } from './answer.js';
import {
  ANSWERED_TOGETHER,
  type AnswersTogether,
  type GeneratedAnswer,
  type GenerationOptions,
} from './settings.js';

/**
 * Answers every prompt, which holds one token or more; results are in the prompts' order. Greedy by default: the
 * likeliest token of the logits after each step, the same tokens at every run. A prompt that fills the model's
 * positions gets an empty answer with the reason `full`.
 */
export async function generate(
  decoder: Pick<Decoder, 'session' | 'options'>,
  prompts: readonly Int32Array[],
  options: GenerationOptions,
): Promise<readonly GeneratedAnswer[]> {
  const { config } = decoder.options;
  const results: GeneratedAnswer[] = prompts.map(() => ({ ids: [], reason: 'full', text: '' }));
  const answerable = prompts.flatMap((prompt, row) => (prompt.length < config.maxPositions ? [row] : []));
  const lengths = answerable.map((row) => prompts[row]?.length ?? 0);
  if (lengths.includes(0)) throw new RangeError('a prompt holds no token');
  let done = prompts.length - answerable.length;
  const { maxTokens, together = ANSWERED_TOGETHER } = options;
  const batches = generationBatches(lengths, { maxTokens, maxPositions: config.maxPositions }, (capacity) =>
    batchRows(config, capacity, together),
  );
  for (const { rows, capacity } of batches) {
    const answers = rows.map((index) => {
      const row = answerable[index] as number;
      const prompt = prompts[row] as Int32Array;
      return growingAnswer(row, prompt, config.maxPositions - prompt.length, options);
    });
    await answerBatch(decoder, { prompts, answers, capacity }, options, (count) => {
      done += count;
      options.onProgress?.(done);
    });
    for (const answer of answers) results[answer.row] = answer.result();
  }
  return results;
}

/** Answers that grow together; `prompts` are all that there are, by row. */
interface Batch {
  readonly prompts: readonly Int32Array[];
  readonly answers: readonly GrowingAnswer[];
  readonly capacity: GenerationBatch['capacity'];
}

async function answerBatch(
  decoder: Pick<Decoder, 'session'>,
  { prompts, answers, capacity }: Batch,
  options: GenerationOptions,
  onEnded: (count: number) => void,
): Promise<void> {
  const session = await decoder.session(answers.length, capacity);
  try {
    options.signal?.throwIfAborted();
    let logits = await session.append(answers.map(({ row }) => prompts[row] as Int32Array));
    let batch = answers;
    for (let fed = 0; ; fed++) {
      const before = batch.filter(({ ended }) => !ended).length;
      takeAll(batch, logits);
      const after = batch.filter(({ ended }) => !ended).length;
      if (after < before) onEnded(before - after);
      if (after === 0) return;
      const isFull = ({ row }: GrowingAnswer): boolean => (prompts[row]?.length ?? 0) + fed >= capacity;
      batch = await leave(session, batch, isFull);
      options.signal?.throwIfAborted();
      tidyHeap();
      logits = await session.append(batch.map(({ last }) => Int32Array.of(last)));
    }
  } finally {
    await session.release();
  }
}

/** `logits` `[rows, vocab]`: every unfinished row chooses its next token. */
function takeAll(batch: readonly GrowingAnswer[], logits: Float32Array): void {
  const vocab = logits.length / batch.length;
  for (const [i, answer] of batch.entries()) {
    if (!answer.ended) answer.take(logits.subarray(i * vocab, (i + 1) * vocab));
  }
}

/** Share of the rows that must have ended before the others' keys and values are moved together. */
const WORTH_MOVING = 0.25;

/**
 * Finished rows leave the batch, a few at a time; until then they are fed their last token again and ignored. A row that
 * fills the session, whatever ended it, can't be fed any more.
 */
async function leave(
  session: DecodeSession,
  batch: readonly GrowingAnswer[],
  isFull: (answer: GrowingAnswer) => boolean,
): Promise<readonly GrowingAnswer[]> {
  const staying = batch.flatMap(({ ended }, i) => (ended ? [] : [i]));
  if (leftRows(batch.length, staying.length) === batch.length && !batch.some(isFull)) return batch;
  await session.keep(staying);
  return staying.map((i) => batch[i] as GrowingAnswer);
}

/** Rows that are fed from now on, of so many of which these have not ended. */
export const leftRows = (rows: number, going: number): number =>
  rows - going < WORTH_MOVING * rows ? rows : going;

/** Rows of a batch's steps, one after another, where answers end as late as lets them leave one after another. */
export function stepRows(rows: number): readonly number[] {
  const counts: number[] = [];
  for (let left = rows; left > 0; left -= Math.max(1, Math.ceil(WORTH_MOVING * left))) counts.push(left);
  return counts;
}

/** Tokens by which prompts of one batch may differ, and an eighth of the longest. */
const SPREAD = 8;

/** Rows that are answered together, by their index, and the tokens that the longest may reach. */
interface GenerationBatch {
  readonly rows: readonly number[];
  readonly capacity: number;
}

/**
 * Groups prompts of similar length, longest first, so that little is padded and the largest batch comes first.
 * `rowsAt`: rows at most, each of so many tokens.
 */
export function generationBatches(
  lengths: readonly number[],
  { maxTokens, maxPositions }: { readonly maxTokens: number; readonly maxPositions: number },
  rowsAt: (capacity: number) => number,
): readonly GenerationBatch[] {
  const order = lengths.map((_, row) => row).sort((a, b) => lengthOf(b) - lengthOf(a) || a - b);
  function lengthOf(row: number): number {
    return lengths[row] as number;
  }
  const batches: GenerationBatch[] = [];
  let rows: number[] = [];
  let capacity = 0;
  const close = (): void => {
    if (rows.length > 0) batches.push({ rows, capacity });
    rows = [];
  };
  for (const row of order) {
    const first = rows[0];
    const alike = first === undefined || lengthOf(first) - lengthOf(row) <= SPREAD + lengthOf(first) / 8;
    if (first === undefined || !alike || rows.length >= rowsAt(capacity)) {
      close();
      capacity = Math.min(lengthOf(row) + maxTokens, maxPositions);
    }
    rows.push(row);
  }
  close();
  return batches;
}

/** Rows that are answered together at most, each with so many tokens; the planner measures this shape. */
export const batchRows = (
  config: ModelConfig,
  capacity: number,
  { rows, cacheBytes }: AnswersTogether,
): number => Math.max(1, Math.min(rows, Math.floor(cacheBytes / (cacheBytesPerToken(config) * capacity))));

/** Keys and values of a token: two float32 vectors of every layer's key-value heads. */
export const cacheBytesPerToken = ({ layers, keyValueHeads, headDim }: ModelConfig): number =>
  layers * 2 * keyValueHeads * headDim * 4;
