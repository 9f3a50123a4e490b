/** Which tokens a text may go on with: the bytes of all tokens, sorted, are walked through an automaton at once. */
import { isSpecial } from '../../models/turn-end.js';
import type { Tokenizer } from '../../models/types.js';
import { plainBytes } from '../token-bytes.js';
import type { Automaton, State } from './automaton.js';

/** States whose tokens are remembered, of one automaton. */
const REMEMBERED = 256;

/** Tokens between two looks at what else is to be done: a few milliseconds. */
const SLICE = 512;

/** A token that shows text. */
interface ShownToken {
  readonly id: number;
  readonly bytes: Uint8Array;
}

export class Vocabulary {
  private constructor(
    /** Tokens that show text, in the order of their bytes, and how many bytes each shares with the one before. */
    private readonly ids: Int32Array,
    private readonly shared: Int32Array,
    private readonly bytes: readonly Uint8Array[],
    private readonly bytesOf: (id: number) => Uint8Array,
  ) {}

  /** Pauses where something else may be done. `size`: logits of the model. */
  static *build(tokenizer: Tokenizer, size: number): Generator<undefined, Vocabulary> {
    const bytesOf = plainBytes(tokenizer);
    const bytes: Uint8Array[] = [];
    const [ids, shared] = [new Int32Array(size), new Int32Array(size)];
    for (const group of yield* groupsOf(tokenizer, size, bytesOf)) {
      const before = bytes.length;
      for (const token of group.sort((a, b) => Buffer.compare(a.bytes, b.bytes))) {
        shared[bytes.length] = sharedBytes(token.bytes, bytes.at(-1));
        ids[bytes.length] = token.id;
        bytes.push(token.bytes);
      }
      if (Math.floor(before / SLICE) < Math.floor(bytes.length / SLICE)) yield;
    }
    return new Vocabulary(ids.subarray(0, bytes.length), shared, bytes, bytesOf);
  }

  /** After a token; `undefined` if the text cannot go on with it. */
  after(automaton: Automaton, state: State, id: number): State | undefined {
    let now: State | undefined = state;
    for (const byte of this.bytesOf(id)) now = now && automaton.step(now, byte);
    return now;
  }

  /** Tokens that the text can go on with. */
  next(automaton: Automaton, state: State): Int32Array {
    const found: number[] = [];
    const path: State[] = [state];
    /** Bytes after which the last token could not go on. */
    let dead = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.ids.length; i++) {
      const same = this.shared[i] as number;
      if (same >= dead) continue;
      dead = Number.POSITIVE_INFINITY;
      const bytes = this.bytes[i] as Uint8Array;
      for (let at = Math.min(same, path.length - 1); at < bytes.length; at++) {
        const after = automaton.step(path[at] as State, bytes[at] as number);
        if (after === undefined) {
          dead = at + 1;
          break;
        }
        path[at + 1] = after;
        path.length = at + 2;
      }
      if (dead === Number.POSITIVE_INFINITY) found.push(this.ids[i] as number);
    }
    return Int32Array.from(found);
  }
}

/** By their first two bytes, in the order of these. */
function* groupsOf(
  tokenizer: Tokenizer,
  size: number,
  bytesOf: (id: number) => Uint8Array,
): Generator<undefined, readonly ShownToken[][]> {
  const groups = new Map<number, ShownToken[]>();
  for (let id = 0; id < size; id++) {
    if (id % SLICE === 0) yield;
    const bytes = bytesOf(id);
    const [first, second = -1] = bytes;
    if (first === undefined || isSpecial(tokenizer, id)) continue;
    const key = first * 257 + second + 1;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ id, bytes }]);
    else group.push({ id, bytes });
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

function sharedBytes(one: Uint8Array, other: Uint8Array = new Uint8Array(0)): number {
  let at = 0;
  while (at < one.length && at < other.length && one[at] === other[at]) at++;
  return at;
}

/** The tokens of states of one automaton, as far as they were asked for lately. */
export class NextTokens {
  private readonly known = new Map<number, Int32Array>();

  constructor(
    private readonly vocabulary: Vocabulary,
    readonly automaton: Automaton,
  ) {}

  of(state: State): Int32Array {
    const known = this.known.get(state.id) ?? this.vocabulary.next(this.automaton, state);
    this.known.delete(state.id);
    this.known.set(state.id, known);
    for (const [oldest] of this.known) {
      if (this.known.size <= REMEMBERED) break;
      this.known.delete(oldest);
    }
    return known;
  }

  after(state: State, id: number): State | undefined {
    return this.vocabulary.after(this.automaton, state, id);
  }
}
