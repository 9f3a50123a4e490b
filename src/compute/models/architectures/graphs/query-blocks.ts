/** Attention of a row in blocks of queries, and its gradients block by block. */
import type { GraphBuilder } from '../../../tensor/builder.js';
import { argument } from '../../../tensor/ops/definition.js';
import { sizeOf } from '../../../tensor/shape.js';
import type { ValueId } from '../../../tensor/types.js';
import { capped, cappedGradient } from './elementwise.js';

/** What meets. */
export interface Lanes {
  readonly rows: number;
  /** `[lanes, heads of a lane, length, dim]` */
  readonly queries: ValueId;
  /** `[lanes, tokens, dim]`: of what lies before a row, and of the row. */
  readonly keys: ValueId;
  readonly values: ValueId;
  /** Factor of the products of queries and keys. */
  readonly scale: number;
  readonly cap: number | undefined;
  /** Products will be rounded to few bits: see {@link gradientsInBlocks}. */
  readonly rounds: boolean;
  /** Gradients compute the probabilities of each block again, so that those of all blocks never exist at once. */
  readonly attendsAgain: boolean;
}

/** Tokens `from … to`. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Some queries of every head, and the keys and values that they may see. */
export interface QueryBlock extends Stretch {
  readonly seen: readonly Stretch[];
  /** Whether every query sees all of these keys. */
  readonly seesAll: (keys: Stretch) => boolean;
  /**
   * `[1 or rows, 1, to − from, keys]`: what is added to the scores of some of the keys; another value each time, so that
   * none is kept for a second use.
   */
  readonly visible: (keys: Stretch) => ValueId;
}

/**
 * A block as its products take it: `parts` of each lane, or none, is a number of products that the queries of a lane
 * are cut into.
 */
interface AttendedBlock {
  /** `[lanes, (parts,) queries, dim]` */
  readonly queries: ValueId;
  /** `[lanes, (1,) seen, dim]` */
  readonly keys: ValueId;
  readonly values: ValueId;
  /** `[lanes, (parts,) queries, seen]`, before the mask. */
  readonly scores: ValueId;
  /** `[rows, heads, queries, seen]` */
  readonly probabilities: ValueId;
  /** `[rows, heads, queries, dim]` */
  readonly mixed: ValueId;
}

/** What is mixed, and what its gradient would compute again. */
export interface Attended {
  /** `[rows·length, heads·dim]` */
  readonly mixed: ValueId;
  /** Of each block, `[rows, heads, queries, seen]`. */
  readonly probabilities?: readonly ValueId[];
  /** Where keys are met in tiles: log Σ exp(score) of each query, `[lanes, heads of a lane, length, 1]`. */
  readonly logSums?: ValueId;
}

/**
 * Attention whose scores `[…, queries, seen]` exist for one block of queries at a time; its gradient is {@link
 * gradientsInBlocks}.
 */
export function attendInBlocks(b: GraphBuilder, lanes: Lanes, blocks: readonly QueryBlock[]): Attended {
  let attended: readonly AttendedBlock[] = [];
  const mixed = b.composite(
    [lanes.queries, lanes.keys, lanes.values],
    () => {
      attended = blocks.map((block) => attendBlock(b, lanes, block));
      return byToken(
        b,
        attended.map((block) => block.mixed),
      );
    },
    (dmixed) => gradientsInBlocks(b, lanes, { blocks, attended, mixed }, dmixed),
  );
  return { mixed, probabilities: attended.map(({ probabilities }) => probabilities) };
}

/** What each block mixes, `[rows, heads, queries, dim]`, as the layer goes on with it: `[rows·length, heads·dim]`. */
export function byToken(b: GraphBuilder, mixed: readonly ValueId[]): ValueId {
  const whole = joined(b, mixed, 2);
  const [rows = 1, heads = 1, length = 1, dim = 1] = b.shapeOf(whole);
  return b.reshape(b.transpose(whole, [0, 2, 1, 3]), [rows * length, heads * dim]);
}

