import type { Batch, Decoder, LossResult } from '../../../src/compute/models/decoder/types.js';
import type { ModelConfig } from '../../../src/compute/models/types.js';
import { weightStore } from '../../../src/compute/models/weights/stored-tensor.js';
import { referenceRuntime } from '../../../src/compute/tensor/runtimes/reference/index.js';
import { tokenRows } from './fixture.js';

/** What a test may do to a decoder before a micro batch is computed: throw, abort, or spoil a gradient. */
export interface Hooks {
  beforeAccumulate?(step: number, micro: number, batch: Batch, noise: number | undefined): void;
  afterAccumulate?(gradient: Float32Array, step: number): void;
  beforeLoss?(): void;
}

const config: ModelConfig = {
  architecture: 'llama',
  vocabSize: 12,
  hiddenSize: 2,
  intermediateSize: 2,
  layers: 1,
  heads: 1,
  keyValueHeads: 1,
  headDim: 2,
  maxPositions: 64,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tieEmbeddings: true,
  bosTokenId: 1,
  eosTokenIds: [2],
  padTokenId: null,
};

/**
 * The smallest language model: logits of the next token are a row of a table. It keeps every rule of a decoder but is
 * written in a page, so that the loop can be tested without one.
 */
export function bigramDecoder(hooks: Hooks = {}): Decoder {
  const size = config.vocabSize;
  const data = Float32Array.from({ length: size * size }, (_, i) => Math.sin(i));
  const gradient = new Float32Array(data.length);
  const visit = (batch: Batch, onToken?: (id: number, next: number, chances: readonly number[]) => void) => {
    const rows = Array.from({ length: batch.rows }, () => ({ sum: 0, tokens: 0 }));
    for (const [row, total] of rows.entries()) {
      for (let t = row * batch.length; t < (row + 1) * batch.length - 1; t++) {
        const next = batch.labels[t + 1] ?? -100;
        if (next < 0) continue;
        const id = batch.ids[t] ?? 0;
        const chances = softmax(data.subarray(id * size, (id + 1) * size));
        total.sum -= Math.log(chances[next] ?? 0);
        total.tokens++;
        onToken?.(id, next, chances);
      }
    }
    const sumOf = (key: 'sum' | 'tokens'): number => rows.reduce((sum, row) => sum + row[key], 0);
    return { sum: sumOf('sum'), tokens: sumOf('tokens'), rows } satisfies LossResult;
  };
  const none = async (): Promise<never> => {
    throw new Error('a bigram table does not generate');
  };
  return {
    options: {
      runtime: referenceRuntime(),
      config,
      weights: weightStore('nowhere', []),
      trainable: 'full',
      checkpointedBlocks: 0,
      logitsChunk: 1,
    },
    parameters: new Map([['table', { shape: [size, size], data }]]),
    gradients: new Map([['table', gradient]]),
    parametersChanged() {},
    async collectGradients() {},
    zeroGradients: () => void gradient.fill(0),
    async accumulate(batch, scale, { step, micro }, noise) {
      hooks.beforeAccumulate?.(step, micro, batch, noise);
      const result = visit(batch, (id, next, chances) => {
        chances.forEach((chance, token) => {
          const at = id * size + token;
          gradient[at] = (gradient[at] ?? 0) + Number(scale) * (chance - (token === next ? 1 : 0));
        });
      });
      hooks.afterAccumulate?.(gradient, step);
      return result;
    },
    async loss(batch) {
      hooks.beforeLoss?.();
      return visit(batch);
    },
    logits: none,
    classify: none,
    session: none,
    release: async () => {},
  };
}

function softmax(logits: Float32Array): readonly number[] {
  const powers = Array.from(logits, (logit) => Math.exp(logit));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** `count` rows of unequal lengths whose next token mostly follows a rule. */
export function bigramRows(count: number, offset = 0) {
  return tokenRows(
    Array.from({ length: count }, (_, row) => {
      const length = 3 + ((row * 5 + offset) % 9);
      const ids = Array.from({ length }, (_, t) => (row + offset + t * (row % 3 === 0 ? 5 : 7)) % 12);
      return { ids, labels: ids.map((id, t) => (t < 1 + (row % 2) ? -100 : id)) };
    }),
  );
}
