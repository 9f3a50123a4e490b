/** Sequences of a context: what each of them still has of texts that were read before, and which one a new text takes. */

/** A shorter common beginning is not worth the other text that the sequence holds. Tokens. */
const WORTH_KEEPING = 8;

export interface Sequence {
  readonly number: number;
  /** Tokens whose keys and values it has. */
  readonly tokens: number[];
  /** Somebody has it. */
  taken: boolean;
}

export class Sequences {
  /** The one that was given back last is the last. */
  private order: readonly Sequence[];

  constructor(count: number) {
    this.order = Array.from({ length: count }, (_, number) => ({ number, tokens: [], taken: false }));
  }

  /** Tokens that are held in all of them. */
  get tokens(): number {
    return this.order.reduce((sum, { tokens }) => sum + tokens.length, 0);
  }

  /**
   * A free sequence: the one that has the longest beginning of the text, or the one that was given back longest ago.
   * `common` are the tokens that need not be read again, at least one short of the text: something must be left to compute.
   */
  take(text: Int32Array): { readonly sequence: Sequence; readonly common: number } {
    const free = this.order
      .filter(({ taken }) => !taken)
      .map((sequence) => ({ sequence, common: commonLength(sequence.tokens, text) }));
    const longest = free.reduce<(typeof free)[number] | undefined>(
      (best, one) => (one.common > (best?.common ?? 0) ? one : best),
      undefined,
    );
    const found = longest !== undefined && longest.common >= WORTH_KEEPING ? longest : free[0];
    if (found === undefined) throw new Error('every sequence is taken');
    found.sequence.taken = true;
    return found;
  }

  giveBack(sequence: Sequence): void {
    sequence.taken = false;
    this.order = [...this.order.filter((one) => one !== sequence), sequence];
  }
}

function commonLength(known: readonly number[], text: Int32Array): number {
  const most = Math.min(known.length, text.length - 1);
  let length = 0;
  while (length < most && known[length] === text[length]) length++;
  return length;
}
