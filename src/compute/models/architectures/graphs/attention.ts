/** Queries, keys and values of a block, and how they meet: over a whole row, or for one new token over a cache. */
import type { ValueId } from '../../../tensor/types.js';
import type { ModelConfig } from '../../types.js';
import type { Attention, Norm } from '../blueprint.js';
import { capped, normalise } from './elementwise.js';
import { attendInTiles } from './key-tiles.js';
import { type LayerContext, linear, linears } from './linear.js';
import { type Attended, attendInBlocks, cut, joined, type QueryBlock, type Stretch } from './query-blocks.js';

/** Far below any score, and finite: a position that sees nothing still gives numbers. */
export const MASKED = -1e9;

/**
 * What a token of a row with several texts that begin alike is part of: what they share, or, by numbers from `first`
 * on, what one of them goes on with. A token attends to those of its own number and to what is shared.
 */
export const FORK = { shared: -1, padding: 0, first: 1 } as const;

/** Rows of one length. */
interface RowShape {
  readonly rows: number;
  readonly length: number;
}

interface AttentionContext extends LayerContext {
  readonly config: Pick<ModelConfig, 'heads' | 'keyValueHeads' | 'headDim'>;
  readonly attention: Attention;
  readonly queryBlock?: number;
  /** Products will be rounded to few bits. */
  readonly rounds?: boolean;
  /** Gradients compute probabilities again: see `Lanes.attendsAgain`. */
  readonly attendsAgain?: boolean;
  /** Keys that a block of queries meets at a time; default: all that it may see. */
  readonly keyTile?: number;
  /** `[rows, length]`, where rows hold several texts: the number of each token's text. */
  readonly segments?: ValueId;
  /** `[rows, length]`, where rows hold texts that begin alike: the number of what each token is part of (`FORK`). */
  readonly forks?: ValueId;
  /** What every text attends to before itself. */
  readonly prefix?: PastValues;
  /** No position sees more positions, itself among them: the mask lets none that lie further back through. */
  readonly reach?: number;
  /** `[rows, length, dims/2]` each; absent if the block has no rotary embeddings. */
  readonly angles?: { readonly cos: ValueId; readonly sin: ValueId };
}

/**
 * Keys and values that are there before the queries come. Of a prefix `[keyValueHeads, tokens, dim]`, not rotary-embedded,
 * with a mask `[1, 1, length, tokens]`, of rows that hold several texts `[rows, …]`; or of each row what was read of
 * it, `[rows·keyValueHeads, tokens, dim]`, with a mask `[rows, 1, length, tokens]`.
 */
interface PastValues {
  readonly keys: ValueId;
  readonly values: ValueId;
  readonly mask: ValueId;
}

/** Queries `[rows·groups, heads/groups·length, dim]`, keys and values `[rows·groups, length, dim]`. */
interface QueryKeyValue {
  readonly queries: ValueId;
  readonly keys: ValueId;
  readonly values: ValueId;
}

/**
 * x `[rows·length, hidden]`, normalised → queries `[rows·groups, heads/groups·length, dim]`, keys and values
 * `[rows·groups, length, dim]`. The query heads of a group share a key-value head: folded into the query rows, no key is
 * ever repeated.
 */
export function queriesKeysValues(context: AttentionContext, x: ValueId, span: RowShape): QueryKeyValue {
  const { builder: b, config, attention } = context;
  const { heads, keyValueHeads: groups, headDim: dim } = config;
  const { rows, length } = span;
  const [q, k, v] = projected(context, x, span);
  const norms = attention.headNorms;
  const folded = [rows * groups, (heads / groups) * length, dim];
  const lane = [rows * groups, length, dim];
  const byHead = (y: ValueId, count: number) =>
    b.transpose(b.reshape(y, [rows, length, count, dim]), [0, 2, 1, 3]);
  const ready = (y: ValueId, count: number, norm: Norm | undefined) =>
    byHead(rotaryEmbedded(context, normalisedHeads(context, y, count, norm), count, span), count);
  return {
    queries: b.reshape(ready(q, heads, norms?.q), folded),
    keys: b.reshape(ready(k, groups, norms?.k), lane),
    values: b.reshape(byHead(v, groups), lane),
  };
}

