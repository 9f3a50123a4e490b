/** Keys and values of texts that were read before: a prompt that begins like one of them need not be read from its start. */

/** Tokens of a block; only whole blocks are held. */
const BLOCK = 16;

/** Tokens of a text, with their keys and values. */
export type HeldBlock = Pick<Block, 'ids' | 'data'>;

interface Block {
  readonly ids: Int32Array;
  readonly data: Float32Array;
  readonly parent: Block | undefined;
  readonly key: string;
  readonly number: number;
  /** Blocks that go on from this one. */
  children: number;
}

/**
 * A tree of blocks: the same tokens after the same tokens are held once, whatever texts they begin. Where there is no more
 * room, the block that was used longest ago goes, of those that nothing goes on from.
 */
export class PrefixCache {
  /** By what goes before and the block's own tokens; the one that was used last is the last. */
  private readonly blocks = new Map<string, Block>();
  private made = 0;

  /** `most`: tokens that may be held. */
  constructor(private readonly most: number) {}

  get tokens(): number {
    return this.blocks.size * BLOCK;
  }

  /** The longest beginning of a text that is held, at least one token short of it: something must be left to compute. */
  find(text: Int32Array): readonly HeldBlock[] {
    return this.path(text.subarray(0, Math.max(0, text.length - 1)));
  }

  /** Whether a text would begin with more that is held than these `tokens`, once another one has been read. */
  gains(text: Int32Array, tokens: number, other: Int32Array): boolean {
    const most = Math.min(text.length - 1, other.length, this.most);
    const end = tokens + BLOCK;
    if (end > most) return false;
    for (let at = 0; at < end; at++) if (text[at] !== other[at]) return false;
    return true;
  }

  /** Holds the whole blocks of a text; `read` gives the keys and values of its tokens `start … end`. */
  add(text: Int32Array, read: (start: number, end: number) => Float32Array): void {
    const known = this.path(text);
    let parent = known.at(-1);
    // what is to be added must not push out what it goes on from
    const room = Math.floor(this.most / BLOCK);
    for (let at = known.length; (at + 1) * BLOCK <= text.length && at < room; at++) {
      const [start, end] = [at * BLOCK, (at + 1) * BLOCK];
      const ids = text.slice(start, end);
      const block = {
        ids,
        data: read(start, end),
        parent,
        key: keyOf(parent, ids),
        number: ++this.made,
        children: 0,
      };
      if (parent !== undefined) parent.children++;
      this.blocks.set(block.key, block);
      parent = block;
    }
    this.path(text);
    this.shrink();
  }

  clear(): void {
    this.blocks.clear();
  }

  private path(text: Int32Array): readonly Block[] {
    const path: Block[] = [];
    for (let start = 0; start + BLOCK <= text.length; start += BLOCK) {
      const key = keyOf(path.at(-1), text.subarray(start, start + BLOCK));
      const block = this.blocks.get(key);
      if (block === undefined) break;
      path.push(block);
    }
    // a block was used no longer ago than what goes on from it, so that this comes first among those to go
    for (const block of path.toReversed()) {
      this.blocks.delete(block.key);
      this.blocks.set(block.key, block);
    }
    return path;
  }

  private shrink(): void {
    for (const [key, block] of this.blocks) {
      if (this.tokens <= this.most) return;
      if (block.children > 0) continue;
      this.blocks.delete(key);
      if (block.parent !== undefined) block.parent.children--;
    }
  }
}

const keyOf = (parent: Block | undefined, ids: Int32Array): string => `${parent?.number ?? 0}:${ids.join()}`;
