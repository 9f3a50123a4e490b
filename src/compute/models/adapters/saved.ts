/** Embedding and head that an adapter brings whole: PEFT's `modules_to_save`. */
import { blueprintOf, type NamedShape, SCORE, weightName } from '../architectures/index.js';
import type { LoraConfig, ModelConfig } from '../types.js';
import { bottleneckShapes } from './bottleneck.js';
import { adaptedConfig } from './classifier.js';
import { branchShapes, isNamed } from './layout.js';
import { prefixShapes } from './prefix.js';
import { promptShapes } from './prompt.js';

export type SavedRole = 'embedding' | 'head';

/** A tensor of an adapter that is in the place of one of the base. */
export interface SavedTensor extends NamedShape {
  readonly role: SavedRole;
  /** The last part of its module's path. */
  readonly module: string;
}

/** What transformers calls the head over the vocabulary in every family, tied or not, whatever its file does. */
const HEAD = 'lm_head';

/** What of a model may be saved so. The two are copies of their own even where the base ties them, as in PEFT. */
export function savableTensors(config: ModelConfig): readonly SavedTensor[] {
  const { embedding, head } = blueprintOf(config);
  const module = config.labels === undefined ? HEAD : SCORE;
  const path = embedding.name.replace(/\.weight$/, '');
  return [
    { ...embedding, role: 'embedding', module: path.slice(path.lastIndexOf('.') + 1) },
    { name: weightName({ module }), shape: head.output.shape, role: 'head', module },
  ];
}

/** The head over an adapter's labels is always among them. */
export const savedTensors = (config: ModelConfig, lora: LoraConfig | undefined): readonly SavedTensor[] =>
  savableTensors(adaptedConfig(config, lora)).filter(
    ({ name, role }) =>
      (role === 'head' && lora?.labels !== undefined) ||
      lora?.modulesToSave?.some((module) => isNamed(name.replace(/\.weight$/, ''), module)),
  );

export const savedTensor = (
  config: ModelConfig,
  lora: LoraConfig | undefined,
  role: SavedRole,
): SavedTensor | undefined => savedTensors(config, lora).find((saved) => saved.role === role);

/** Every trained tensor of an adapter, by its full name. */
export const adapterShapes = (config: ModelConfig, lora: LoraConfig): readonly NamedShape[] => [
  ...branchShapes(config, lora),
  ...savedTensors(config, lora).map(({ name, shape }) => ({ name, shape })),
  ...promptShapes(config, lora),
  ...prefixShapes(config, lora),
  ...bottleneckShapes(config, lora),
];
