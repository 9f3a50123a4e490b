/**
 * SentencePiece vocabularies (`tokenizer.ggml.model` "llama") as byte-pair models with byte fallback, as transformers
 * builds them (`integrations/gguf/gguf_tokenizer_mapping.py`).
 */
import type { Json } from '../../../language/host/json.js';

const SPACE = '▁';

/** How the text around the pairs is treated, which a file does not say: a family does. */
interface PieceStyle {
  readonly normalizer: Json | null;
  readonly preTokenizer: Json | null;
  /** A space that was put before the text is taken away again. */
  readonly strips: boolean;
  /** Merges follow the places of their results, not their scores. */
  readonly byPlace: boolean;
  readonly unknown: boolean;
}

const REPLACE: Json = { type: 'Replace', pattern: { String: ' ' }, content: SPACE };

const GEMMA: PieceStyle = {
  normalizer: REPLACE,
  preTokenizer: {
    type: 'Split',
    pattern: { String: ' ' },
    behavior: 'MergedWithPrevious',
    invert: false,
  },
  strips: false,
  byPlace: true,
  unknown: true,
};

/** The prefix comes from a normaliser, so that it precedes every stretch between special tokens. */
const PHI_3: PieceStyle = {
  normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: SPACE }, REPLACE] },
  preTokenizer: null,
  strips: true,
  byPlace: false,
  unknown: false,
};

const llama = (prefix: boolean): PieceStyle => ({
  normalizer: null,
  preTokenizer: {
    type: 'Metaspace',
    replacement: SPACE,
    prepend_scheme: prefix ? 'first' : 'never',
    split: false,
  },
  strips: prefix,
  byPlace: false,
  unknown: false,
});

const STYLES: Readonly<Record<string, PieceStyle>> = { gemma2: GEMMA, gemma3: GEMMA, phi3: PHI_3 };

export const pieceStyle = (architecture: string, prefix: boolean): PieceStyle =>
  (Object.hasOwn(STYLES, architecture) ? STYLES[architecture] : undefined) ?? llama(prefix);

export const pieceDecoder = (style: PieceStyle): Json => ({
  type: 'Sequence',
  decoders: [
    { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(style.strips ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
  ],
});

/** A token of several spaces is stored as spaces and looked for as what they become. */
export const respelled = (token: string): string =>
  /^ {2,}$/.test(token) ? SPACE.repeat(token.length) : token;

/**
 * The merges that a vocabulary implies: every cut of a token into two tokens, the best token first, of one token the
 * longest left part first (`generate_merges` of transformers). `score` is by id.
 */
export function impliedMerges(
  tokens: readonly string[],
  score: (id: number) => number,
): readonly (readonly [string, string])[] {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  // a vocabulary of 262,144 has half a million cuts: as numbers they take a fifth of what objects do
  const cuts: Cuts = { left: [], right: [], score: [], leftLength: [], rightLength: [] };
  for (const [token, id] of ids) addCuts(cuts, token, score(id), ids);
  const { left, right } = cuts;
  const order = Uint32Array.from(left.keys()).sort(
    (a, b) =>
      at(cuts.score, b) - at(cuts.score, a) ||
      at(cuts.leftLength, b) - at(cuts.leftLength, a) ||
      at(cuts.rightLength, b) - at(cuts.rightLength, a) ||
      a - b,
  );
  return Array.from(order, (cut) => [tokens[at(left, cut)] ?? '', tokens[at(right, cut)] ?? ''] as const);
}

/** Each cut's parts as ids, the score of the whole, and the lengths of the parts in characters. */
type Cuts = Readonly<Record<'left' | 'right' | 'score' | 'leftLength' | 'rightLength', number[]>>;

const at = (values: readonly number[], index: number): number => values[index] as number;

/** Adds the cuts of a token, in the order of the ids of their parts. */
function addCuts(cuts: Cuts, token: string, score: number, ids: ReadonlyMap<string, number>): void {
  const found: { readonly left: number; readonly right: number; readonly count: number }[] = [];
  const characters = [...token];
  let end = 0;
  for (let count = 1; count < characters.length; count++) {
    end += characters[count - 1]?.length ?? 0;
    const [left, right] = [ids.get(token.slice(0, end)), ids.get(token.slice(end))];
    if (left !== undefined && right !== undefined) found.push({ left, right, count });
  }
  for (const { left, right, count } of found.sort((a, b) => a.left - b.left || a.right - b.right)) {
    cuts.left.push(left);
    cuts.right.push(right);
    cuts.score.push(score);
    cuts.leftLength.push(count);
    cuts.rightLength.push(characters.length - count);
  }
}
