import { defaulted, type Infer, optional, required, type StageSchema, t } from '../schema.js';

/** Types of a whole file, in the names of llama.cpp's tool; some have a form in safetensors too. */
const DTYPES = [
  'f32',
  'f16',
  'bf16',
  'q8_0',
  'q6_k',
  'q5_k_m',
  'q5_k_s',
  'q5_1',
  'q5_0',
  'q4_k_m',
  'q4_k_s',
  'q4_1',
  'q4_0',
] as const;

/** Those of a Hugging Face folder. */
export const FOLDER_DTYPES = ['f32', 'f16', 'bf16'] as const satisfies readonly (typeof DTYPES)[number][];

const settings = {
  base: required(t.union(t.call('model'), t.port('Model')), 'The model that the adapter was trained on.'),
  adapter: optional(
    t.union(t.port('Adapter'), t.call('adapter')),
    'The adapter to merge into the base: of a training, or `peft("folder")`; without one, the base is only converted to another `dtype`.',
  ),
  dtype: defaulted(
    t.enum(...DTYPES),
    'f16',
    'How the merged weights are stored; those in blocks of fewer bits (`q8_0` and below) are types of a GGUF file, quantised as llama.cpp does.',
  ),
  file_format: optional(
    t.enum('safetensors', 'gguf'),
    'A Hugging Face folder (`safetensors`) or one GGUF file with tokenizer and chat template (`gguf`). Default: `gguf` for types that only it has, `safetensors` otherwise.',
  ),
} as const;

export type MergeSettings = Infer<typeof settings>;

export const mergeSchema: StageSchema = {
  kind: 'merge',
  doc: 'Writes a Hugging Face folder or a GGUF file with the adapter merged into the weights, and checks that its logits are those of the base with the adapter.',
  presets: [],
  settings,
  ports: { '': { type: 'Model', doc: 'The merged model.' } },
  metrics: {
    logit_difference: {
      doc: 'Largest difference of a logit between the merged model and base with adapter, on the probe prompts.',
      unit: 'number',
      known: 'run',
    },
    base_difference: {
      doc: 'Largest difference of a logit between the merged model and the base; zero would mean that nothing was merged.',
      unit: 'number',
      known: 'run',
    },
    perplexity: {
      doc: 'Perplexity of the merged model on the probe prompts, a few texts of at most 32 tokens. Not of classifiers.',
      unit: 'number',
      min: 1,
      known: 'run',
    },
    perplexity_ratio: {
      doc: 'That perplexity, divided by the one of the base with the adapter: what rounding costs. Not of classifiers.',
      unit: 'number',
      known: 'run',
    },
  },
};
