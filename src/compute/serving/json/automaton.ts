/** Reads texts byte by byte, and knows after each how they may go on. */
import { type Item, NOTHING, type Ranges } from './items.js';
import { isNumber, mayBecomeNumber } from './numbers.js';
import { SchemaError } from './schema-error.js';

/** An item, and what follows it. */
interface Place {
  readonly id: number;
  readonly item: Item;
  readonly next: Place;
}

/** Nothing follows. */
const END: Place = {
  id: 0,
  item: NOTHING,
  get next() {
    return END;
  },
};

/** What was read of a text, as far as it matters for what may follow. */
export interface State {
  readonly id: number;
  /** What the next character may be of: places of classes and numbers. */
  readonly places: readonly Place[];
  /** The text may end here. */
  readonly isEnd: boolean;
  /** Of a character whose bytes are not complete: its bits so far, how many bytes are left, and the least code point. */
  readonly partial: UnfinishedCharacter;
  /** By byte, as far as they were asked for; `null`: the text cannot go on so. */
  readonly steps: (State | null | undefined)[];
}

interface UnfinishedCharacter {
  readonly bits: number;
  readonly left: number;
  readonly least: number;
}

const WHOLE: UnfinishedCharacter = { bits: 0, left: 0, least: 0 };

/** First bytes of a character: how many follow, the bits of its own, and the least code point that is written so (RFC 3629). */
const LEADS = [
  { from: 0xc2, to: 0xdf, left: 1, mask: 0x1f, least: 0x80 },
  { from: 0xe0, to: 0xef, left: 2, mask: 0x0f, least: 0x800 },
  { from: 0xf0, to: 0xf4, left: 3, mask: 0x07, least: 0x10000 },
] as const;

const NUMBER_CHARACTERS = '-.0123456789';

/** Places that are opened for one token of an answer: a schema that needs more is made to take long. */
const MOST_WORK = 50_000;
/** Places that are asked about a character, for one token: 0.2 seconds. */
const MOST_LOOKS = 2_000_000;

const TOO_LONG = 'it takes too long to tell how its texts go on';

export class Automaton {
  readonly start: State;
  private work = 0;
  private looks = 0;
  private readonly items = new Map<Item, number>();
  private readonly places = new Map<string, Place>();
  private readonly states = new Map<string, State>();
  /** By the places that they were reached from: most characters of a large vocabulary lead to the same. */
  private readonly reached = new Map<string, State>();
  /** Items that are made while a text is read, by what they are. */
  private readonly made = new Map<string, Item>();

  constructor(root: Item) {
    this.start = this.stateOf([this.place(root, END)]);
  }

  /** States so far. */
  get size(): number {
    return this.states.size;
  }

  /** Begins with the next token of an answer. */
  begin(): void {
    [this.work, this.looks] = [0, 0];
  }

  /** `undefined` if the text cannot go on with the byte. Throws a {@link SchemaError} where that takes too long. */
  step(state: State, byte: number): State | undefined {
    const known = state.steps[byte];
    if (known !== undefined) return known ?? undefined;
    const next = this.stepped(state, byte);
    state.steps[byte] = next ?? null;
    return next;
  }

  private stepped(state: State, byte: number): State | undefined {
    const { bits, left, least } = state.partial;
    if (left > 0) {
      if ((byte & 0xc0) !== 0x80) return undefined;
      return this.partly(state, { bits: (bits << 6) | (byte & 0x3f), left: left - 1, least });
    }
    if (byte < 0x80) return this.character(state, byte);
    const lead = LEADS.find(({ from, to }) => byte >= from && byte <= to);
    return lead && this.partly(state, { bits: byte & lead.mask, left: lead.left, least: lead.least });
  }

  /** After a part of a character, or all of it. */
  private partly(state: State, partial: UnfinishedCharacter): State | undefined {
    const { bits, left, least } = partial;
    if (left === 0) return bits >= least ? this.character(state, bits) : undefined;
    const from = Math.max(bits << (6 * left), least);
    const to = ((bits + 1) << (6 * left)) - 1;
    const isPossible = state.places.some(({ item }) => item.kind === 'class' && holds(item.ranges, from, to));
    return isPossible ? this.state(state.places, false, partial) : undefined;
  }