export const joined = (b: GraphBuilder, values: readonly ValueId[], axis: number): ValueId =>
  values.length === 1 ? argument(values, 0) : b.concat(values, axis);

export const cut = (b: GraphBuilder, value: ValueId, axis: number, { from, to }: Stretch): ValueId =>
  from === 0 && to === b.shapeOf(value)[axis] ? value : b.slice(value, axis, from, to);

/**
 * The leading axes of two factors. Products are cut in two by rows of the first, which the second is shared by, if their
 * number is odd: a runtime gives each product to one thread, and of three equal ones two threads take as long as for four.
 */
export const leads = (
  lanes: number,
  rows: number,
): { readonly cut: readonly number[]; readonly shared: readonly number[] } =>
  lanes % 2 === 1 && rows % 2 === 0
    ? { cut: [lanes, 2], shared: [lanes, 1] }
    : { cut: [lanes], shared: [lanes] };

/** `[lanes, tokens, width]` or `[lanes, heads of a lane, tokens, width]` under other leading axes. */
export function under(b: GraphBuilder, lead: readonly number[], value: ValueId): ValueId {
  const width = b.shapeOf(value).at(-1) ?? 1;
  return b.reshape(value, [...lead, sizeOf(b.shapeOf(value)) / sizeOf(lead) / width, width]);
}

function attendBlock(b: GraphBuilder, lanes: Lanes, block: QueryBlock): AttendedBlock {
  const { rows, scale, cap } = lanes;
  const [count = 1, headsOfLane = 1] = b.shapeOf(lanes.queries);
  const size = block.to - block.from;
  const heads = (count * headsOfLane) / rows;
  const lead = leads(count, headsOfLane * size);
  const queries = under(b, lead.cut, cut(b, lanes.queries, 2, block));
  const seenOf = (value: ValueId) => {
    const seen = block.seen.map((stretch) => cut(b, value, 1, stretch));
    return under(b, lead.shared, joined(b, seen, 1));
  };
  const [keys, values] = [seenOf(lanes.keys), seenOf(lanes.values)];
  const scores = capped(b, b.matmul(queries, keys, { transB: true, alpha: scale }), cap);
  const byHead = (value: ValueId) => b.reshape(value, [rows, heads, size, b.shapeOf(value).at(-1) ?? 0]);
  const visible = joined(b, block.seen.map(block.visible), 3);
  const probabilities = b.softmax(b.add(byHead(scores), visible));
  const mixed = byHead(b.matmul(b.reshape(probabilities, b.shapeOf(scores)), values));
  return { queries, keys, values, scores, probabilities, mixed };
}

/** The gradient of what is mixed and, of each query, of a sum that softmax subtracts, both `[rows, heads, length, …]`. */
export function gradientByHead(
  b: GraphBuilder,
  { rows, queries }: Lanes,
  mixed: ValueId,
  dmixed: ValueId,
): { readonly gradient: ValueId; readonly means: ValueId } {
  const [count = 1, headsOfLane = 1, length = 1, dim = 1] = b.shapeOf(queries);
  const apart = (value: ValueId) => b.reshape(value, [rows, length, (count * headsOfLane) / rows, dim]);
  const byHead = (value: ValueId) => b.transpose(value, [0, 2, 1, 3]);
  return {
    gradient: byHead(apart(dmixed)),
    means: byHead(b.sum(b.mul(apart(dmixed), apart(mixed)), [3], true)),
  };
}

/**
 * Gradients of queries, keys and values. Softmax subtracts from the gradient of a query's probabilities p its mean
 * under them, Σ p∘(dmixed·valuesᵀ), which is dmixed·(p·values) = Σ dmixed∘mixed (FlashAttention-2, arXiv 2307.08691,
 * section 3.1): a sum over the values of a head instead of two passes over all that its queries see. Of products that
 * are rounded to bfloat16, what comes of p and dmixed·valuesᵀ is subtracted: the rounding of `mixed` has nothing to do
 * with theirs. One block follows the other: what is as large as all scores exists for one block at a time.
 */