/** Queries, keys and values in the layout `[rows·length, count·dim]`. */
function projected(
  context: AttentionContext,
  x: ValueId,
  { rows, length }: RowShape,
): readonly [ValueId, ValueId, ValueId] {
  const { builder: b, config, attention } = context;
  const { heads, keyValueHeads: groups, headDim: dim } = config;
  const { inputs } = attention;
  if (inputs.kind === 'separate')
    return linears(context, [inputs.q, inputs.k, inputs.v], x) as [ValueId, ValueId, ValueId];
  const all = linear(context, inputs.all, x);
  if (inputs.order === 'parts') {
    const [first, second] = [heads * dim, (heads + groups) * dim];
    return [
      b.slice(all, -1, 0, first),
      b.slice(all, -1, first, second),
      b.slice(all, -1, second, second + groups * dim),
    ];
  }
  const apart = b.reshape(all, [rows * length, heads, 3 * dim]);
  const part = (index: number) =>
    b.reshape(b.slice(apart, -1, index * dim, (index + 1) * dim), [rows * length, heads * dim]);
  return [part(0), part(1), part(2)];
}

/** Each head of `[rows·length, count·dim]` normalised by itself. */
function normalisedHeads(
  context: AttentionContext,
  values: ValueId,
  count: number,
  norm: Norm | undefined,
): ValueId {
  if (norm === undefined) return values;
  const { builder: b, config } = context;
  const [positions = 0] = b.shapeOf(values);
  const heads = b.reshape(values, [positions * count, config.headDim]);
  return b.reshape(normalise(context, norm, heads), b.shapeOf(values));
}

/** Rotary embeddings; of a head that is embedded in part, the first values. */
function rotaryEmbedded(
  context: AttentionContext,
  values: ValueId,
  count: number,
  { rows, length }: RowShape,
): ValueId {
  const { builder: b, config, attention, angles } = context;
  const { rotary } = attention;
  if (rotary === undefined || angles === undefined) return values;
  const { headDim: dim } = config;
  const { cos, sin } = angles;
  if (rotary.dims === dim) return b.rotary(b.reshape(values, [rows, length, count * dim]), cos, sin, count);
  const heads = b.reshape(values, [rows, length, count, dim]);
  const first = b.reshape(b.slice(heads, -1, 0, rotary.dims), [rows, length, count * rotary.dims]);
  const moved = b.reshape(b.rotary(first, cos, sin, count), [rows, length, count, rotary.dims]);
  return b.concat([moved, b.slice(heads, -1, rotary.dims, dim)], -1);
}

/**
 * Queries that meet the keys at a time. Longer rows go in blocks, each over the keys that it may see: a block computes
 * next to nothing that the mask throws away, and memory grows with the length of a row, not with its square.
 */
export const QUERY_BLOCK = 128;

/**
 * Rows and columns of the mask of rows of this length. All blocks of queries see alike, but for how far back a row goes:
 * it is the mask of the last block, of which an earlier one takes the columns that end with its own.
 */
export function maskShape(length: number, queryBlock = QUERY_BLOCK): readonly [number, number] {
  const queries = Math.min(queryBlock, length);
  return [queries, Math.ceil(length / queries) * queries];
}

/**
 * Softmax over what each position sees: the mask, `[1, 1, …maskShape]`, is added to the scores, and nothing of another
 * text of the row is seen.
 */
export function attend(
  context: AttentionContext,
  met: QueryKeyValue,
  mask: ValueId,
  span: RowShape,
): Attended {
  const { builder: b, config, attention, queryBlock = QUERY_BLOCK } = context;
  const { heads, keyValueHeads: groups, headDim: dim } = config;
  const { rows, length } = span;
  const prefix = context.prefix && { ...context.prefix, ...prefixOfEachRow(context, context.prefix, rows) };
  const before = prefix === undefined ? 0 : (b.shapeOf(prefix.keys)[1] ?? 0);
  const reach = Math.min(attention.window ?? length, context.reach ?? length);
  const blocks: QueryBlock[] = [];
  for (let from = 0; from < length; from += queryBlock) {
    const to = Math.min(from + queryBlock, length);
    const start = Math.max(0, from + 1 - reach);
    // in rows of one text, queries further back than the window see none of what lies before it
    const beyond =
      context.segments === undefined && from + 1 >= (attention.window ?? Number.POSITIVE_INFINITY);
    const lead = beyond ? undefined : prefix;
    const own = { from: before + start, to: before + to };
    const seen =
      lead === undefined ? [own] : start === 0 ? [{ ...own, from: 0 }] : [{ from: 0, to: before }, own];
    const seesAll = (keys: Stretch): boolean =>
      context.segments === undefined &&
      context.forks === undefined &&
      keys.from >= Math.max(before, before + to - reach) &&
      keys.to <= before + from + 1;
    const seenOf = visible({ ...context, prefix: lead }, mask, rows, { from, to });
    blocks.push({ from, to, seen, seesAll, visible: (keys) => seenOf(keys, before) });
  }
  const whole = (lead: ValueId | undefined, value: ValueId) =>
    lead === undefined ? value : b.concat([lead, value], 1);
  const lanes = {
    rows,
    queries: b.reshape(met.queries, [rows * groups, heads / groups, length, dim]),
    keys: whole(prefix?.keys, met.keys),
    values: whole(prefix?.values, met.values),
    scale: attention.scale,
    cap: attention.cap,
    rounds: context.rounds === true,
    attendsAgain: context.attendsAgain === true,
  };
  return context.keyTile === undefined
    ? attendInBlocks(b, lanes, blocks)
    : attendInTiles(b, lanes, blocks, context.keyTile);
}

