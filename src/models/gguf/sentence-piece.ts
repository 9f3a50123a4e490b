/**
 * SentencePiece vocabularies (`tokenizer.ggml.model` "llama") as byte-pair models with byte fallback, as transformers
 * builds them (`integrations/gguf/gguf_tokenizer_mapping.py`).
 */
import type { Json } from '../json-file.js';

const SPACE = '▁';

/** How the text around the pairs is treated, which a file does not say: a family does. */
export interface PieceStyle {
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
  const found: Cut[] = [];
  for (const [token, id] of ids) found.push(...cutsOf(token, score(id), ids));
  found.sort((a, b) => b.score - a.score || b.leftLength - a.leftLength || b.rightLength - a.rightLength);
  return found.map(({ left, right }) => [left, right]);
}

interface Cut {
  readonly left: string;
  readonly right: string;
  readonly score: number;
  /** In characters. */
  readonly leftLength: number;
  readonly rightLength: number;
}

function cutsOf(token: string, score: number, ids: ReadonlyMap<string, number>): readonly Cut[] {
  const cuts: (Cut & { readonly leftId: number; readonly rightId: number })[] = [];
  const characters = [...token];
  let at = 0;
  for (let count = 1; count < characters.length; count++) {
    at += characters[count - 1]?.length ?? 0;
    const [left, right] = [token.slice(0, at), token.slice(at)];
    const [leftId, rightId] = [ids.get(left), ids.get(right)];
    if (leftId === undefined || rightId === undefined) continue;
    cuts.push({
      left,
      right,
      score,
      leftLength: count,
      rightLength: characters.length - count,
      leftId,
      rightId,
    });
  }
  return cuts.sort((a, b) => a.leftId - b.leftId || a.rightId - b.rightId);
}
