/** What requests add to and take from logits before a token is chosen. */
import { unknownTokenId } from './serving-diagnostics.js';
import type { CompletionRequest } from './types.js';

/**
 * Presence and frequency penalties over the tokens of the answer so far, then biases, as OpenAI's API defines them:
 * logit − frequency · count − presence · [count > 0] + bias. `undefined` where a request has none of them.
 */
export function adjustmentOf({
  penalties: { presence = 0, frequency = 0 } = {},
  bias = {},
}: Pick<CompletionRequest, 'penalties' | 'bias'>):
  | { readonly apply: (logits: Float32Array) => void; readonly count: (id: number) => void }
  | undefined {
  const biases = Object.entries(bias).map(([id, value]): readonly [number, number] => [Number(id), value]);
  if (presence === 0 && frequency === 0 && biases.length === 0) return undefined;
  const counts = new Map<number, number>();
  const add = (logits: Float32Array, id: number, value: number): void => {
    logits[id] = (logits[id] as number) + value;
  };
  return {
    apply(logits) {
      for (const [id, count] of counts) add(logits, id, -(frequency * count + presence));
      for (const [id, value] of biases) add(logits, id, value);
    },
    count: (id) => counts.set(id, (counts.get(id) ?? 0) + 1),
  };
}

/** Throws a `UserError` for a bias of what is no token. */
export function checkBias({ bias = {} }: CompletionRequest, label: string, vocabSize: number): void {
  const isToken = (id: number): boolean => Number.isInteger(id) && id >= 0 && id < vocabSize;
  const foreign = Object.keys(bias).find((id) => !isToken(Number(id)));
  if (foreign !== undefined) throw unknownTokenId(label, foreign, vocabSize);
}
