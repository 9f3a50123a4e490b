/** Losses of rows that begin alike, as the choices of a question do: what they share is computed once. */
import type { Decoder, DecodeSession } from '../models/decoder/types.js';
import { discarded } from '../tensor/garbage.js';
import { IGNORED, paddedLength, type TokenRow, type TokenRows } from '../training/batch.js';
import { joinedLength, joinsExactly, promptLength, sharedTokens } from '../training/index.js';
import { type JoinedRows, joinedLosses } from './joined-losses.js';
import { type LossOptions, type RowLoss, rowLosses } from './losses.js';

type Source = Pick<Decoder, 'loss' | 'options' | 'session'>;

/**
 * As `rowLosses`, to rounding, for rows of which the last tokens are scored: in whichever way computes less, where it can.
 * Rows that begin alike become one, many of which are computed at a time; or each context is read after the one before it.
 */
export async function choiceLosses(
  decoder: Source,
  rows: TokenRows,
  options: LossOptions,
): Promise<readonly RowLoss[]> {
  const alone = rowsAlone(rows);
  const joined = joinedRows(decoder, rows, alone, options.batchTokens);
  const tokens = (joined ?? alone).reduce((sum, { length }) => sum + paddedLength(length), 0);
  if (readTokens(rows) < tokens) {
    const capacity = capacityOf(rows, decoder.options.config.maxPositions);
    const probe = await decoder.session(1, capacity);
    const goesOn = probe.extends;
    await probe.release();
    if (goesOn) return readLosses(decoder, rows, capacity, options);
  }
  return joined === undefined
    ? rowLosses(decoder, rows, options)
    : joinedLosses(decoder, rows, joined, options);
}

const rowsAlone = (rows: TokenRows): readonly JoinedRows[] =>
  Array.from({ length: rows.count }, (_, first) => ({ first, count: 1, length: rows.lengthOf(first) }));

const longestOf = (rows: readonly JoinedRows[]): number =>
  rows.reduce((most, { length }) => Math.max(most, length), 0);

/**
 * Neighbouring rows that begin alike, joined into rows of at most `batchTokens`, or as many as the longest row has. A row
 * joins those before it if at least two thirds of its prompt, and of what these share, are then shared by all.
 * `undefined` where joined rows would have other losses.
 */
function joinedRows(
  { options: { config, adapter } }: Source,
  rows: TokenRows,
  alone: readonly JoinedRows[],
  batchTokens: number,
): readonly JoinedRows[] | undefined {
  const longest = longestOf(alone);
  const most = Math.max(batchTokens, longest);
  const joined: JoinedRows[] = [];
  let texts: readonly TokenRow[] = [];
  for (const one of alone) {
    const text = rows.read(one.first);
    const wider = [...texts, text];
    const last = joined.at(-1);
    const length = joinedLength(wider);
    if (last !== undefined && beginAlike(texts, text) && length <= most) {
      joined[joined.length - 1] = { ...last, count: wider.length, length };
      texts = wider;
    } else {
      joined.push(one);
      texts = [text];
    }
  }
  const isExact = joinsExactly(config, adapter?.config, longest, longestOf(joined));
  return isExact ? joined : undefined;
}

function beginAlike(texts: readonly TokenRow[], text: TokenRow): boolean {
  const before = texts.length === 1 ? 0 : sharedTokens(texts);
  const shared = sharedTokens([...texts, text]);
  return shared > 0 && 3 * shared >= 2 * Math.max(before, promptLength(text) - 1);
}

/** Of the passes of {@link readLosses}: the few tokens of a short one take as long as these, in which all weights are read. */
const LEAST_TOKENS = 64;

/** Tokens that {@link readLosses} computes, about. */
function readTokens(rows: TokenRows): number {
  const passOf = (tokens: number): number => Math.max(LEAST_TOKENS, tokens);
  let tokens = 0;
  let context = new Int32Array(0);
  for (let row = 0; row < rows.count; row++) {
    const { ids, before, scored } = splitRow(rows.read(row));
    if (!isSame(context, before)) tokens += passOf(before.length - copiedLength(context, before));
    if (scored.length > 1) tokens += passOf(scored.length - 1);
    context = ids.slice(0, before.length);
  }
  return tokens;
}

/** A row at the first of its scored tokens. */
function splitRow({ ids, labels }: TokenRow) {
  const from = labels.findIndex((label, at) => at > 0 && label !== IGNORED);
  return { ids, before: ids.subarray(0, from), scored: ids.subarray(from) };
}

/**
 * What is before the scored tokens is read once for all rows next to each other that have it, and from one such context to the next
 * only what differs, over the keys and values of the rest.
 */
async function readLosses(
  decoder: Source,
  rows: TokenRows,
  capacity: number,
  options: LossOptions,
): Promise<readonly RowLoss[]> {
  const losses: RowLoss[] = [];
  let context: ReadContext | undefined;
  try {
    for (let row = 0; row < rows.count; row++) {
      options.signal?.throwIfAborted();
      const { before, scored } = splitRow(rows.read(row));
      if (context === undefined || !isSame(context.ids, before))
        context = await readAfter(context, before, () => decoder.session(1, capacity));
      losses.push(await lossAfter(context, scored, () => decoder.session(1, capacity)));
      options.onProgress?.(row + 1);
    }
  } finally {
    await context?.session.release();
  }
  return losses;
}

const SMALLEST = 64;

function capacityOf(rows: TokenRows, most: number): number {
  let longest = 0;
  for (let row = 0; row < rows.count; row++) longest = Math.max(longest, rows.lengthOf(row));
  return readCapacity(longest, most);
}

/** Tokens that a context and what follows it have room for, doubled from 64: of few sizes, few graphs are compiled. */
export function readCapacity(longest: number, most: number): number {
  let capacity = SMALLEST;
  while (capacity < longest) capacity *= 2;
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

/** Tokens of a context that are not read again after another one. */
function copiedLength(before: Int32Array, ids: Int32Array): number {
  // one token at least is read: the logits after it are asked for
  const shared = Math.min(sharedLength(before, ids), ids.length - 1);
  return shared < WORTH_COPYING ? 0 : shared;
}

async function readAfter(
  before: ReadContext | undefined,
  ids: Int32Array,
  open: OpenSession,
): Promise<ReadContext> {
  const session = await open();
  const copied = before === undefined ? 0 : copiedLength(before.ids, ids);
  if (before !== undefined && copied > 0) await takeOver(session, before.session, ids.subarray(0, copied));
  await before?.session.release();
  return { ids: ids.slice(), session, logits: await session.append([ids.slice(copied)]) };
}

/** The keys and values of the tokens with which another session begins. */
async function takeOver(session: DecodeSession, from: DecodeSession, ids: Int32Array): Promise<void> {
  const data = from.read(0, 0, ids.length);
  await session.restore([[{ ids, data }]]);
  discarded(data.byteLength);
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
      await takeOver(own, session, ids);
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
