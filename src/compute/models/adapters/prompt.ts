/** Prompt tuning (Lester et al. 2021, arXiv 2104.08691): trained embeddings of virtual tokens before every text. */
import type { NamedShape } from '../architectures/index.js';
import { fillNormal, uniform } from '../random.js';
import type { Adapter, AdapterTensors, LoraConfig, ModelConfig, StoredTensor } from '../types.js';

/** `[virtual tokens, hidden]`, by PEFT's name. */
export const PROMPT = 'prompt_embeddings';

export const promptShapes = (
  { hiddenSize }: ModelConfig,
  lora: LoraConfig | undefined,
): readonly NamedShape[] =>
  lora?.virtualTokens === undefined ? [] : [{ name: PROMPT, shape: [lora.virtualTokens, hiddenSize] }];

/** A config with a prompt of this length, and no low-rank factors. */
export const promptConfig = (virtualTokens: number): LoraConfig => ({
  rank: 0,
  alpha: 0,
  dropout: 0,
  targets: [],
  virtualTokens,
});

/** Virtual tokens that take positions from the texts. */
export const virtualTokensOf = (lora: Pick<LoraConfig, 'virtualTokens' | 'prefix'> | undefined): number =>
  lora?.virtualTokens ?? lora?.prefix?.tokens ?? 0;

/** How the embeddings begin, as in PEFT: normal with a deviation of 1, or those of random tokens of the vocabulary. */
export type PromptInit = 'random' | 'vocabulary';

export function initPrompt(
  model: ModelConfig,
  config: LoraConfig,
  seed: number,
  { init, embedding }: { readonly init: PromptInit; readonly embedding: StoredTensor },
): Adapter {
  const { hiddenSize: width, vocabSize } = model;
  const tokens = config.virtualTokens ?? 0;
  const data = new Float32Array(tokens * width);
  if (init === 'random') fillNormal(data, seed, PROMPT, 1);
  else
    for (let token = 0; token < tokens; token++) {
      const id = Math.floor(uniform(seed, PROMPT, token) * vocabSize);
      embedding.decodeRows(id, 1, data.subarray(token * width, (token + 1) * width));
    }
  return { config, tensors: new Map([[PROMPT, { shape: [tokens, width], data }]]) };
}

/** The prompt of an adapter, where it is one. */
export const promptOf = (tensors: AdapterTensors | undefined): Float32Array | undefined =>
  tensors?.get(PROMPT)?.data;
