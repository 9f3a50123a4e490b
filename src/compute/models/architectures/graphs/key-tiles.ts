/**
 * Attention of a long row: blocks of queries meet the keys in tiles, so that scores lie in a core's cache, and of all
 * probabilities only the sums that they were divided by are kept (FlashAttention-2, arXiv 2307.08691, sections 2.3 and 3.1).
 */
import type { GraphBuilder } from '../../../tensor/builder.js';
import { argument } from '../../../tensor/ops/definition.js';
import type { ValueId } from '../../../tensor/types.js';
import { capped, cappedGradient } from './elementwise.js';
import {
  type Attended,
  byToken,
  cut,
  gradientByHead,
  joined,
  type Lanes,
  leads,
  type QueryBlock,
  type Stretch,
  StretchSum,
  under,
} from './query-blocks.js';

/** As `attendInBlocks`; `size`: the keys of a tile. Products must not be rounded: probabilities are divided after them. */
export function attendInTiles(
  b: GraphBuilder,
  lanes: Lanes,
  blocks: readonly QueryBlock[],
  size: number,
): Attended {
  let logSums: ValueId = 0;
  const mixed = b.composite(
    [lanes.queries, lanes.keys, lanes.values],
    () => {
      const forward = new TiledAttention(b, lanes, size);
      const attended = blocks.map((block) => forward.ofBlock(block));
      const all = (name: keyof AttendedBlock) => attended.map((block) => block[name]);
      logSums = joined(b, all('logSums'), 2);
      return byToken(b, all('mixed'));
    },
    (dmixed) => {
      const given = { ...gradientByHead(b, lanes, mixed, dmixed), logSums };
      return new TiledGradients(b, lanes, given, size).of(blocks);
    },
  );
  return { mixed, logSums };
}

/** Keys as tiles that begin at multiples of a size, whatever a block sees of them. */
function tilesOf(seen: readonly Stretch[], size: number): readonly Stretch[] {
  return seen.flatMap((stretch) => {
    const tiles: Stretch[] = [];
    for (let { from } = stretch; from < stretch.to; ) {
      const to = Math.min((Math.floor(from / size) + 1) * size, stretch.to);
      tiles.push({ from, to });
      from = to;
    }
    return tiles;
  });
}

/** `[lanes, tokens, dim]` with 1 as one more value of each token. */
function withOnes(b: GraphBuilder, values: ValueId): ValueId {
  const [count = 1, tokens = 1] = b.shapeOf(values);
  return b.concat([values, b.fill(1, [count, tokens, 1])], 2);
}

/** Tiles of keys or values, each cut out once. */
class Tiles {
  private readonly known = new Map<string, ValueId>();

  constructor(
    private readonly b: GraphBuilder,
    /** `[lanes, tokens, width]` */
    private readonly values: ValueId,
  ) {}

  /** `[…lead, tokens, width]` */
  at(tile: Stretch, lead: readonly number[]): ValueId {
    const name = [tile.from, tile.to, ...lead].join();
    const found = this.known.get(name) ?? under(this.b, lead, cut(this.b, this.values, 1, tile));
    this.known.set(name, found);
    return found;
  }
}

/** What a block of queries has when it has met all keys. */
interface AttendedBlock {
  /** `[rows, heads, queries, dim]` */
  readonly mixed: ValueId;
  /** log Σ exp(score) of each query over the keys, `[lanes, heads of a lane, queries, 1]`. */
  readonly logSums: ValueId;
}

/** What a block of queries has of the tiles that it has met. */
interface Met {
  /** The largest score of each query. */
  readonly largest: ValueId;
  /** Σ exp(score − largest)·value, and the sum of these factors as the last value. */
  readonly mixed: ValueId;
}

class TiledAttention {
  private readonly keys: Tiles;
  private readonly values: Tiles;

  constructor(
    private readonly b: GraphBuilder,
    private readonly lanes: Lanes,
    private readonly size: number,
  ) {
    this.keys = new Tiles(b, lanes.keys);
    this.values = new Tiles(b, withOnes(b, lanes.values));
  }

