/** Classification: a head over labels, `score`, reads the last token of a text in the place of the head over the vocabulary. */
import { blueprintOf } from '../architectures/index.js';
import type { LoraConfig, ModelConfig } from '../types.js';

const classifiers = new WeakMap<ModelConfig, Map<string, ModelConfig>>();

/** The config of a base once an adapter is laid over it: that of a classifier where the adapter brings labels. */
export function adaptedConfig(
  config: ModelConfig,
  lora: Pick<LoraConfig, 'labels'> | undefined,
): ModelConfig {
  const labels = lora?.labels;
  if (labels === undefined || labels === config.labels) return config;
  // what follows from a config is kept by its identity
  const known = classifiers.get(config) ?? new Map<string, ModelConfig>();
  classifiers.set(config, known);
  const key = JSON.stringify(labels);
  const made = known.get(key) ?? { ...config, labels };
  known.set(key, made);
  return made;
}

/**
 * Name of the tensor of a base that nobody reads once there are labels: its head over the vocabulary, where that is not
 * its embedding.
 */
export function unreadHead(
  config: ModelConfig,
  lora: Pick<LoraConfig, 'labels'> | undefined,
): string | undefined {
  if (lora?.labels === undefined || config.labels !== undefined) return undefined;
  const { embedding, head } = blueprintOf(config);
  return head.output.name === embedding.name ? undefined : head.output.name;
}

/** The config of an adapter that trains the head alone. */
export const headConfig = (labels: readonly string[]): LoraConfig => ({
  rank: 0,
  alpha: 0,
  dropout: 0,
  targets: [],
  labels,
});

/** Whether an adapter is a head over labels and nothing else. */
export const isHead = ({ labels, targets }: Pick<LoraConfig, 'labels' | 'targets'>): boolean =>
  labels !== undefined && targets.length === 0;
