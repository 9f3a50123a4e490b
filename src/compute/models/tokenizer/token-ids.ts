/** Which token has which id: all that two models need in common which compute the same ids. */
import { isJson, type Json } from '../../../language/host/json.js';

/** A token that another tokenizer has not, or has under another id. */
interface OtherToken {
  readonly id: number;
  readonly token: string;
  /** What the other one has there. */
  readonly other?: string;
}

/**
 * The first token of `own` that `other` does not have under the same id; both are `tokenizer.json`, whatever their models. Tokens
 * that only the other one has are none that rows of `own` hold.
 */
export function otherToken(own: Json, other: Json): OtherToken | undefined {
  const theirs = tokensById(other);
  for (const [id, token] of tokensById(own)) {
    const found = theirs.get(id);
    if (found !== token) return { id, token, ...(found !== undefined && { other: found }) };
  }
  return undefined;
}

function tokensById(tokenizer: Json): ReadonlyMap<number, string> {
  const { model, added_tokens: added } = tokenizer;
  const found = new Map(isJson(model) ? vocabulary(model['vocab']) : []);
  for (const one of Array.isArray(added) ? added : [])
    if (isJson(one) && typeof one['id'] === 'number') found.set(one['id'], String(one['content']));
  return found;
}

/** Ids by tokens; a model of unigrams has a list of tokens with their scores. */
function vocabulary(vocab: unknown): readonly (readonly [id: number, token: string])[] {
  if (Array.isArray(vocab)) return vocab.map((entry: unknown, id) => [id, String([entry].flat()[0])]);
  return isJson(vocab) ? Object.entries(vocab).map(([token, id]) => [Number(id), token]) : [];
}