  ofBlock(block: QueryBlock): AttendedBlock {
    const { b, lanes } = this;
    const [count = 1, headsOfLane = 1, , dim = 1] = b.shapeOf(lanes.queries);
    const asking = block.to - block.from;
    const lead = leads(count, headsOfLane * asking);
    const queries = under(b, lead.cut, cut(b, lanes.queries, 2, block));
    let met: Met | undefined;
    for (const tile of tilesOf(block.seen, this.size)) {
      const keys = this.keys.at(tile, lead.shared);
      const products = b.matmul(queries, keys, { transB: true, alpha: lanes.scale });
      const scores = this.masked(capped(b, products, lanes.cap), block, tile);
      met = this.corrected(met, scores, this.values.at(tile, lead.shared));
      b.fence(met.mixed);
    }
    const { largest, mixed } = argument([met], 0) ?? { largest: 0, mixed: 0 };
    const sum = b.slice(mixed, -1, dim, dim + 1);
    return {
      mixed: b.reshape(b.div(b.slice(mixed, -1, 0, dim), sum), [
        lanes.rows,
        (count * headsOfLane) / lanes.rows,
        asking,
        dim,
      ]),
      logSums: b.reshape(b.add(largest, b.log(sum)), [count, headsOfLane, asking, 1]),
    };
  }

  private masked(scores: ValueId, block: QueryBlock, tile: Stretch): ValueId {
    const { b, lanes } = this;
    if (block.seesAll(tile)) return scores;
    const [count = 1, headsOfLane = 1] = b.shapeOf(lanes.queries);
    const heads = (count * headsOfLane) / lanes.rows;
    const byHead = b.reshape(scores, [lanes.rows, heads, block.to - block.from, tile.to - tile.from]);
    return b.reshape(b.add(byHead, block.visible(tile)), b.shapeOf(scores));
  }

  /** With one more tile, whose larger scores correct what was summed before. */
  private corrected(before: Met | undefined, scores: ValueId, values: ValueId): Met {
    const { b } = this;
    const own = b.max(scores, [-1], true);
    // the larger of two
    const largest = before === undefined ? own : b.add(before.largest, b.relu(b.sub(own, before.largest)));
    const mixed = b.matmul(b.exp(b.sub(scores, largest)), values);
    if (before === undefined) return { largest, mixed };
    const correction = b.exp(b.sub(before.largest, largest));
    return { largest, mixed: b.add(b.mul(before.mixed, correction), mixed) };
  }
}

/** What the gradients come from, of all queries. */
interface Upstream {
  /** `[rows, heads, length, dim]` and `[rows, heads, length, 1]`: see `gradientByHead`. */
  readonly gradient: ValueId;
  readonly means: ValueId;
  /** `[lanes, heads of a lane, length, 1]` */
  readonly logSums: ValueId;
}

/**
 * Gradients of queries, keys and values, tile by tile: probabilities are exp(score − log sum). Tiles are transposed, `[keys,
 * queries]`, as two of the three products of gradients take them. What is subtracted by query is one more value of what is
 * multiplied: a pass over a tile less.
 */
class TiledGradients {
  private readonly keys: Tiles;
  private readonly keysWithOnes: Tiles;
  private readonly valuesWithOnes: Tiles;
  private readonly dkeys: readonly StretchSum[];
  private readonly dvalues: readonly StretchSum[];
  private readonly tokens: number;

  constructor(
    private readonly b: GraphBuilder,
    private readonly lanes: Lanes,
    private readonly given: Upstream,
    private readonly size: number,
  ) {
    this.tokens = b.shapeOf(lanes.keys)[1] ?? 0;
    this.keys = new Tiles(b, lanes.keys);
    this.keysWithOnes = new Tiles(b, withOnes(b, lanes.keys));
    this.valuesWithOnes = new Tiles(b, withOnes(b, lanes.values));
    const sums = () => Array.from({ length: Math.ceil(this.tokens / size) }, () => new StretchSum(b));
    [this.dkeys, this.dvalues] = [sums(), sums()];
  }

