import { defaulted, type Infer, optional, required, type StageSchema, t } from '../schema.js';

const settings = {
  base: required(t.union(t.call('model'), t.port('Model')), 'The model that the adapter was trained on.'),
  adapter: optional(
    t.port('Adapter'),
    'The adapter to merge into the base; without one, the base is only converted to another `dtype`.',
  ),
  dtype: defaulted(t.enum('f32', 'f16', 'bf16'), 'f16', 'How the merged weights are stored.'),
} as const;

export type MergeSettings = Infer<typeof settings>;

export const mergeSchema: StageSchema = {
  kind: 'merge',
  doc: 'Writes a Hugging Face folder with the adapter merged into the weights, and checks that its logits are those of the base with the adapter.',
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
  },
};
