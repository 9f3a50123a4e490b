/** Classification: a head over labels, `score`, reads the last token of a text in the place of the head over the vocabulary. */
import { blueprintOf } from '../architectures/index.js';
import type { ModelConfig } from '../types.js';
import type { AdapterConfig } from './config.js';

const classifiers = new WeakMap<ModelConfig, Map<string, ModelConfig>>();

/** The labels that an adapter brings a head for. */
export const labelsOf = (adapter: AdapterConfig | undefined): readonly string[] | undefined =>
  adapter !== undefined && 'labels' in adapter ? adapter.labels : undefined;

/** The config of a base with an adapter: that of a classifier where the adapter brings labels. */
export function adaptedConfig(config: ModelConfig, adapter: AdapterConfig | undefined): ModelConfig {
  const labels = labelsOf(adapter);
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
 * Name of the tensor of a base that is not read once there are labels: its head over the vocabulary, where that is not
 * its embedding.
 */
export function unreadHead(config: ModelConfig, adapter: AdapterConfig | undefined): string | undefined {
  if (labelsOf(adapter) === undefined || config.labels !== undefined) return undefined;
  const { embedding, head } = blueprintOf(config);
  return head.output.name === embedding.name ? undefined : head.output.name;
}