  of(blocks: readonly QueryBlock[]): readonly ValueId[] {
    const { b } = this;
    const dqueries = blocks.map((block) => this.ofBlock(block));
    const whole = (sums: readonly StretchSum[]) => {
      const tiles = tilesOf([{ from: 0, to: this.tokens }], this.size);
      return joined(
        b,
        tiles.map((tile, index) => argument(sums, index).over(tile)),
        1,
      );
    };
    return [joined(b, dqueries, 2), whole(this.dkeys), whole(this.dvalues)];
  }

  /** Adds what a block gives keys and values; its queries' gradient, `[lanes, heads of a lane, queries, dim]`. */
  private ofBlock(block: QueryBlock): ValueId {
    const { b, lanes, given } = this;
    const { scale, cap } = lanes;
    const [count = 1, headsOfLane = 1, , dim = 1] = b.shapeOf(lanes.queries);
    const ofQueries = (value: ValueId) => under(b, [count], cut(b, value, 2, block));
    const [queries, upstream] = [ofQueries(lanes.queries), ofQueries(given.gradient)];
    const [means, logSums] = [ofQueries(given.means), ofQueries(given.logSums)];
    const longQueries = b.concat([b.mul(queries, b.scalar(scale)), b.neg(logSums)], 2);
    const longUpstream = b.concat([upstream, b.neg(means)], 2);
    const dqueries: ValueId[] = [];
    for (const tile of tilesOf(block.seen, this.size)) {
      const lead = leads(count, tile.to - tile.from);
      const shared = (value: ValueId) => under(b, lead.shared, value);
      const product = (tiles: Tiles, other: ValueId, alpha: number) =>
        b.matmul(tiles.at(tile, lead.cut), shared(other), { transB: true, alpha });
      // of capped scores the sum is subtracted after the cap
      const scores =
        cap === undefined
          ? product(this.keysWithOnes, longQueries, 1)
          : capped(b, product(this.keys, queries, scale), cap);
      const logs =
        cap === undefined
          ? scores
          : b.sub(
              scores,
              b.transpose(shared(logSums), [
                ...lead.shared.keys(),
                lead.shared.length + 1,
                lead.shared.length,
              ]),
            );
      const probabilities = b.exp(this.masked(logs, block, tile));
      const add = (sums: readonly StretchSum[], more: ValueId) => {
        const sum = argument(sums, Math.floor(tile.from / this.size));
        sum.add([tile], under(b, [count], more));
        b.fence(argument([sum.value], 0) ?? 0);
      };
      add(this.dvalues, b.matmul(probabilities, shared(upstream)));
      const dprobabilities = product(this.valuesWithOnes, longUpstream, 1);
      const dscores = cappedGradient(b, scores, cap, b.mul(dprobabilities, probabilities));
      add(this.dkeys, b.matmul(dscores, shared(queries), { alpha: scale }));
      const more = b.matmul(dscores, this.keys.at(tile, lead.cut), { transA: true, alpha: scale });
      const all = lead.cut.length === 1 ? more : b.sum(more, [1]);
      const before = dqueries.pop();
      dqueries.push(before === undefined ? all : b.add(before, all));
      b.fence(argument(dqueries, 0));
    }
    return b.reshape(argument(dqueries, 0), [count, headsOfLane, block.to - block.from, dim]);
  }

  private masked(scores: ValueId, block: QueryBlock, tile: Stretch): ValueId {
    const { b, lanes } = this;
    if (block.seesAll(tile)) return scores;
    const [count = 1, headsOfLane = 1] = b.shapeOf(lanes.queries);
    const [keys, asking] = [tile.to - tile.from, block.to - block.from];
    const visible = b.transpose(block.visible(tile), [0, 1, 3, 2]);
    const mask = b.reshape(visible, [b.shapeOf(visible)[0] ?? 1, 1, keys, 1, asking]);
    const byHead = b.reshape(scores, [lanes.rows, count / lanes.rows, keys, headsOfLane, asking]);
    return b.reshape(b.add(byHead, mask), b.shapeOf(scores));
  }
}