function gradientsInBlocks(
  b: GraphBuilder,
  lanes: Lanes,
  {
    blocks,
    attended,
    mixed,
  }: {
    readonly blocks: readonly QueryBlock[];
    readonly attended: readonly AttendedBlock[];
    readonly mixed: ValueId;
  },
  dmixed: ValueId,
): readonly ValueId[] {
  const [count = 1, headsOfLane = 1, , dim = 1] = b.shapeOf(lanes.queries);
  const { gradient, means } = gradientByHead(b, lanes, mixed, dmixed);
  const dqueries: ValueId[] = [];
  const [dkeys, dvalues] = [new StretchSum(b), new StretchSum(b)];
  blocks.forEach((block, index) => {
    const { queries, keys, values, scores, probabilities } = lanes.attendsAgain
      ? attendBlock(b, lanes, block)
      : argument(attended, index);
    const upstream = b.reshape(cut(b, gradient, 2, block), b.shapeOf(queries));
    const dp = b.matmul(upstream, values, { transB: true });
    const dprobabilities = b.reshape(dp, b.shapeOf(probabilities));
    const ownMean = lanes.rounds
      ? b.sum(b.mul(dprobabilities, probabilities), [3], true)
      : cut(b, means, 2, block);
    const byQuery = b.mul(b.sub(dprobabilities, ownMean), probabilities);
    const dscores = cappedGradient(b, scores, lanes.cap, b.reshape(byQuery, b.shapeOf(scores)));
    const taken = b.reshape(probabilities, b.shapeOf(scores));
    const ofLane = (product: ValueId) => {
      const whole = b.shapeOf(product).length === 3 ? product : b.sum(product, [1], true);
      return b.reshape(whole, [count, ...b.shapeOf(whole).slice(-2)]);
    };
    dvalues.add(block.seen, ofLane(b.matmul(taken, upstream, { transA: true })));
    dqueries.push(
      b.reshape(b.matmul(dscores, keys, { alpha: lanes.scale }), [
        count,
        headsOfLane,
        block.to - block.from,
        dim,
      ]),
    );
    dkeys.add(block.seen, ofLane(b.matmul(dscores, queries, { transA: true, alpha: lanes.scale })));
    for (const value of [dqueries.at(-1), dkeys.value, dvalues.value])
      if (value !== undefined) b.fence(value);
  });
  const whole = { from: 0, to: b.shapeOf(lanes.keys)[1] ?? 0 };
  return [joined(b, dqueries, 2), dkeys.over(whole), dvalues.over(whole)];
}

/** Adds up what stretches of tokens are given, `[lanes, tokens, dim]`; no larger than the tokens that were given something. */
export class StretchSum {
  value: ValueId | undefined;
  private stretch: Stretch = { from: 0, to: 0 };

  constructor(private readonly b: GraphBuilder) {}

  /** `given`: of all stretches, one after the other. */
  add(stretches: readonly Stretch[], given: ValueId): void {
    let at = 0;
    for (const stretch of stretches) {
      const next = at + stretch.to - stretch.from;
      this.addOne(stretch, cut(this.b, given, 1, { from: at, to: next }));
      at = next;
    }
  }

  over(tokens: Stretch): ValueId {
    return this.padded(argument([this.value], 0) ?? 0, this.stretch, tokens);
  }

  private addOne(stretch: Stretch, given: ValueId): void {
    const { value, stretch: own } = this;
    const from = value === undefined ? stretch.from : Math.min(own.from, stretch.from);
    const all = { from, to: Math.max(own.to, stretch.to) };
    const right = this.padded(given, stretch, all);
    this.value = value === undefined ? right : this.b.add(this.padded(value, own, all), right);
    this.stretch = all;
  }

  private padded(value: ValueId, { from, to }: Stretch, all: Stretch): ValueId {
    const isWhole = from === all.from && to === all.to;
    return isWhole ? value : this.b.pad(value, 1, from - all.from, all.to - to);
  }
}