  private character(state: State, code: number): State | undefined {
    this.looks += state.places.length;
    if (this.looks > MOST_LOOKS) throw new SchemaError(TOO_LONG);
    const next = state.places.flatMap((place): readonly Place[] => {
      const { item } = place;
      if (item.kind === 'class') return holds(item.ranges, code, code) ? [place.next] : [];
      if (item.kind !== 'number') return [];
      const character = String.fromCodePoint(code);
      const text = item.text + character;
      if (!NUMBER_CHARACTERS.includes(character) || !mayBecomeNumber(text, item.bounds)) return [];
      const grown = this.once(`${this.itemId(item)} number ${character}`, () => ({ ...item, text }));
      return [this.place(grown, place.next)];
    });
    return next.length === 0 ? undefined : this.stateOf(next);
  }

  /** What is reached from these places without another character. */
  private stateOf(places: readonly Place[]): State {
    const key = places.map(({ id }) => id).join();
    const state = this.reached.get(key) ?? this.opening(places);
    this.reached.set(key, state);
    return state;
  }

  private opening(places: readonly Place[]): State {
    const open = [...places];
    const seen = new Set<Place>();
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (seen.has(place)) continue;
      seen.add(place);
      if (++this.work > MOST_WORK) throw new SchemaError(TOO_LONG);
      open.push(...this.opened(place));
    }
    const terminal = [...seen].filter(({ item: { kind } }) => kind === 'class' || kind === 'number');
    return this.state(terminal, seen.has(END), WHOLE);
  }

  /** Places that are reached from one without a character. */
  private opened(place: Place): readonly Place[] {
    const { item, next } = place;
    if (place === END) return [];
    switch (item.kind) {
      case 'class':
        return [];
      case 'number':
        return isNumber(item.text, item.bounds) ? [next] : [];
      case 'sequence':
        return [this.sequenceFrom(item, next)];
      case 'choice':
        return item.items.map((one) => this.place(one, next));
      case 'later':
        return [this.place(item.item(), next)];
      case 'repeat': {
        const { least, most } = item;
        const rest = { ...item, least: Math.max(0, least - 1), most: most - 1 };
        const key = `${this.itemId(item.item)} repeat ${rest.least} ${rest.most}`;
        const again =
          rest.most === 0
            ? next
            : this.place(
                this.once(key, () => rest),
                next,
              );
        const once = most > 0 ? [this.place(item.item, again)] : [];
        return least > 0 ? once : [...once, next];
      }
    }
  }

  /** Only what comes first is opened: of many values most are left after a character or two. */
  private sequenceFrom(item: Item & { readonly kind: 'sequence' }, next: Place): Place {
    const { items, from = 0 } = item;
    const first = items[from];
    if (first === undefined) return next;
    if (from + 1 === items.length) return this.place(first, next);
    const rest = this.once(`${this.itemId(item)} rest`, () => ({ ...item, from: from + 1 }));
    return this.place(first, this.place(rest, next));
  }

  private state(places: readonly Place[], isEnd: boolean, partial: UnfinishedCharacter): State {
    const ids = places.map(({ id }) => id).sort((a, b) => a - b);
    const key = `${ids.join()} ${isEnd} ${partial.bits} ${partial.left}`;
    const known = this.states.get(key);
    if (known !== undefined) return known;
    const state = { id: this.states.size, places, isEnd, partial, steps: [] };
    this.states.set(key, state);
    return state;
  }

  private place(item: Item, next: Place): Place {
    const key = `${this.itemId(item)} ${next.id}`;
    const known = this.places.get(key);
    if (known !== undefined) return known;
    const place = { id: this.places.size + 1, item, next };
    this.places.set(key, place);
    return place;
  }

  private once(key: string, make: () => Item): Item {
    const item = this.made.get(key) ?? make();
    this.made.set(key, item);
    return item;
  }

  private itemId(item: Item): number {
    const id = this.items.get(item) ?? this.items.size;
    this.items.set(item, id);
    return id;
  }
}

const holds = (ranges: Ranges, from: number, to: number): boolean =>
  ranges.some(([first, last]) => first <= to && last >= from);
