/** Prompt tuning (Lester et al. 2021, arXiv 2104.08691): trained embeddings of virtual tokens before every text. */
import { blueprintOf, type NamedShape } from '../architectures/index.js';
import { fillNormal, uniform } from '../philox.js';
import type { ModelConfig } from '../types.js';
import type { AdapterConfig } from './config.js';
import { type AdapterDefinition, needed, outerModule } from './definition.js';

/** `[virtual tokens, hidden]`, by PEFT's name. */
export const PROMPT = 'prompt_embeddings';

/** Virtual tokens that go through the blocks before every text. */
export const promptTokens = (adapter: AdapterConfig | undefined): number =>
  adapter?.kind === 'prompt' ? adapter.tokens : 0;

/** The tensor of a prompt; `undefined` for other kinds. */
export const promptShape = (
  { hiddenSize }: ModelConfig,
  adapter: AdapterConfig | undefined,
): NamedShape | undefined =>
  adapter?.kind === 'prompt' ? { name: PROMPT, shape: [adapter.tokens, hiddenSize] } : undefined;

export const prompt: AdapterDefinition<'prompt'> = {
  shapes: ({ hiddenSize }, { tokens }) => [{ name: PROMPT, shape: [tokens, hiddenSize] }],
  /** As in PEFT: normal with a deviation of 1, or those of random tokens of the vocabulary. */
  init(model, { tokens }, { seed, init = 'random', weights }) {
    const { hiddenSize: width, vocabSize } = model;
    const data = new Float32Array(tokens * width);
    if (init === 'random') fillNormal(data, seed, PROMPT, 1);
    else {
      const embedding = needed(weights, 'a prompt of tokens').get(blueprintOf(model).embedding.name);
      for (let token = 0; token < tokens; token++) {
        const id = Math.floor(uniform(seed, PROMPT, token) * vocabSize);
        embedding.dequantiseRows(id, 1, data.subarray(token * width, (token + 1) * width));
      }
    }
    return new Map([[PROMPT, { shape: [tokens, width], data }]]);
  },
  virtualTokens: ({ tokens }) => tokens,
  modules: (model, adapter) => prompt.shapes(model, adapter).map(outerModule),
};
