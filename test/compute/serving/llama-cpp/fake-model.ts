/** A model of llama.cpp whose logits are a hash of what a sequence holds: any slip in that changes what follows. */
import { LlamaEngine, type LlamaEngineParts } from '../../../../src/compute/serving/llama-cpp/engine.js';
import type {
  LlamaModel,
  LogitChanges,
  LogitsHandle,
} from '../../../../src/compute/serving/llama-cpp/model.js';
import { fakeDecoder, tinyConfig } from '../../evaluation/fake-decoder.js';
import { letters } from '../fake-serving.js';

export interface FakeModel extends LlamaModel {
  /** Tokens of every step, by sequence. */
  readonly steps: readonly number[][];
  /** Thrown by the next step. */
  fault: Error | undefined;
  closed: boolean;
  /** How often all of a vocabulary was handed over. */
  whole: number;
}

export function fakeModel({ rows = 4, stepTokens = 8, keeps = true } = {}): FakeModel {
  const { after } = fakeDecoder();
  const sequences: number[][] = Array.from({ length: rows }, () => []);
  const steps: number[][] = [];
  let logits: Float32Array[] = [];
  /** The likeliest first, after a bias and then a penalty. */
  const sorted = (
    handle: LogitsHandle,
    {
      tokenBiasKeys = new Uint32Array(),
      tokenBiasValues,
      repeatPenalty = 1,
      repeatPenaltyTokens,
    }: LogitChanges = {},
  ) => {
    const biases = new Map(Array.from(tokenBiasKeys, (id, at) => [id, tokenBiasValues?.[at] ?? 0]));
    return Array.from(logits[handle] ?? [], (plain, id) => {
      const logit = plain + (biases.get(id) ?? 0);
      const isPenalised = repeatPenaltyTokens?.includes(id) === true;
      return { id, logit: !isPenalised ? logit : logit <= 0 ? logit * repeatPenalty : logit / repeatPenalty };
    }).sort((a, b) => b.logit - a.logit || a.id - b.id);
  };
  const softmax = (values: readonly number[]): Float32Array => {
    const weights = values.map((value) => Math.exp(value - (values[0] ?? 0)));
    return Float32Array.from(weights, (weight) => weight / weights.reduce((sum, one) => sum + one, 0));
  };
  const model: FakeModel = {
    ...{ rows, stepTokens, contextTokens: 40, memory: 1, device: 'cpu' },
    ...{ steps, fault: undefined, closed: false, whole: 0 },
    async step(feeds) {
      await new Promise(setImmediate);
      if (model.fault !== undefined) {
        const { fault } = model;
        model.fault = undefined;
        throw fault;
      }
      if (feeds.reduce((sum, { tokens }) => sum + tokens.length, 0) > stepTokens) throw new Error('too many');
      steps.push(feeds.map(({ tokens }) => tokens.length));
      logits = [];
      return feeds.map(({ sequence, position, tokens, logitsAt }) => {
        const held = sequences[sequence] ?? [];
        if (position !== held.length) throw new Error(`position ${position} of ${held.length}`);
        return [...tokens.entries()].flatMap(([at, token]) => {
          held.push(token);
          if (!logitsAt.includes(at)) return [];
          logits.push(after(held));
          return [(logits.length - 1) as LogitsHandle];
        });
      });
    },
    greedy: async (handle, changes) => sorted(handle, changes)[0]?.id ?? -1,
    async top(handle) {
      const all = sorted(handle);
      return { id: all[0]?.id ?? -1, probability: softmax(all.map(({ logit }) => logit))[0] ?? 0 };
    },
    async likeliest(handle, count, changes) {
      if (count >= tinyConfig.vocabSize) model.whole++;
      const found = sorted(handle, changes).slice(0, count);
      return {
        ids: Int32Array.from(found, ({ id }) => id),
        probabilities: softmax(found.map(({ logit }) => logit)),
      };
    },
    cut(sequence, length) {
      const held = sequences[sequence] ?? [];
      held.length = keeps ? Math.min(held.length, length) : 0;
      return keeps && length > 0;
    },
    tokenize: (text) => [...letters.encode(text)],
    async close() {
      model.closed = true;
    },
  };
  return model;
}

export function llamaEngine(
  model: LlamaModel = fakeModel(),
  more: Partial<LlamaEngineParts> = {},
): LlamaEngine {
  return new LlamaEngine({
    ...{
      label: 'fake',
      model,
      tokenizer: letters,
      facts: { ...tinyConfig, eosTokenIds: [] },
      clock: () => 0,
    },
    ...more,
  });
}
