/** An engine over a decoder whose logits are a hash of all that a row has seen: any slip in that changes what follows. */
import type { Tokenizer } from '../../../src/compute/models/types.js';
import { EmbeddedEngine, type EmbeddedParts } from '../../../src/compute/serving/embedded-engine.js';
import type {
  CompletionPiece,
  CompletionRequest,
  ServingEngine,
  TokenLogprob,
} from '../../../src/compute/serving/types.js';
import { fakeDecoder, tinyConfig } from '../evaluation/fake-decoder.js';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWX';

/** A letter per token; `A` ends texts. */
export const letters: Tokenizer = {
  encode: (text) => Int32Array.from(text, (letter) => LETTERS.indexOf(letter)),
  decode: (ids, { skipSpecial = false } = {}) =>
    Array.from(ids, (id) => (skipSpecial && id === 0 ? '' : LETTERS[id])).join(''),
  vocabSize: LETTERS.length,
  idOf: (token) => (LETTERS.includes(token) && token.length === 1 ? LETTERS.indexOf(token) : undefined),
  tokenOf: (id) => LETTERS[id],
};

export function fakeEngine(more: Partial<EmbeddedParts> = {}) {
  const decoder = { ...fakeDecoder(), release: async () => {} };
  const engine = new EmbeddedEngine({
    ...{ label: 'fake', decoder, tokenizer: letters, facts: { ...tinyConfig, eosTokenIds: [] } },
    ...{ rows: 4, contextTokens: 40, batchTokens: 1000, prefixTokens: 0, memory: 0, clock: () => 0 },
    ...more,
  });
  return { engine, decoder };
}

export const asked = (text: string, more: Partial<CompletionRequest> = {}): CompletionRequest => ({
  ...{ prompt: { text }, draw: {}, stop: [], maxTokens: 12 },
  ...more,
});

export interface Answered {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly logprobs: readonly TokenLogprob[];
  readonly pieces: readonly CompletionPiece[];
  readonly start?: CompletionPiece & { readonly type: 'start' };
  readonly end?: CompletionPiece & { readonly type: 'end' };
}

/** A whole answer. */
export async function answerOf(
  engine: ServingEngine,
  request: CompletionRequest,
  signal = new AbortController().signal,
): Promise<Answered> {
  const pieces: CompletionPiece[] = [];
  for await (const piece of engine.complete(request, signal)) pieces.push(piece);
  const texts = pieces.flatMap((piece) => (piece.type === 'text' ? [piece] : []));
  return {
    text: texts.map(({ text }) => text).join(''),
    tokens: texts.flatMap(({ tokens }) => tokens),
    logprobs: texts.flatMap(({ logprobs = [] }) => logprobs),
    pieces,
    start: pieces.find((piece) => piece.type === 'start'),
    end: pieces.find((piece) => piece.type === 'end'),
  };
}
