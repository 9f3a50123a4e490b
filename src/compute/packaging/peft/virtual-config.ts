/** `adapter_config.json` of what trains virtual tokens: a prompt, or a prefix. */
import { prefixConfig } from '../../models/adapters/prefix.js';
import { promptConfig } from '../../models/adapters/prompt.js';
import type { LoraConfig } from '../../models/types.js';
import { type AdapterBase, PEFT_VERSION } from './adapter-base.js';

/** Fields of PEFT's PromptLearningConfig. */
const virtualFields = (tokens: number, { name, revision, shape }: AdapterBase) => ({
  auto_mapping: null,
  base_model_name_or_path: name,
  inference_mode: true,
  modules_to_save: null,
  num_layers: shape?.layers ?? null,
  num_transformer_submodules: 1,
  num_virtual_tokens: tokens,
  peft_version: PEFT_VERSION,
  revision,
  task_type: 'CAUSAL_LM',
});

/** Those of its PromptTuningConfig. */
const promptFields = (tokens: number, base: AdapterBase) => ({
  ...virtualFields(tokens, base),
  num_attention_heads: base.shape?.heads ?? null,
  peft_type: 'PROMPT_TUNING',
  prompt_tuning_init: 'RANDOM',
  prompt_tuning_init_text: null,
  token_dim: base.shape?.hiddenSize ?? null,
  tokenizer_kwargs: null,
  tokenizer_name_or_path: null,
});

/** Those of its PrefixTuningConfig: heads and width are those of the keys. */
const prefixFields = (tokens: number, base: AdapterBase) => {
  const width = base.shape === undefined ? null : base.shape.keyValueHeads * base.shape.headDim;
  return {
    ...virtualFields(tokens, base),
    encoder_hidden_size: width,
    init_weights: null,
    num_attention_heads: base.shape?.keyValueHeads ?? null,
    peft_type: 'PREFIX_TUNING',
    prefix_projection: false,
    token_dim: width,
  };
};

const NO_BASE: AdapterBase = { name: null, revision: null };

/** What an adapter of virtual tokens is read as, by its `peft_type`. */
export const VIRTUAL = {
  PROMPT_TUNING: { fields: promptFields(0, NO_BASE), configOf: promptConfig },
  PREFIX_TUNING: { fields: prefixFields(0, NO_BASE), configOf: (tokens: number) => prefixConfig({ tokens }) },
};

export type VirtualType = keyof typeof VIRTUAL;

export const isVirtual = (type: unknown): type is VirtualType =>
  typeof type === 'string' && Object.hasOwn(VIRTUAL, type);

/** Fields that say how virtual tokens began, and what the base has. */
export const knownFields = (type: VirtualType): ReadonlySet<string> =>
  new Set(
    Object.keys(VIRTUAL[type].fields).filter(
      (field) => field !== 'modules_to_save' && field !== 'num_transformer_submodules',
    ),
  );

/** What PEFT writes of an adapter of virtual tokens; nothing of one that has none. */
export const virtualConfig = (
  { virtualTokens, prefix }: LoraConfig,
  base: AdapterBase,
): Readonly<Record<string, unknown>> | undefined => {
  if (virtualTokens !== undefined) return promptFields(virtualTokens, base);
  return prefix && prefixFields(prefix.tokens, base);
};
