/** What trains virtual tokens, a prompt or a prefix, as PEFT saves it: in the same tensor. */
import type { PrefixConfig, PromptConfig } from '../../models/adapters/config.js';
import { PREFIX_EMBEDDING } from '../../models/adapters/prefix.js';
import { PROMPT } from '../../models/adapters/prompt.js';
import type { SafetensorsFile } from '../../models/safetensors/read.js';
import type { AdapterBase } from '../adapter-folder.js';
import type { ConfigFields } from '../config-fields.js';
import {
  baseOf,
  type CardContent,
  invalid,
  PEFT_VERSION,
  type PeftContents,
  type PeftFields,
  type PeftFormat,
} from './format.js';

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

/** Fields that are read, or say how virtual tokens began and what the base has. */
const knownFields = (fieldsOf: (tokens: number, base: AdapterBase) => PeftFields): ReadonlySet<string> =>
  new Set(
    Object.keys(fieldsOf(0, NO_BASE)).filter(
      (field) => field !== 'modules_to_save' && field !== 'num_transformer_submodules',
    ),
  );

const tokensOf = (fields: ConfigFields): number => fields.count('num_virtual_tokens');

const cardOf = (kind: 'prompt' | 'prefix', title: string, tokens: number): CardContent => ({
  tag: `${kind}-tuning`,
  title,
  facts: [['Virtual tokens', tokens]],
});

export const promptFormat: PeftFormat<'prompt'> = {
  fields: ({ tokens }, base) => promptFields(tokens, base),
  card: ({ tokens }) => cardOf('prompt', 'Prompt', tokens),
  nameInFile: () => PROMPT,
  reader: {
    type: 'PROMPT_TUNING',
    known: knownFields(promptFields),
    parse: (fields) => {
      const config = { kind: 'prompt', tokens: tokensOf(fields) } as const;
      return { base: baseOf(fields), open: (file) => openVirtual(config, PROMPT, file) };
    },
  },
};

const HEADS = 'num_attention_heads';

/** What is saved has no projection: PEFT has its layers in a file only while it trains them. */
export const prefixFormat: PeftFormat<'prefix'> = {
  fields: ({ tokens, projection }, base) => ({
    ...prefixFields(tokens, base),
    ...(projection === undefined ? {} : { prefix_projection: true, encoder_hidden_size: projection }),
  }),
  card: ({ tokens }) => cardOf('prefix', 'Prefix', tokens),
  nameInFile: (name, { projection }) => (projection === undefined ? PROMPT : name),
  reader: {
    type: 'PREFIX_TUNING',
    known: knownFields(prefixFields),
    parse: (fields) => {
      const config = { kind: 'prefix', tokens: tokensOf(fields) } as const;
      const heads = fields.has(HEADS) ? { prefixHeads: fields.count(HEADS) } : {};
      return {
        base: { ...baseOf(fields), ...heads },
        open: (file) => openVirtual(config, PREFIX_EMBEDDING, file),
      };
    },
  },
};

/** `name`: what the tensor is called in this program. */
function openVirtual(config: PromptConfig | PrefixConfig, name: string, file: SafetensorsFile): PeftContents {
  const entry = file.tensors.get(PROMPT);
  if (entry === undefined || file.tensors.size > 1)
    throw invalid(
      file.path,
      `A ${config.kind} is one tensor "${PROMPT}"; the file has ${[...file.tensors.keys()].join(', ')}.`,
    );
  if (entry.shape.length !== 2 || entry.shape[0] !== config.tokens)
    throw invalid(
      file.path,
      `Tensor "${PROMPT}" has shape [${entry.shape.join(', ')}], which does not fit ${config.tokens} virtual tokens.`,
    );
  return { config, tensors: new Map([[name, entry]]) };
}
