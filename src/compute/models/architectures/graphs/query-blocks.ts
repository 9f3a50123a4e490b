/** Attention of a row in blocks of queries, and its gradients block by block. */
import type { GraphBuilder } from '../../../tensor/builder.js';
import { argument } from '../../../tensor/ops/definition.js';
import { sizeOf } from '../../../tensor/shape.js';
import type { ValueId } from '../../../tensor/types.js';
import { capped, cappedGradient } from './elementwise.js';

/** What meets. */
interface Lanes {
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
  /**
   * `[1 or rows, 1, to − from, seen]`: what is added to the scores; another value each time, so that none is kept for a
   * second use.
   */
  readonly visible: () => ValueId;
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

/** `mixed` `[rows·length, heads·dim]`, and of each block `probabilities` `[rows, heads, queries, seen]`. */
interface Attended {
  readonly mixed: ValueId;
  readonly probabilities: readonly ValueId[];
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
      const whole = joined(
        b,
        attended.map((block) => block.mixed),
        2,
      );
      const [rows = 1, heads = 1, length = 1, dim = 1] = b.shapeOf(whole);
      return b.reshape(b.transpose(whole, [0, 2, 1, 3]), [rows * length, heads * dim]);
    },
    (dmixed) => gradientsInBlocks(b, lanes, { blocks, attended, mixed }, dmixed),
  );
  return { mixed, probabilities: attended.map(({ probabilities }) => probabilities) };
}

const joined = (b: GraphBuilder, values: readonly ValueId[], axis: number): ValueId =>
  values.length === 1 ? argument(values, 0) : b.concat(values, axis);

const cut = (b: GraphBuilder, value: ValueId, axis: number, { from, to }: Stretch): ValueId =>
  from === 0 && to === b.shapeOf(value)[axis] ? value : b.slice(value, axis, from, to);

/**
 * Products that the queries of a lane are cut into: a runtime gives each product to one thread, and of three equal ones
 * two threads take as long as for four.
 */
const productsPerHead = (lanes: number, queries: number): number =>
  lanes % 2 === 1 && queries % 2 === 0 ? 2 : 1;

/** `asking`: the queries of the block, `[lanes, heads of a lane, queries, dim]`. */
function attendBlock(
  b: GraphBuilder,
  lanes: Lanes,
  block: QueryBlock,
  asking = cut(b, lanes.queries, 2, block),
): AttendedBlock {
  const { rows, scale, cap } = lanes;
  const [count = 1, headsOfLane = 1, , dim = 1] = b.shapeOf(lanes.queries);
  const size = block.to - block.from;
  const heads = (count * headsOfLane) / rows;
  const parts = productsPerHead(count, headsOfLane * size);
  const [lead, shared] =
    parts === 1
      ? [[count], [count]]
      : [
          [count, parts],
          [count, 1],
        ];
  const queries = b.reshape(asking, [...lead, (headsOfLane * size) / parts, dim]);
  const seenOf = (value: ValueId) => {
    const seen = joined(
      b,
      block.seen.map((stretch) => cut(b, value, 1, stretch)),
      1,
    );
    return b.reshape(seen, [...shared, ...b.shapeOf(seen).slice(1)]);
  };
  const [keys, values] = [seenOf(lanes.keys), seenOf(lanes.values)];
  const scores = capped(b, b.matmul(queries, keys, { transB: true, alpha: scale }), cap);
  const byHead = (value: ValueId) => b.reshape(value, [rows, heads, size, b.shapeOf(value).at(-1) ?? 0]);
  const probabilities = b.softmax(b.add(byHead(scores), block.visible()));
  const mixed = byHead(b.matmul(b.reshape(probabilities, b.shapeOf(scores)), values));
  return { queries, keys, values, scores, probabilities, mixed };
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
  const [count = 1, headsOfLane = 1, length = 1, dim = 1] = b.shapeOf(lanes.queries);
  const apart = (value: ValueId) =>
    b.reshape(value, [lanes.rows, length, (count * headsOfLane) / lanes.rows, dim]);
  const byHead = (value: ValueId) => b.transpose(value, [0, 2, 1, 3]);
  const gradient = byHead(apart(dmixed));
  const means = byHead(b.sum(b.mul(apart(dmixed), apart(mixed)), [3], true));
  const dqueries: ValueId[] = [];
  const [dkeys, dvalues] = [new StretchSum(b), new StretchSum(b)];
  blocks.forEach((block, index) => {
    const before = [dqueries.at(-1), dkeys.value, dvalues.value].filter((value) => value !== undefined);
    const { queries, keys, values, scores, probabilities } = lanes.attendsAgain
      ? attendAgain(b, lanes, block, index === 0 ? [dmixed] : before)
      : argument(attended, index);
    // all gradients of the block come of it
    const upstream = b.reshape(after(b, cut(b, gradient, 2, block), before), b.shapeOf(queries));
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
  });
  const tokens = b.shapeOf(lanes.keys)[1] ?? 0;
  return [joined(b, dqueries, 2), dkeys.whole(tokens), dvalues.whole(tokens)];
}

/** The same numbers once more, after `others`: what they were computed for first no longer holds them. */
const attendAgain = (
  b: GraphBuilder,
  lanes: Lanes,
  block: QueryBlock,
  others: readonly ValueId[],
): AttendedBlock => attendBlock(b, lanes, block, after(b, cut(b, lanes.queries, 2, block), others));

/**
 * A value that a runtime computes after others, which it does not depend on: a runtime that computes on demand would compute
 * the scores of all blocks for the gradient of the queries before it used any for that of the keys, and keep them meanwhile. It is
 * copied: the first of one row, whose number, 0, the others are said to decide.
 */
function after(b: GraphBuilder, value: ValueId, others: readonly ValueId[]): ValueId {
  if (others.length === 0) return value;
  const one = (other: ValueId) => b.slice(b.reshape(other, [sizeOf(b.shapeOf(other))]), 0, 0, 1);
  const sum = others.map(one).reduce((left, right) => b.add(left, right));
  // 1, or where the sum is no number 0
  const isNumber = b.cast(b.equal(sum, sum), 'f32');
  const shape = b.shapeOf(value);
  const rows = b.reshape(value, [1, sizeOf(shape)]);
  return b.reshape(b.gather(rows, b.cast(b.mul(isNumber, b.scalar(0)), 'i32')), shape);
}

/** Adds up what stretches of tokens are given, `[lanes, tokens, dim]`; no larger than the tokens that were given something. */
class StretchSum {
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

  whole(tokens: number): ValueId {
    return this.padded(argument([this.value], 0) ?? 0, this.stretch, { from: 0, to: tokens });
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
