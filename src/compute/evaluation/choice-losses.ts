/** Losses of rows that begin alike, as the choices of a question do: what they share is computed once. */
import type { Decoder, DecodeSession } from '../models/decoder/types.js';
import { IGNORED, type TokenRows } from '../training/batch.js';
import { type LossOptions, type RowLoss, rowLosses } from './losses.js';

type Source = Pick<Decoder, 'loss' | 'options' | 'session'>;

/**
 * As {@link rowLosses}, to rounding, for rows of which the last tokens are scored. What is before these is read once for
 * all rows next to each other that have it, and from one such context to the next only what differs, over the keys and
 * values of the rest. Where the decoder's sessions do not go on from others, all rows are computed whole.
 */
export async function choiceLosses(
  decoder: Source,
  rows: TokenRows,
  options: LossOptions,
): Promise<readonly RowLoss[]> {
  const capacity = capacityOf(rows, decoder.options.config.maxPositions);
  const probe = await decoder.session(1, capacity);
  const goesOn = probe.extends;
  await probe.release();
  if (!goesOn) return rowLosses(decoder, rows, options);
  const losses: RowLoss[] = [];
  let context: ReadContext | undefined;
  try {
    for (let row = 0; row < rows.count; row++) {
      options.signal?.throwIfAborted();
      const { ids, labels } = rows.read(row);
      const from = labels.findIndex((label, at) => at > 0 && label !== IGNORED);
      const before = ids.subarray(0, from);
      if (context === undefined || !isSame(context.ids, before))
        context = await readAfter(context, before, () => decoder.session(1, capacity));
      losses.push(await lossAfter(context, ids.subarray(from), () => decoder.session(1, capacity)));
      options.onProgress?.(row + 1);
    }
  } finally {
    await context?.session.release();
  }
  return losses;
}

const SMALLEST = 64;

/** Tokens of the longest row, doubled from 64: of few sizes, few graphs are compiled. */
function capacityOf(rows: TokenRows, most: number): number {
  let capacity = SMALLEST;
  for (let row = 0; row < rows.count; row++) while (capacity < rows.lengthOf(row)) capacity *= 2;
  return Math.min(capacity, most);
}

/** What is before the scored tokens, with its keys and values, and the logits `[vocab]` after it. */
interface ReadContext {
  readonly ids: Int32Array;
  readonly session: DecodeSession;
  readonly logits: Float32Array;
}

type OpenSession = () => Promise<DecodeSession>;

/** Fewer tokens are read as fast as their keys and values are copied. */
const WORTH_COPYING = 8;

async function readAfter(
  before: ReadContext | undefined,
  ids: Int32Array,
  open: OpenSession,
): Promise<ReadContext> {
  // one token at least is read: the logits after it are asked for
  const shared = before === undefined ? 0 : Math.min(sharedLength(before.ids, ids), ids.length - 1);
  const session = await open();
  const copied = shared < WORTH_COPYING ? 0 : shared;
  if (before !== undefined && copied > 0)
    await session.restore([[{ ids: ids.subarray(0, copied), data: before.session.read(0, 0, copied) }]]);
  await before?.session.release();
  return { ids: ids.slice(), session, logits: await session.append([ids.slice(copied)]) };
}

/** The first of the scored tokens follows the context, and each other the one before it. */
async function lossAfter(
  { ids, session, logits }: ReadContext,
  scored: Int32Array,
  open: OpenSession,
): Promise<RowLoss> {
  let sum = crossEntropy(logits, scored[0] ?? 0);
  if (scored.length > 1) {
    const own = await open();
    try {
      await own.restore([[{ ids, data: session.read(0, 0, ids.length) }]]);
      const after = await own.append([scored.slice(0, -1)], 'every');
      const vocab = logits.length;
      for (let at = 1; at < scored.length; at++)
        sum += crossEntropy(after.subarray((at - 1) * vocab, at * vocab), scored[at] ?? 0);
    } finally {
      await own.release();
    }
  }
  return { sum, tokens: scored.length };
}

const isSame = (a: Int32Array, b: Int32Array): boolean =>
  a.length === b.length && sharedLength(a, b) === a.length;

function sharedLength(a: Int32Array, b: Int32Array): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** In nats, summed in float64. */
function crossEntropy(logits: Float32Array, token: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return Math.log(sum) + largest - (logits[token] ?? Number.NaN);
}