/** The keys and values of a prefix next to those of each row: `[rows·groups, tokens, dim]`. */
function prefixOfEachRow(
  { builder: b, config: { keyValueHeads } }: AttentionContext,
  { keys, values }: PastValues,
  rows: number,
): Pick<PastValues, 'keys' | 'values'> {
  const repeated = (value: ValueId) => {
    const [groups = 1, tokens = 1, dim = 1] = b.shapeOf(value);
    if (groups > keyValueHeads) return value;
    const whole = b.expand(b.reshape(value, [1, groups, tokens, dim]), [rows, groups, tokens, dim]);
    return b.reshape(whole, [rows * groups, tokens, dim]);
  };
  return { keys: repeated(keys), values: repeated(values) };
}

/**
 * `[1 or rows, 1, to − from, keys]`: what is added to the scores of queries `from … to` over some keys, which are numbered from
 * the first of the `before` that lie before the row.
 */
const visible =
  (
    { builder: b, segments, forks, prefix }: AttentionContext,
    mask: ValueId,
    rows: number,
    { from, to }: Stretch,
  ) =>
  (keys: Stretch, before: number): ValueId => {
    const [count, masks] = [to - from, prefix === undefined ? 1 : (b.shapeOf(prefix.mask)[0] ?? 1)];
    const [queriesOfMask = 0, columns = 0] = b.shapeOf(mask).slice(2);
    /** From a key to its column of the mask. */
    const ahead = columns - queriesOfMask - from;
    const ofTexts = (own: Stretch) => {
      const causal = cut(b, cut(b, mask, 2, { from: 0, to: count }), 3, moved(own, ahead));
      const numbers = segments ?? forks;
      const width = own.to - own.from;
      if (numbers === undefined) return masks === 1 ? causal : b.expand(causal, [rows, 1, count, width]);
      const asking = b.reshape(cut(b, numbers, 1, { from, to }), [rows, 1, count, 1]);
      const asked = b.reshape(cut(b, numbers, 1, own), [rows, 1, 1, width]);
      const fromOthers =
        segments === undefined
          ? b.where(b.equal(asked, b.scalar(FORK.shared)), causal, b.scalar(MASKED))
          : b.scalar(MASKED);
      return b.where(b.equal(asking, asked), causal, fromOthers);
    };
    const ofPrefix = (lead: PastValues) =>
      cut(b, cut(b, lead.mask, 2, { from, to }), 3, { ...keys, to: Math.min(keys.to, before) });
    return joined(
      b,
      [
        ...(prefix !== undefined && keys.from < before ? [ofPrefix(prefix)] : []),
        ...(keys.to > before
          ? [ofTexts(moved({ ...keys, from: Math.max(keys.from, before) }, -before))]
          : []),
      ],
      3,
    );
  };

const moved = ({ from, to }: Stretch, by: number): Stretch => ({ from: from + by, to: to + by });

/**
 * One new token per row over cached ones, keys and values `[rows, keyValueHeads, capacity, dim]`, of which the mask
 * `[rows, 1, 1, capacity]` hides the unused.
 */
export function attendCached(
  context: AttentionContext,
  { queries, keys, values }: QueryKeyValue,
  past: PastValues,
  rows: number,
): ValueId {
  const { builder: b, config, attention } = context;
  const { heads, keyValueHeads: groups, headDim: dim } = config;
  const capacity = b.shapeOf(past.mask).at(-1) ?? 0;
  const byGroup = (y: ValueId, count: number) => b.reshape(y, [rows, groups, count, dim]);
  const grouped = byGroup(queries, heads / groups);
  const scores = (to: ValueId) =>
    capped(b, b.matmul(grouped, to, { transB: true, alpha: attention.scale }), attention.cap);
  const seen = b.add(scores(past.keys), past.mask);
  const probabilities = b.softmax(b.concat([seen, scores(byGroup(keys, 1))], -1));
  const fromPast = b.matmul(b.slice(probabilities, -1, 0, capacity), past.values);
  const fromOwn = b.matmul(b.slice(probabilities, -1, capacity, capacity + 1), byGroup(values, 1));
  return b.reshape(b.add(fromPast, fromOwn), [rows, heads * dim]);
}
